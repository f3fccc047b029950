import assert from "node:assert/strict";
import { CommandError, exitCodes } from "./exit.ts";
import { createFakeWorld } from "./fake_world.ts";
import { killServer, setVariables, workOnServer } from "./mysql_server.ts";
import type { Answer, Cluster, Question } from "./ports.ts";

const local = "192.168.0.109:8801";

/** An agent whose answers are given one after the other; the last one is repeated. */
function agent(...answers: readonly (Answer | unknown)[]) {
  const calls: Question[] = [];
  const cluster: Cluster = {
    local,
    seeds: [],
    call(_endpoint, question) {
      const answer = answers[Math.min(calls.length, answers.length - 1)];
      calls.push(question);
      const shaped = answer as Answer;
      return Promise.resolve(
        typeof shaped?.kind === "string" ? shaped : { kind: "answered", result: answer },
      );
    },
  };
  return { cluster, calls };
}

function page(state: string, ...sentences: readonly string[]) {
  return { number: 1, state, sentences };
}

const start = { what: "start", params: {}, deadlineMs: 10_000 } as const;

Deno.test("each step is said once as it happens, and the last one is the result", async () => {
  const said: string[] = [];
  const world = createFakeWorld({ say: (line) => said.push(line) });
  const { cluster, calls } = agent(
    page("running"),
    page("running", "Starting mysqld"),
    page("running", "Starting mysqld", "mysqld has not answered for 5 s: unknown"),
    page("done", "Starting mysqld", "mysqld has not answered for 5 s: unknown", "mysqld runs"),
  );
  const { code, stdout } = await workOnServer(cluster, world, start);
  assert.deepEqual([code, stdout], [exitCodes.ok, "mysqld runs\n"]);
  assert.deepEqual(said, ["Starting mysqld", "mysqld has not answered for 5 s: unknown"]);
  assert.deepEqual(calls.map(({ method }) => method), [
    "mysql.start",
    "mysql.work",
    "mysql.work",
    "mysql.work",
  ]);
});

Deno.test("a start that fails shows the error log's lines above the reason", async () => {
  const { cluster } = agent(
    page("failed", "mysqld ended; the last lines are:\n[ERROR] a\n[ERROR] b"),
  );
  await assert.rejects(workOnServer(cluster, createFakeWorld(), start), (error) => {
    assert.ok(error instanceof CommandError);
    assert.equal(error.message, "Cannot start mysqld: mysqld ended; the last lines stand above");
    assert.deepEqual(error.details, ["[ERROR] a", "[ERROR] b"]);
    return true;
  });
});

Deno.test("work that takes longer than the operator waits goes on without the command", async () => {
  const { cluster, calls } = agent(page("running", "Stopping mysqld 7"));
  const wish = { what: "shutdown", params: { force: true }, deadlineMs: 1_000 } as const;
  const waiting = workOnServer(cluster, createFakeWorld(), wish);
  await assert.rejects(waiting, /The shutdown of mysqld still runs, and goes on without/);
  assert.deepEqual(calls[0]?.params, { force: true });
  assert.deepEqual(calls[1]?.params, {});
});

Deno.test("an agent that restarted meanwhile, is silent, refuses or talks nonsense is told apart", async () => {
  const world = createFakeWorld();
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{ ...page("running"), number: 2 }, /Lost sight of the start/],
    [{ kind: "silent", because: "connection refused" }, /Cannot reach the agent/],
    [{ kind: "refused", because: "a witness has no" }, /Cannot start mysqld: a witness has no/],
    [{ state: "maybe" }, /Cannot read what the agent does/],
    [null, /Cannot read what the agent does/],
  ];
  for (const [answer, because] of cases) {
    const { cluster } = agent(page("running"), answer);
    await assert.rejects(workOnServer(cluster, world, start), because);
  }
});

Deno.test("kill and sysvar print what the agent did, or why not", async () => {
  const did = agent({ sentences: ["mysqld 7 is killed; the monitor starts it again"] });
  const killed = await killServer(did.cluster, 1_000);
  assert.equal(killed.stdout, "mysqld 7 is killed; the monitor starts it again\n");
  const refusing = agent({ kind: "refused", because: "the agent alone decides read_only" });
  const wish = { statement: "SET GLOBAL read_only=0", deadlineMs: 1_000 };
  await assert.rejects(
    setVariables(refusing.cluster, wish),
    /Cannot set global variables: the agent alone decides read_only/,
  );
});
