/** What an open leader is held to while it serves: the settings that its promotion verified. */

import type { ServerFacts } from "./facts.ts";
import { durable, installSource, semiSync } from "./leader_settings.ts";
import { type Plan, refuse, run } from "./plan.ts";

/**
 * Brings an open leader back to k acknowledgements and to durable commits. k = 0 switches semi-sync off,
 * which tells commits that wait "committed": only where the stored membership says so. Null leaves
 * semi-sync as it is.
 */
export function arrangeLeader(facts: ServerFacts, k: number | null): Plan {
  if (facts.readOnly || facts.superReadOnly) {
    return refuse("the server is not open: only an open leader arranges its settings");
  }
  // Each statement has little time: without acknowledgements every moment counts.
  const install = k === null || k === 0 ? [] : installSource(facts, "quick");
  return run(...install, ...(k === null ? [] : semiSync(facts, k)), ...durable(facts));
}

/** Are commits confirmed here before k others have them? */
export function confirmsAlone({ semiSyncSource }: ServerFacts, k: number | null): boolean {
  const { installed, enabled, status } = semiSyncSource;
  return k !== null && k > 0 && !(installed && enabled && status);
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
