/** Where the present member list is stored, in the leader's words. */
import type { State } from "../raft/state.ts";
import type { Config } from "../raft/types.ts";
import { isNewer, storedBy } from "../raft/list_version.ts";

/** One sentence for those that stored the list, one for those that have not yet; none elsewhere. */
export function listSpread(config: Config, state: State): readonly string[] {
  const { membership } = state.durable;
  if (state.role !== "leader" || membership === null) return [];
  const has = ({ id }: { readonly id: string }) =>
    id === config.id || !isNewer(membership, storedBy(state.replies[id as typeof config.id]));
  const ids = (stored: boolean) =>
    membership.members.filter((member) => has(member) === stored).map(({ id }) => id).join(", ");
  const missing = ids(false);
  const stored = `Member list ${membership.epoch} is stored on ${ids(true)}`;
  return missing === ""
    ? [stored]
    : [stored, `Not yet on ${missing}: it comes with the leader's next heartbeat that arrives`];
}
