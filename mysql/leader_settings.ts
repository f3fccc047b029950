/**
 * The settings that an open leader must have, as the statements for those that differ: what a promotion
 * sets before it opens, and what is put back while the leader serves.
 */

import { dialectOfFacts, type ServerFacts } from "./facts.ts";
import { type Deadline, type Statement, statement } from "./plan.ts";
import { quoteString } from "./text.ts";
import { counted } from "./counted.ts";

/** Practically for ever: 49 days. The greatest value that every version takes. */
export const semiSyncTimeoutMs = 4_294_967_295;

/** The plugin of the source half where it is missing. The server must not be super_read_only. */
export function installSource(facts: ServerFacts, deadline: Deadline): readonly Statement[] {
  if (facts.semiSyncSource.installed) return [];
  const { plugin, library } = dialectOfFacts(facts).semiSyncSource;
  const sql = `INSTALL PLUGIN ${plugin} SONAME ${quoteString(library)}`;
  const options = { deadline, allowedErrors: [1125, 1968] } as const;
  return [statement(sql, "install the source half of semi-sync", options)];
}

/** Releases all commits that wait, and keeps the server from answering for a moment: see `OwnStalls`. */
export function sourceOff(facts: ServerFacts): Statement {
  const sql = `SET GLOBAL ${dialectOfFacts(facts).semiSyncSource.enabled} = OFF`;
  return statement(sql, "switch semi-sync source off", { deadline: "thread", stalls: true });
}

/**
 * The settings of semi-sync that differ, the switch last. k = 0 is no count: the server would take it as 1.
 * A plugin that is still to be installed may find others in my.cnf, so all are set.
 */
export function semiSync(facts: ServerFacts, k: number): readonly Statement[] {
  const names = dialectOfFacts(facts).semiSyncSource;
  const seen = facts.semiSyncSource;
  const set = (name: string, value: string | number, what: string) =>
    statement(`SET GLOBAL ${name} = ${value}`, what);
  if (k === 0) {
    return seen.enabled ? [sourceOff(facts)] : [];
  }
  const statements: Statement[] = [];
  if (!seen.installed || seen.timeoutMs !== semiSyncTimeoutMs) {
    statements.push(set(names.timeout, semiSyncTimeoutMs, "let commits wait without limit"));
  }
  // It gave up waiting, and "enabled" is ON already. This switch waits again at once; to take it off and on
  // by "enabled" would release the commits that have begun to wait since the look.
  const gaveUp = seen.enabled && !seen.status;
  if (gaveUp && seen.waitNoReplica) {
    statements.push(set(names.waitNoReplica, "OFF", "touch the switch that begins to wait again"));
  }
  if (!seen.installed || !seen.waitNoReplica || gaveUp) {
    statements.push(set(names.waitNoReplica, "ON", "let commits wait also without replicas"));
  }
  if (!seen.installed || seen.waitPoint !== "AFTER_SYNC") {
    statements.push(set(names.waitPoint, "'AFTER_SYNC'", "wait before the commit is visible"));
  }
  if (!seen.installed || seen.waitForCount !== k) {
    statements.push(
      set(names.waitCount, k, `ask for ${counted(k, "acknowledgement")} of each commit`),
    );
  }
  if (!seen.enabled) {
    statements.push(set(names.enabled, "ON", "switch semi-sync source on"));
  }
  return statements;
}

/** What keeps acknowledged commits through a loss of power, where it differs. */
export function durable({ durability }: ServerFacts): readonly Statement[] {
  const statements: Statement[] = [];
  if (durability.syncBinlog !== 1) {
    statements.push(statement("SET GLOBAL sync_binlog = 1", "sync the binary log at each commit"));
  }
  if (durability.flushLogAtTrxCommit !== 1) {
    const sql = "SET GLOBAL innodb_flush_log_at_trx_commit = 1";
    statements.push(statement(sql, "flush the redo log at each commit"));
  }
  return statements;
}
