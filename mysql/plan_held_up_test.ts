import assert from "node:assert/strict";
import {
  type BusySession,
  endedSentence,
  type RowWait,
  type ServerLock,
  serverLockHolders,
  waitsForClients,
} from "./plan_held_up.ts";

const client: BusySession = {
  id: 11,
  user: "backup",
  host: "localhost",
  command: "Sleep",
  state: "",
};
const reader: BusySession = {
  ...client,
  id: 12,
  user: "app",
  command: "Query",
  state: "executing",
};
const dump: BusySession = { ...client, id: 13, command: "Binlog Dump GTID" };
const agent: BusySession = { ...client, id: 1, user: "xenon" };
const applier: BusySession = { id: 7, user: "system user", host: "", command: "Query", state: "" };
const others = [client, reader, dump, { ...reader, id: 14, command: "Killed" }];
const agentConnectionIds = new Set([1, 2]);

function ended(applierState: string, agentState = "", rowWaits: readonly RowWait[] = []): string {
  const working = [{ ...applier, state: applierState }, { ...agent, state: agentState }];
  const seen = { sessions: [...working, ...others], agentConnectionIds, rowWaits };
  return waitsForClients(seen)?.ids.join() ?? "nobody";
}

for (
  const state of [
    "Waiting for global read lock",
    "Waiting for commit lock",
    "Waiting for backup lock",
    "Waiting for table metadata lock",
    "Waiting for schema metadata lock",
    "Waiting for table level lock",
    "Waiting for table flush",
  ]
) {
  Deno.test(`clients are ended while the applier or the agent is "${state}"`, () => {
    assert.equal(ended(state), "11,12");
    assert.equal(ended("", state), "11,12");
  });
}

Deno.test("nobody is ended while the applier works, or waits for something that is no lock", () => {
  for (
    const state of [
      "",
      "Applying batch of row changes (update)",
      "altering table",
      "Waiting for an event from Coordinator",
      "Waiting for preceding transaction to commit",
      "Waiting for semi-sync ACK from replica",
      "waiting for handler commit",
    ]
  ) assert.equal(ended(state), "nobody", state);
});

Deno.test("a client that waits itself ends nobody, whatever it calls itself", () => {
  const state = "Waiting for table metadata lock";
  const sessions = [applier, client, { ...applier, id: 15, host: "10.0.0.9:5", state }];
  assert.equal(waitsForClients({ sessions, agentConnectionIds, rowWaits: [] }), null);
});

Deno.test("only clients that locked rows of the applier are ended for that", () => {
  const byClient = { waiter: 7, blocker: 12 };
  const byApplier = { waiter: 7, blocker: 8 };
  const amongClients = { waiter: 12, blocker: 11 };
  assert.equal(ended("Applying batch of row changes (update)", "", [byClient]), "12");
  assert.equal(ended("", "", [byApplier, amongClients]), "nobody");
});

function holders(...locks: readonly ServerLock[]): string {
  const found = serverLockHolders({
    sessions: [applier, agent, ...others],
    agentConnectionIds,
    locks,
  });
  return found === null ? "nobody" : `${found.ids.join()} by ${found.by}`;
}

Deno.test("clients with a lock of the whole server are named, and nobody else", () => {
  const readLock = "a global read lock (FLUSH TABLES WITH READ LOCK)";
  assert.equal(holders(), "nobody");
  assert.equal(holders({ id: 12, type: "BACKUP LOCK" }), "12 by a backup lock");
  assert.equal(
    holders({ id: 11, type: "GLOBAL" }, { id: 11, type: "COMMIT" }),
    `11 by ${readLock}`,
  );
  assert.equal(holders({ id: 14, type: "BACKUP LOCK" }), "14 by a backup lock", "until it is gone");
  // The request for super_read_only holds the read lock for a moment.
  assert.equal(holders({ id: 1, type: "GLOBAL" }, { id: 7, type: "BACKUP LOCK" }), "nobody");
});

Deno.test("the log says how many sessions were ended, and why", () => {
  assert.equal(
    endedSentence({ ids: [11, 12], by: "a backup lock" }),
    "ended 2 client sessions: they held the promotion up by a backup lock",
  );
  assert.equal(
    endedSentence({ ids: [11], by: "locked rows" }),
    "ended 1 client session: it held the promotion up by locked rows",
  );
});
