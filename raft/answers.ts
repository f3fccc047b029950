/** What a leader knows of the others by their last answers. */
import type { Leader } from "./state.ts";
import type { Config, Membership, Millis, NodeId } from "./types.ts";
import { isNewer, storedBy } from "./list_version.ts";
import { addressOf } from "./types.ts";

/** Has this node answered a heartbeat that was sent within the last lease? */
export function hasAnswered(
  config: Config,
  { acks }: Leader,
  who: { readonly id: NodeId; readonly at: Millis },
): boolean {
  return who.at - (acks[who.id] ?? -Infinity) <= config.leaseMs;
}

/** Is this list, or a newer one, on its disk, as far as this leader knows? */
export function hasStored(
  config: Config,
  { replies }: Leader,
  which: { readonly id: NodeId; readonly list: Membership },
): boolean {
  const { id, list } = which;
  return id === config.id || !isNewer(list, storedBy(replies[id]));
}

/** Did it replicate from this leader? A follower that has just connected is heard of a heartbeat later. */
export function replicates(config: Config, { replies }: Leader, id: NodeId): boolean {
  return replies[id]?.receivingFrom === addressOf(config.source);
}

/** Did it replicate from this leader, told to acknowledge? A dead server stays told so. */
export function acknowledges(config: Config, state: Leader, id: NodeId): boolean {
  return replicates(config, state, id) && state.replies[id]?.acknowledges === true;
}
