/** Why a server cannot be managed, cannot follow or cannot lead: sentences that name the fix. */

import { applierGaveUp, type ServerFacts } from "./facts.ts";
import { privilegesLacking } from "./privileges.ts";

/**
 * What the server is wanted for; each purpose asks for all that the one before it asks for.
 *
 * "manage": be a member at all. "stand": be elected, where promotion itself mends the settings it can.
 * "lead": be open for writes now.
 */
export type Purpose = "manage" | "stand" | "lead";

/** Every reason against the purpose, empty when the server fits. */
export function unfit(facts: ServerFacts, purpose: Purpose): readonly string[] {
  const reasons = [...unmanageable(facts)];
  if (purpose !== "manage") reasons.push(...unableToStand(facts));
  if (purpose === "lead") reasons.push(...unsafeToOpen(facts));
  return reasons;
}

/**
 * Settings that must hold while a leader is open. A leader that loses its last commits in a power cut
 * would give their numbers out a second time: sets would look equal while the data differs.
 */
function unsafeToOpen(facts: ServerFacts): readonly string[] {
  const { syncBinlog, flushLogAtTrxCommit } = facts.durability;
  const reasons: string[] = [];
  if (syncBinlog !== 1) {
    reasons.push(
      `sync_binlog is ${syncBinlog} and must be 1 on a leader: SET GLOBAL sync_binlog = 1`,
    );
  }
  if (flushLogAtTrxCommit !== 1) {
    reasons.push(
      `innodb_flush_log_at_trx_commit is ${flushLogAtTrxCommit} and must be 1 on a leader: ` +
        "SET GLOBAL innodb_flush_log_at_trx_commit = 1",
    );
  }
  const source = facts.semiSyncSource;
  if (source.installed && source.waitPoint !== "AFTER_SYNC") {
    reasons.push(
      `the semi-sync wait point is ${source.waitPoint} and must be AFTER_SYNC: ` +
        `SET GLOBAL rpl_semi_sync_${source.words}_wait_point = AFTER_SYNC`,
    );
  }
  return reasons;
}

function unmanageable(facts: ServerFacts): readonly string[] {
  const reasons: string[] = [];
  if (facts.gtidMode !== "ON") {
    reasons.push(`gtid_mode is ${facts.gtidMode} and must be ON: set gtid_mode=ON in my.cnf`);
  }
  if (facts.enforceGtidConsistency !== "ON") {
    reasons.push(
      `enforce_gtid_consistency is ${facts.enforceGtidConsistency} and must be ON: ` +
        "set enforce_gtid_consistency=ON in my.cnf",
    );
  }
  if (!facts.logBin) {
    reasons.push("log_bin is OFF and must be ON: set log_bin in my.cnf and restart");
  }
  if (!facts.logReplicaUpdates) {
    reasons.push(
      "log_replica_updates is OFF and must be ON: set log_replica_updates=ON in my.cnf and restart",
    );
  }
  if (facts.serverId === 0) reasons.push("server_id is 0: give every server its own in my.cnf");
  reasons.push(...blind(facts));
  const lacking = privilegesLacking(facts.privileges);
  if (lacking !== null) reasons.push(lacking);
  if (facts.filters.length > 0) {
    reasons.push(
      `filters leave transactions out (${facts.filters.join(", ")}): remove them from my.cnf`,
    );
  }
  if (facts.otherChannels.length > 0) {
    const names = facts.otherChannels.map((name) => `"${name}"`).join(", ");
    reasons.push(`replication channels other than the default one exist (${names}): remove them`);
  }
  return reasons;
}

/** Our own attributes take 70 bytes of them, with some room for a later version. */
const attributesBytesMin = 128;

/** Sessions of a removed replica, and those of an earlier agent, are found in performance_schema only. */
function blind(facts: ServerFacts): readonly string[] {
  if (!facts.performanceSchema) {
    return [
      "performance_schema is OFF and must be ON, as sessions are found there: " +
      "set performance_schema=ON in my.cnf and restart",
    ];
  }
  const bytes = facts.connectAttributesBytes;
  if (bytes < 0 || bytes >= attributesBytesMin) return [];
  return [
    `performance_schema_session_connect_attrs_size is ${bytes} and must be ${attributesBytesMin} ` +
    "or more, as sessions of an earlier agent are known by their attributes: " +
    "set performance_schema_session_connect_attrs_size=512 in my.cnf and restart",
  ];
}

function unableToStand(facts: ServerFacts): readonly string[] {
  const replication = facts.replication;
  const reasons: string[] = [];
  if (replication !== null && applierGaveUp(replication)) {
    reasons.push(
      `the applier stopped with error ${replication.applierErrorNumber}: ` +
        "repair the replica or rebuild it",
    );
  }
  if (replication !== null && replication.delaySeconds > 0) {
    reasons.push(`the replica is delayed by ${replication.delaySeconds} s: set SOURCE_DELAY to 0`);
  }
  return reasons;
}
