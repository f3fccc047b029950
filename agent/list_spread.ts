/** Where the present member list is stored, in the leader's words. */
import { hasStored } from "../raft/answers.ts";
import type { State } from "../raft/state.ts";
import type { Config } from "../raft/types.ts";

/** One sentence for those that stored the list, one for those that have not yet; none elsewhere. */
export function listSpread(config: Config, state: State): readonly string[] {
  const { membership } = state.durable;
  if (state.role !== "leader" || membership === null) return [];
  const ids = (stored: boolean) =>
    membership.members.map(({ id }) => id)
      .filter((id) => hasStored(config, state, { id, list: membership }) === stored).join(", ");
  const missing = ids(false);
  const stored = `Member list ${membership.epoch} is stored on ${ids(true)}`;
  return missing === ""
    ? [stored]
    : [stored, `Not yet on ${missing}: it comes with the leader's next heartbeat that arrives`];
}
