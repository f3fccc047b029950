/** Nothing that waits for acknowledgements is begun while nobody can give them. */
import assert from "node:assert/strict";
import type { AccountWish } from "./accounts.ts";
import { Administration } from "./administration.ts";
import { Cloning } from "./cloning.ts";
import { followerFacts } from "./fake_server.ts";
import type { Sessions } from "./sessions.ts";

const account = { user: "app", host: "%" } as const;
const password = "a good password";
const everything = { kind: "everything" } as const;
const wishes: readonly AccountWish[] = [
  { kind: "create", ...account, password, requireX509: false, grants: everything },
  { kind: "password", ...account, password },
  { kind: "drop", ...account },
];
const because =
  /: writes wait for 1 acknowledgement and 0 replicas are connected: bring a follower/;

/** An open server with so many replicas that acknowledge, and what was sent to it besides questions. */
function openServer(clients: number, { found = 1 } = {}) {
  const sent: string[] = [];
  const connection = {
    id: 1,
    usable: true,
    query(sql: string) {
      if (!sql.startsWith("SELECT")) sent.push(sql);
      return Promise.resolve([{ read_only: 0, super_read_only: 0, closed: 0, found }]);
    },
  };
  const sessions = {
    get: () => Promise.resolve(connection),
    fresh: () => Promise.resolve(connection),
    release: () => {},
    abandon: () => {},
  } as unknown as Sessions;
  const semiSyncSource = { ...followerFacts.semiSyncSource, enabled: true, clients };
  const parts = {
    sessions,
    statementMs: 1_000,
    unfenced: () => new AbortController().signal,
    queued: () => Promise.resolve(),
    facts: () => Promise.resolve({ ...followerFacts, semiSyncSource }),
  };
  const names = { agentUser: "root", replicationUser: "repl" };
  return {
    sent,
    administration: new Administration({ ...parts, ...names }),
    cloning: new Cloning(parts),
  };
}

for (const wish of wishes) {
  const found = wish.kind === "create" ? 0 : 1;
  Deno.test(`a change of an account (${wish.kind}) is begun only where it can be acknowledged`, async () => {
    const alone = openServer(0, { found });
    await assert.rejects(alone.administration.changeAccount(wish), because);
    assert.deepEqual(alone.sent, [], "it locks everybody out");
    const followed = openServer(1, { found });
    await followed.administration.changeAccount(wish);
    assert.notDeepEqual(followed.sent, []);
  });
}

Deno.test("the account for copies is made only where that can be acknowledged", async () => {
  const copier = { user: "xenon_clone", password };
  const alone = openServer(0);
  await assert.rejects(alone.cloning.admit(copier), because);
  assert.deepEqual(alone.sent, [], "it locks everybody out");
  const followed = openServer(1);
  await followed.cloning.admit(copier);
  assert.notDeepEqual(followed.sent, []);
});
