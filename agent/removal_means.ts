/** What the removal of a member costs a small cluster, for the operator who asked for it. */
import type { MemberChange } from "../raft/event.ts";
import { memberOf, quorumOf, voters } from "../raft/quorum.ts";
import type { Membership } from "../raft/types.ts";

/** By the list before the change: one sentence where few voters stay, none elsewhere. */
export function removalMeans(
  membership: Membership | null,
  change: MemberChange,
): readonly string[] {
  if (membership === null || change.kind !== "remove") return [];
  const votes = voters(membership).filter(({ kind }) => kind !== "leaving");
  const stay = votes.filter(({ id }) => id !== change.id);
  if (memberOf(membership, change.id) === undefined || stay.length === votes.length) return [];
  const { n, k } = quorumOf(stay.length);
  if (k > 0 || n === 0) return [];
  if (n === 1) return ["One voter is left (n=1): nothing survives its loss, and nobody takes over"];
  return [
    "Two voters are left (n=2, k=0): writes no longer wait for acknowledgements, so a loss of the " +
    "leader may lose writes, and neither can take over without the other",
  ];
}
