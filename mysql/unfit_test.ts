import assert from "node:assert/strict";
import type { ServerFacts } from "./facts.ts";
import { followerFacts, followerWith } from "./fake_server.ts";
import { type Purpose, unfit } from "./unfit.ts";

const loose = { ...followerFacts.durability, syncBinlog: 1000, flushLogAtTrxCommit: 2 };

const cases: readonly (readonly [Purpose, ServerFacts, readonly RegExp[]])[] = [
  ["lead", followerFacts, []],
  ["manage", followerWith({ gtidMode: "OFF" }), [/gtid_mode is OFF and must be ON/]],
  ["manage", followerWith({ enforceGtidConsistency: "WARN" }), [
    /enforce_gtid_consistency is WARN/,
  ]],
  ["manage", followerWith({ logBin: false }), [/log_bin is OFF/]],
  ["manage", followerWith({ logReplicaUpdates: false }), [/log_replica_updates is OFF/]],
  ["manage", followerWith({ serverId: 0 }), [/server_id is 0/]],
  ["manage", followerWith({ filters: ["Replicate_Do_DB"] }), [/Replicate_Do_DB/]],
  ["manage", followerWith({ otherChannels: ["b"] }), [/channels other than.*"b"/]],
  ["manage", followerWith({ performanceSchema: false, connectAttributesBytes: 0 }), [
    /performance_schema is OFF.*set performance_schema=ON in my\.cnf/,
  ]],
  ["manage", followerWith({ connectAttributesBytes: 0 }), [
    /attrs_size is 0.*set performance_schema_session_connect_attrs_size=512 in my\.cnf/,
  ]],
  ["manage", followerWith({ connectAttributesBytes: -1 }), []],
  ["manage", followerWith({ privileges: { account: "`x`@`%`", missing: ["PROCESS"] } }), [
    /lacks PROCESS.*GRANT PROCESS ON \*\.\* TO `x`@`%`/,
  ]],
  ["manage", followerWith({ durability: loose }), []],
  ["stand", followerWith({ durability: loose }), []],
  ["lead", followerWith({ durability: loose }), [
    /sync_binlog is 1000 and must be 1/,
    /innodb_flush_log_at_trx_commit is 2 and must be 1/,
  ]],
  [
    "lead",
    followerWith({
      semiSyncSource: { ...followerFacts.semiSyncSource, waitPoint: "AFTER_COMMIT" },
    }),
    [/wait point is AFTER_COMMIT and must be AFTER_SYNC/],
  ],
  ["manage", followerWith({ replication: { applier: "stopped", applierErrorNumber: 1062 } }), []],
  ["stand", followerWith({ replication: { applier: "stopped", applierErrorNumber: 1062 } }), [
    /error 1062/,
  ]],
  ["stand", followerWith({ replication: { delaySeconds: 3600 } }), [/delayed by 3600 s/]],
];

for (const [purpose, facts, wanted] of cases) {
  Deno.test(`unfit() for "${purpose}" answers ${wanted.join(" and ") || "nothing"}`, () => {
    const reasons = unfit(facts, purpose);
    assert.equal(reasons.length, wanted.length, reasons.join("; "));
    wanted.forEach((pattern, at) => assert.match(reasons[at] ?? "", pattern));
  });
}
