/** The connection discipline against a real server: every answer has a deadline. */

import assert from "node:assert/strict";
import { poll } from "../../cmd/demo/lab.ts";
import { Connection, killAndVerify } from "../../mysql/client.ts";
import { DatabaseError, type DatabaseErrorKind } from "../../mysql/client_error.ts";
import { connectAsRoot, findFreePorts, openForWrites } from "../../mysql/sandbox.ts";
import { LabServer } from "./lab.ts";
import { pause } from "../../mysql/time_left.ts";

/** A busy machine is slow. */
const patienceMs = 30_000;
const quick = { deadlineMs: patienceMs } as const;

/** Awaits a failure of one kind, and gives it with the time that it took. */
async function failure(
  promise: Promise<unknown>,
  kind: DatabaseErrorKind,
): Promise<{ readonly error: DatabaseError; readonly afterMs: number }> {
  const startedAt = performance.now();
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof DatabaseError, String(error));
    assert.equal(error.kind, kind, error.message);
    return { error, afterMs: performance.now() - startedAt };
  }
  throw new assert.AssertionError({ message: `Expected a failure of kind "${kind}"` });
}

Deno.test("statements on one connection", async (test) => {
  await using lab = await LabServer.start();
  await openForWrites(lab.sandbox);
  await using connection = await connectAsRoot(lab.sandbox, patienceMs);

  await test.step("the connection knows its id", async () => {
    const [row] = await connection.query("SELECT CONNECTION_ID() AS id", quick);
    assert.equal(row?.id, String(connection.id));
  });

  await test.step("large numbers, dates and JSON arrive as texts", async () => {
    const sql = "SELECT CAST(18446744073709551615 AS UNSIGNED) AS big, ? AS text," +
      " DATE '2026-11-23' AS day, JSON_OBJECT('a', 1) AS json, 1.50 AS exact";
    assert.deepEqual(await connection.query(sql, { ...quick, values: ["it's"] }), [
      {
        big: "18446744073709551615",
        text: "it's",
        day: "2026-11-23",
        json: '{"a": 1}',
        exact: "1.50",
      },
    ]);
  });

  await test.step("a change tells how many rows it touched", async () => {
    await connection.change("CREATE DATABASE lab", quick);
    await connection.change("CREATE TABLE lab.t (a INT PRIMARY KEY)", quick);
    const inserted = await connection.change("INSERT INTO lab.t VALUES (1), (2)", quick);
    assert.deepEqual(inserted, { affectedRows: 2 });
  });

  await test.step("an error of the server leaves the connection usable", async () => {
    const { error } = await failure(
      connection.query("INSERT INTO lab.t VALUES (1)", quick),
      "sql",
    );
    assert.equal(error.code, "ER_DUP_ENTRY");
    assert.equal(error.errno, 1062);
    assert.equal((await connection.query("SELECT 1 AS one", quick))[0]?.one, "1");
  });

  await test.step("statements run one after the other, in the order of the calls", async () => {
    const order: number[] = [];
    const first = connection.query("SELECT SLEEP(0.1)", quick).then(() => order.push(1));
    const second = connection.query("SELECT 2", quick).then(() => order.push(2));
    await Promise.all([first, second]);
    assert.deepEqual(order, [1, 2]);
  });

  await test.step("too many waiting statements are refused", async () => {
    const all = Array.from({ length: 33 }, () => connection.query("SELECT 1", quick));
    const results = await Promise.allSettled(all);
    const refused = results.filter((result) => result.status === "rejected");
    assert.equal(refused.length, 1);
  });

  await test.step("no password reaches an error", async () => {
    const sql = "CREATE USER a@'%' IDENTIFIED BY 'geheim' NO SUCH CLAUSE 'geheim'";
    const { error } = await failure(connection.query(sql, quick), "sql");
    assert.doesNotMatch(Deno.inspect(error), /geheim/);
  });
});

Deno.test("accounts over TCP", async (test) => {
  await using lab = await LabServer.start();
  await openForWrites(lab.sandbox);
  await using root = await connectAsRoot(lab.sandbox, patienceMs);
  const { port } = lab.sandbox;
  const to = { host: "127.0.0.1", port, user: "rep", password: "geheim", connectMs: patienceMs };
  await root.query("CREATE USER rep IDENTIFIED WITH caching_sha2_password BY 'geheim'", quick);

  await test.step("the first login, which the server cannot answer from its cache", async () => {
    await using connection = await Connection.connect(to);
    assert.equal((await connection.query("SELECT 1 AS one", quick))[0]?.one, "1");
  });

  await test.step("the next login, answered from the cache", async () => {
    await using connection = await Connection.connect(to);
    assert.equal((await connection.query("SELECT 1 AS one", quick))[0]?.one, "1");
  });

  await test.step("a wrong password is denied and not repeated in the error", async () => {
    const wrong = Connection.connect({ ...to, password: "falsch" });
    const { error } = await failure(wrong, "denied");
    assert.doesNotMatch(Deno.inspect(error), /falsch|geheim/);
  });

  await test.step("a locked account is denied", async () => {
    await root.query("ALTER USER rep ACCOUNT LOCK", quick);
    await failure(Connection.connect(to), "denied");
  });

  await test.step("a port without a server and a socket without a file are refused", async () => {
    const [free = 0] = findFreePorts(1);
    await failure(Connection.connect({ ...to, port: free }), "refused");
    await failure(Connection.connect({ ...to, socketPath: "/nonexistent/s" }), "refused");
  });
});

Deno.test("a frozen server cannot hold anybody beyond the deadline", async () => {
  await using lab = await LabServer.start();
  const server = await lab.sandbox.server.identify();
  assert.ok(server !== null);
  await using connection = await connectAsRoot(lab.sandbox, patienceMs);
  Deno.kill(server.pid, "SIGSTOP");
  try {
    // The signal reaches the threads one after the other: a statement sent too early is still answered.
    await untilAllStopped(server.pid);
    const first = failure(connection.query("SELECT 1", { deadlineMs: 300 }), "timeout");
    const second = failure(
      connection.query("SELECT 2", { deadlineMs: 10 * patienceMs }),
      "timeout",
    );
    for (const { afterMs } of await Promise.all([first, second])) {
      assert.ok(afterMs >= 290 && afterMs < patienceMs, `${afterMs}`);
    }
    assert.equal(connection.usable, false);
    await failure(connection.query("SELECT 3", quick), "lost");
    const { afterMs } = await failure(connectAsRoot(lab.sandbox, 300), "timeout");
    assert.ok(afterMs >= 290 && afterMs < patienceMs, `${afterMs}`);
  } finally {
    Deno.kill(server.pid, "SIGCONT");
  }
});

Deno.test("a killed server is a lost connection", async () => {
  await using lab = await LabServer.start();
  const server = await lab.sandbox.server.identify();
  assert.ok(server !== null);
  const connection = await connectAsRoot(lab.sandbox, patienceMs);
  const waiting = failure(connection.query("SELECT SLEEP(120)", { deadlineMs: 150_000 }), "lost");
  lab.sandbox.server.kill(server);
  await waiting;
  await connection.closed;
  assert.equal(connection.usable, false);
});

Deno.test("killAndVerify() ends a session or a statement and sees it gone", async (test) => {
  await using lab = await LabServer.start();
  await using root = await connectAsRoot(lab.sandbox, patienceMs);

  await test.step("a running statement is ended and its connection lives on", async () => {
    await using other = await connectAsRoot(lab.sandbox, patienceMs);
    const sleeping = other.query("SELECT SLEEP(120) AS interrupted", { deadlineMs: 150_000 });
    await untilRunning(root, other.id);
    const result = await killAndVerify(root, {
      id: other.id,
      what: "query",
      deadlineMs: patienceMs,
    });
    assert.equal(result.kind, "ended");
    assert.deepEqual(await sleeping, [{ interrupted: "1" }]);
    assert.equal(other.usable, true);
  });

  await test.step("a session whose client gave up is ended with its statement", async () => {
    const other = await connectAsRoot(lab.sandbox, patienceMs);
    await failure(other.query("SELECT SLEEP(120)", { deadlineMs: 100 }), "timeout");
    await untilRunning(root, other.id);
    const kill = { id: other.id, what: "connection", deadlineMs: patienceMs } as const;
    assert.equal((await killAndVerify(root, kill)).kind, "ended");
    // Gone already counts as ended.
    assert.equal((await killAndVerify(root, kill)).kind, "ended");
  });
});

async function untilRunning(root: Connection, id: number): Promise<void> {
  const sql = "SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = ? AND INFO LIKE '%SLEEP%'";
  const runs = async () => (await root.query(sql, { ...quick, values: [id] })).length > 0 || null;
  assert.ok(await poll(patienceMs, runs), `Session ${id} does not run its statement`);
}

/** Waits until every thread of a process stands still. */
async function untilAllStopped(pid: number): Promise<void> {
  const threads = () => [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name);
  const stateOf = (thread: string) =>
    /\) (\S)/.exec(Deno.readTextFileSync(`/proc/${pid}/task/${thread}/stat`))?.[1];
  const endsAt = performance.now() + patienceMs;
  while (!threads().every((thread) => stateOf(thread) === "T")) {
    assert.ok(performance.now() < endsAt, "the server stops in time");
    await pause(1);
  }
}
