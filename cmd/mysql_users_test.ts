import assert from "node:assert/strict";
import { printFacts } from "./facts.ts";
import { createFakeWorld } from "./fake_world.ts";
import { changeUser, getUsers } from "./mysql_users.ts";
import type { Answer, Cluster, Question } from "./ports.ts";

const local = "192.168.0.109:8801";
const deadlineMs = 1_000;

function agent(answer: Answer) {
  const calls: Question[] = [];
  const cluster: Cluster = {
    local,
    seeds: [],
    call(_endpoint, question) {
      calls.push(question);
      return Promise.resolve(answer);
    },
  };
  return { cluster, calls };
}

const account = { kind: "password", user: "app", host: "%" } as const;

Deno.test("a password is read when the command runs, and travels confidentially", async () => {
  const { cluster, calls } = agent({ kind: "answered", result: { sentences: ["It is done"] } });
  const change = { account, password: { kind: "prompt" } } as const;
  const world = createFakeWorld({ readSecret: () => Promise.resolve("typed word") });
  const { stdout } = await changeUser(cluster, world, { change, deadlineMs });
  assert.equal(stdout, "It is done\n");
  assert.equal(calls[0]?.confidential, true);
  assert.deepEqual(calls[0]?.params, { ...account, password: "typed word" });
});

Deno.test("a refusal is shown with the next step and without the password", async () => {
  const { cluster } = agent({ kind: "refused", because: "nobody leads just now" });
  const change = { account, password: { kind: "given", text: "secret word" } } as const;
  await assert.rejects(changeUser(cluster, createFakeWorld(), { change, deadlineMs }), (error) => {
    assert.match(String(error), /Cannot change the account: nobody leads just now/);
    assert.doesNotMatch(`${error instanceof Error ? error.stack : ""}`, /secret word/);
    return true;
  });
});

Deno.test("a refusal that says itself what cannot be done says it once", async () => {
  const because = "Cannot change the account as it does not exist";
  const { cluster } = agent({ kind: "refused", because });
  const change = { account, password: { kind: "given", text: "secret word" } } as const;
  await assert.rejects(
    changeUser(cluster, createFakeWorld(), { change, deadlineMs }),
    (error) => error instanceof Error && error.message === because,
  );
});

Deno.test("getuser prints exactly the original's keys", async () => {
  const accounts = [
    { user: "app", host: "%", superior: false },
    { user: "root", host: "localhost", superior: true },
  ];
  const { cluster } = agent({ kind: "answered", result: { accounts } });
  const facts = await getUsers(cluster, deadlineMs);
  const look = { colour: false } as const;
  assert.equal(
    printFacts(facts, { ...look, form: "exact" }).stdout,
    '[{"User":"app","Host":"%","SuperPriv":"N"},{"User":"root","Host":"localhost","SuperPriv":"Y"}]\n',
  );
  assert.match(
    printFacts(facts, { ...look, form: "table" }).stdout,
    /\| +root +\| +localhost +\| +Y/,
  );
});

Deno.test("an answer that holds no accounts is refused", async () => {
  for (const result of [null, { accounts: [{ user: "x" }] }, { accounts: "x" }]) {
    const { cluster } = agent({ kind: "answered", result });
    await assert.rejects(getUsers(cluster, deadlineMs), /Cannot read the accounts/);
  }
});
