import assert from "node:assert/strict";
import { followerFacts, followerWith, ownUuid, statementsOf } from "./fake_server.ts";
import { arrangeLeader, confirmsAlone, purposeUuid } from "./plan_arrange.ts";
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

function sqlOf(facts: ServerFacts, k: number | null): readonly string[] {
  return statementsOf(arrangeLeader(facts, k)).map(({ sql }) => sql);
}

const loose = { ...followerFacts.durability, syncBinlog: 0, flushLogAtTrxCommit: 2 };
const durably = ["SET GLOBAL sync_binlog = 1", "SET GLOBAL innodb_flush_log_at_trx_commit = 1"];

Deno.test("arrangeLeader() leaves a leader alone whose settings hold", () => {
  assert.deepEqual(sqlOf(leader({}), 1), []);
  assert.deepEqual(sqlOf(leader({ enabled: false, status: false }), 0), []);
  assert.deepEqual(sqlOf(leader({ enabled: false, status: false }), null), []);
});

Deno.test("arrangeLeader() changes what differs, the switch last", () => {
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
  assert.deepEqual(sqlOf(leader({ waitPoint: "AFTER_COMMIT" }), 1), [
    "SET GLOBAL rpl_semi_sync_source_wait_point = 'AFTER_SYNC'",
  ]);
  assert.deepEqual(sqlOf(leader({}), 0), ["SET GLOBAL rpl_semi_sync_source_enabled = OFF"]);
});

Deno.test("arrangeLeader() makes commits durable again, also where none is acknowledged", () => {
  const seen = { ...leader({}), durability: loose };
  assert.deepEqual(sqlOf(seen, 1), durably);
  assert.deepEqual(sqlOf(seen, null), durably);
  assert.deepEqual(
    sqlOf({ ...seen, ...leader({ enabled: false }), durability: loose }, 0),
    durably,
  );
});

Deno.test("arrangeLeader() installs a source half that is gone, and sets all of it", () => {
  for (const [words, other] of [["source", "replica"], ["master", "slave"]] as const) {
    const gone = leader({ words, installed: false, enabled: false, status: false });
    assert.deepEqual(sqlOf(gone, 1), [
      `INSTALL PLUGIN rpl_semi_sync_${words} SONAME 'semisync_${words}.so'`,
      `SET GLOBAL rpl_semi_sync_${words}_timeout = 4294967295`,
      `SET GLOBAL rpl_semi_sync_${words}_wait_no_${other} = ON`,
      `SET GLOBAL rpl_semi_sync_${words}_wait_point = 'AFTER_SYNC'`,
      `SET GLOBAL rpl_semi_sync_${words}_wait_for_${other}_count = 1`,
      `SET GLOBAL rpl_semi_sync_${words}_enabled = ON`,
    ]);
    assert.deepEqual(sqlOf(gone, 0), []);
  }
});

Deno.test("arrangeLeader() wakes a semi-sync up that gave up waiting, and releases no commit for it", () => {
  const [off, on] = ["OFF", "ON"].map((value) => {
    return `SET GLOBAL rpl_semi_sync_source_wait_no_replica = ${value}`;
  });
  assert.deepEqual(sqlOf(leader({ status: false }), 1), [off, on]);
  assert.deepEqual(sqlOf(leader({ status: false, waitNoReplica: false }), 1), [on]);
});

Deno.test("arrangeLeader() refuses a server that is not an open leader", () => {
  assert.equal(arrangeLeader(followerFacts, 1).kind, "refuse");
});

Deno.test("confirmsAlone() is true where a commit waits for nobody and should", () => {
  const broken = [{ installed: false }, { enabled: false }, { status: false }];
  assert.equal(confirmsAlone(leader({}), 1), false);
  for (const change of broken) {
    assert.deepEqual([1, 0, null].map((k) => confirmsAlone(leader(change), k)), [
      true,
      false,
      false,
    ]);
  }
});

Deno.test("purposeUuid() is another UUID, and another one for each server", () => {
  const uuid = "5f3c1c4e-c867-11f0-9d3e-0242ac110002";
  assert.equal(purposeUuid(uuid), "5f3c1c4e-c867-91f0-9d3e-0242ac110002");
  assert.equal(purposeUuid(purposeUuid(uuid)), uuid);
  assert.notEqual(purposeUuid(ownUuid), purposeUuid(uuid));
});
