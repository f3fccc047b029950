/**
 * Whether a commit begun now would be acknowledged. While a change of an account waits for its
 * acknowledgement the server lets nobody log in, the replica that would give it neither: such a change is
 * begun only where the acknowledgement is sure to come.
 */
import type { SemiSyncSourceFacts } from "./facts.ts";
import { counted } from "./counted.ts";

/** Why a commit would wait now, with the remedy; null where enough replicas are connected. */
export function missingAcknowledgers(
  { enabled, clients, waitForCount }: Pick<
    SemiSyncSourceFacts,
    "enabled" | "clients" | "waitForCount"
  >,
): string | null {
  if (!enabled || clients >= waitForCount) return null;
  const missing = waitForCount - clients;
  return `writes wait for ${counted(waitForCount, "acknowledgement")} and ` +
    `${counted(clients, "replica is", "replicas are")} connected: ` +
    `bring ${missing === 1 ? "a follower" : `${missing} followers`} back first`;
}
