import assert from "node:assert/strict";
import { BinaryLogEnd } from "./binary_log_end.ts";
import type { Connection, Row } from "./client.ts";
import { DatabaseError, type DatabaseErrorKind } from "./client_error.ts";
import { pause } from "./time_left.ts";

const sql = "SHOW BINARY LOG STATUS";
const row = { File: "binlog.000002", Position: 900, Binlog_Do_DB: "shop" };

/** A connection on which each answer comes when the test gives it. */
class SlowLog {
  readonly answers: PromiseWithResolvers<readonly Row[]>[] = [];
  readonly connection = {
    query: () => {
      const answer = Promise.withResolvers<readonly Row[]>();
      this.answers.push(answer);
      return answer.promise;
    },
  } as unknown as Connection;
  /** Why there is no connection now. */
  refusal: Error | null = null;
  /** How far the log is written; null where its files cannot be seen. */
  written: string | null = "100";
  readonly end = new BinaryLogEnd(
    {
      get: () => {
        return this.refusal ? Promise.reject(this.refusal) : Promise.resolve(this.connection);
      },
    },
    () => this.written ? Promise.resolve(this.written) : Promise.reject(new Error("not allowed")),
  );

  rows(rest: Promise<unknown> = Promise.resolve()): Promise<readonly Row[]> {
    return this.end.rows(sql, rest);
  }

  /** Answers a question, once it was asked. */
  async answer(number: number, answer: readonly Row[] | Error): Promise<void> {
    while (this.answers.length < number) await pause(1);
    const asked = this.answers[number - 1];
    if (answer instanceof Error) asked?.reject(answer);
    else asked?.resolve(answer);
    await pause(1);
  }
}

Deno.test("a server that writes a large commit is seen without the end of its binary log", async () => {
  const log = new SlowLog();
  const first = log.rows();
  await log.answer(1, [row]);
  assert.deepEqual(await first, [row], "the first answer is waited for");

  const late = [{ ...row, File: null, Position: null }];
  assert.deepEqual(await log.rows(), late);
  assert.deepEqual(await log.rows(), late, "the question is not asked a second time");
  assert.equal(log.answers.length, 2);

  // The answer to the old question says nothing about the next look.
  await log.answer(2, [{ ...row, Position: 901 }]);
  const next = log.rows();
  await log.answer(3, [{ ...row, Position: 902 }]);
  assert.deepEqual(await next, [{ ...row, Position: 902 }]);
});

Deno.test("a server that dies while the rest of a look is awaited leaves no error without an owner", async () => {
  const log = new SlowLog();
  const first = log.rows();
  await log.answer(1, [row]);
  await first;
  const rest = Promise.withResolvers<void>();
  const second = log.rows(rest.promise);
  await log.answer(2, new Error("the connection is lost"));
  await pause(5);
  rest.resolve();
  assert.deepEqual(await second, [{ ...row, File: null, Position: null }]);
});

function failure(kind: DatabaseErrorKind): DatabaseError {
  return new DatabaseError("no", { kind, code: "X", errno: 0 });
}

Deno.test("a binary log is held while a question waits, and moves with its file and with answers", async () => {
  const log = new SlowLog();
  const first = log.rows();
  await log.answer(1, [row]);
  await first;
  assert.equal(await log.end.held("/db/binlog"), null, "nothing waits");
  await log.rows();
  const before = await log.end.held("/db/binlog");
  assert.notEqual(before, null);
  assert.equal(await log.end.held("/db/binlog"), before);
  log.written = "200";
  const grown = await log.end.held("/db/binlog");
  assert.notEqual(grown, before);
  await log.answer(2, [row]);
  assert.equal(await log.end.held("/db/binlog"), null);
  await log.rows();
  assert.notEqual(await log.end.held("/db/binlog"), grown, "a slow server answered in between");
  log.written = null;
  assert.equal(await log.end.held("/db/binlog"), null, "nobody can tell");
  await log.answer(3, failure("timeout"));
  log.written = "200";
  assert.notEqual(await log.end.held("/db/binlog"), null, "it is as late as before");
});

Deno.test("a question about the binary log that fails leaves its end unknown, and is not late", async () => {
  const log = new SlowLog();
  const first = log.rows();
  await log.answer(1, [row]);
  await first;
  const unknown = [{ ...row, File: null, Position: null }];
  log.refusal = failure("sql");
  assert.deepEqual(await log.rows(), unknown, "too many connections");
  assert.equal(await log.end.held("/db/binlog"), null);
  log.refusal = null;
  const second = log.rows();
  await log.answer(2, failure("lost"));
  assert.deepEqual(await second, unknown, "somebody ended the session");
  assert.equal(await log.end.held("/db/binlog"), null);
});
