import assert from "node:assert/strict";
import { followerFacts, followerWith, ownUuid, statementsOf } from "./model_server.ts";
import { arrangeAcknowledgements, purposeUuid } from "./plan_arrange.ts";
import type { ServerFacts } from "./facts.ts";

function leader(source: Partial<ServerFacts["semiSyncSource"]>): ServerFacts {
  return followerWith({
    readOnly: false,
    superReadOnly: false,
    replication: null,
    semiSyncSource: {
      ...followerFacts.semiSyncSource,
      enabled: true,
      status: true,
      timeoutMs: 4_294_967_295,
      ...source,
    },
  });
}

function sqlOf(facts: ServerFacts, k: number): readonly string[] {
  return statementsOf(arrangeAcknowledgements(facts, k)).map(({ sql }) => sql);
}

Deno.test("arrangeAcknowledgements() leaves a leader alone whose settings hold", () => {
  assert.deepEqual(sqlOf(leader({}), 1), []);
  assert.deepEqual(sqlOf(leader({ enabled: false, status: false }), 0), []);
});

Deno.test("arrangeAcknowledgements() changes what differs, the switch last", () => {
  assert.deepEqual(sqlOf(leader({}), 2), [
    "SET GLOBAL rpl_semi_sync_source_wait_for_replica_count = 2",
  ]);
  assert.deepEqual(
    sqlOf(leader({ enabled: false, timeoutMs: 10, waitNoReplica: false }), 1),
    [
      "SET GLOBAL rpl_semi_sync_source_timeout = 4294967295",
      "SET GLOBAL rpl_semi_sync_source_wait_no_replica = ON",
      "SET GLOBAL rpl_semi_sync_source_enabled = ON",
    ],
  );
  assert.deepEqual(sqlOf(leader({}), 0), ["SET GLOBAL rpl_semi_sync_source_enabled = OFF"]);
});

Deno.test("arrangeAcknowledgements() refuses a server that is not an open leader", () => {
  assert.equal(arrangeAcknowledgements(followerFacts, 1).kind, "refuse");
  assert.equal(arrangeAcknowledgements(leader({ installed: false }), 1).kind, "refuse");
});

Deno.test("purposeUuid() is another UUID, and another one for each server", () => {
  const uuid = "5f3c1c4e-c867-11f0-9d3e-0242ac110002";
  assert.equal(purposeUuid(uuid), "5f3c1c4e-c867-91f0-9d3e-0242ac110002");
  assert.equal(purposeUuid(purposeUuid(uuid)), uuid);
  assert.notEqual(purposeUuid(ownUuid), purposeUuid(uuid));
});
