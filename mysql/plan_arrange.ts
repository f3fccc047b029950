/** How many acknowledgements an open leader asks for, changed while it serves. */

import { dialectOfFacts, type ServerFacts } from "./facts.ts";
import { type Plan, refuse, run, type Statement, statement } from "./plan.ts";

/** Practically for ever: 49 days. The greatest value that every version takes. */
const semiSyncTimeoutMs = 4_294_967_295;

/**
 * Brings semi-sync of an open leader to k acknowledgements. k = 0 switches it off, which tells commits that
 * wait "committed": only where the stored membership says so.
 */
export function arrangeAcknowledgements(facts: ServerFacts, k: number): Plan {
  if (facts.readOnly || facts.superReadOnly) {
    return refuse("the server is not open: only an open leader arranges acknowledgements");
  }
  const names = dialectOfFacts(facts).semiSyncSource;
  const seen = facts.semiSyncSource;
  if (k === 0) {
    if (!seen.enabled) return run();
    return run(statement(`SET GLOBAL ${names.enabled} = OFF`, "switch semi-sync source off"));
  }
  if (!seen.installed) return refuse("the source half of semi-sync is not installed");
  const statements: Statement[] = [];
  const set = (name: string, value: string | number, what: string) =>
    statements.push(statement(`SET GLOBAL ${name} = ${value}`, what));
  if (seen.timeoutMs !== semiSyncTimeoutMs) {
    set(names.timeout, semiSyncTimeoutMs, "let commits wait without limit");
  }
  if (!seen.waitNoReplica) set(names.waitNoReplica, "ON", "let commits wait also without replicas");
  if (seen.waitForCount !== k) set(names.waitCount, k, `ask for ${k} acknowledgements`);
  if (!seen.enabled || !seen.status) set(names.enabled, "ON", "switch semi-sync source on");
  return run(...statements);
}

/** Where the version digit of a UUID stands. */
const versionAt = 14;

/**
 * The UUID under which a server commits empty transactions that are no term markers: its own, with the high
 * bit of the version digit turned over. Numbers of the own UUID are given out by the server meanwhile.
 */
export function purposeUuid(serverUuid: string): string {
  const digit = Number.parseInt(serverUuid.charAt(versionAt), 16) ^ 8;
  return serverUuid.slice(0, versionAt) + digit.toString(16) + serverUuid.slice(versionAt + 1);
}
