import assert from "node:assert/strict";
import { followerFacts, followerWith, statementsOf } from "./fake_server.ts";
import { preparePlan } from "./plan_prepare.ts";

const { semiSyncSource, semiSyncReplica } = followerFacts;

Deno.test("preparePlan() keeps the next start closed and notices a silent source in seconds", () => {
  const ran = statementsOf(preparePlan(followerFacts)).map(({ sql }) => sql);
  assert.deepEqual(ran, [
    "SET PERSIST_ONLY skip_replica_start = ON",
    "SET PERSIST_ONLY super_read_only = ON",
    "SET GLOBAL replica_net_timeout = 4",
  ]);
});

Deno.test("preparePlan() installs both halves of semi-sync and closes the server again", () => {
  const bare = followerWith({
    semiSyncSource: { ...semiSyncSource, installed: false },
    semiSyncReplica: { ...semiSyncReplica, installed: false },
  });
  const ran = statementsOf(preparePlan(bare)).map(({ sql }) => sql);
  assert.deepEqual(ran.slice(-4), [
    "SET GLOBAL super_read_only = OFF",
    "INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'",
    "INSTALL PLUGIN rpl_semi_sync_replica SONAME 'semisync_replica.so'",
    "SET GLOBAL super_read_only = ON",
  ]);
});

Deno.test("preparePlan() leaves a server alone that is open", () => {
  assert.equal(preparePlan(followerWith({ superReadOnly: false })).kind, "refuse");
});
