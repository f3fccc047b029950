/**
 * Which member is copied: a healthy follower that is least behind, never the leader while there is
 * another. Pure: what the members say of themselves comes in, a donor or all reasons go out.
 */

/** What a member says of itself; null for one that does not answer. */
export interface DonorCandidate {
  /** `host:port` of its agent. */
  readonly id: string;
  readonly seen: {
    readonly role: string;
    readonly alive: boolean;
    /** Both replication threads run. */
    readonly replicates: boolean;
    /** Null while unknown. */
    readonly secondsBehind: number | null;
    /** The original's word of its backup state; a donor sends to one joiner at a time. */
    readonly backup: string;
    readonly mysql: { readonly host: string; readonly port: number };
    readonly version: string;
    readonly executed: string;
  } | null;
}

export type DonorChoice =
  | { readonly kind: "donor"; readonly donor: DonorCandidate; readonly why: string }
  | { readonly kind: "none"; readonly problems: readonly string[] };

export interface DonorWish {
  /** Id of the node that is rebuilt. */
  readonly self: string;
  /** Named by the operator; null leaves the choice to us. */
  readonly from: string | null;
}

/** A copy from a donor that is further behind has all that to catch up with. */
const secondsBehindMax = 3_600;

/** Chooses the donor, or says of each member why it cannot be one. */
export function chooseDonor(
  candidates: readonly DonorCandidate[],
  { self, from }: DonorWish,
): DonorChoice {
  if (from === self) return none([`The node ${self} cannot be copied from itself: name another`]);
  const others = candidates.filter(({ id }) => id !== self && (from === null || id === from));
  if (others.length === 0) return none([nobody(from)]);
  const judged = others.map((candidate) => ({ candidate, problem: problemOf(candidate) }));
  const fit = judged.filter(({ problem }) => problem === null).map(({ candidate }) => candidate);
  const followers = fit.filter(({ seen }) => seen?.role !== "LEADER");
  const [best] = followers.toSorted(byPreference);
  if (best !== undefined) {
    return { kind: "donor", donor: best, why: from === null ? preferenceOf(best) : "as asked for" };
  }
  const leader = fit.find(({ seen }) => seen?.role === "LEADER");
  if (leader !== undefined) {
    const why = from === null ? "the leader, as no follower can be copied" : "as asked for";
    return { kind: "donor", donor: leader, why };
  }
  return none(judged.map(({ problem }) => problem ?? ""));
}

/** Why a member cannot be copied; null when it can. One that may be sending our copy may be busy. */
export function problemOf(
  { id, seen }: DonorCandidate,
  { maySend }: { readonly maySend: boolean } = { maySend: false },
): string | null {
  if (seen === null) return `${id} cannot be copied as its agent does not answer`;
  const say = (why: string) => `${id} cannot be copied as ${why}`;
  if (!seen.alive) return say("its MySQL does not answer");
  if (seen.role === "WITNESS") return say("it is the witness, which has no data");
  if (seen.role === "INVALID") return say("it is INVALID: it holds transactions of its own");
  if (seen.backup !== "NONE" && !maySend) return say(`it is busy: backup state ${seen.backup}`);
  if (seen.role === "LEADER") return null;
  if (!seen.replicates) return say("it does not replicate now");
  const behind = seen.secondsBehind ?? 0;
  return behind > secondsBehindMax ? say(`it is ${behind} s behind the leader`) : null;
}

/** Voters before idle ones and learners, then the least behind, then the first by name. */
function byPreference(left: DonorCandidate, right: DonorCandidate): number {
  return rankOf(left) - rankOf(right) ||
    (left.seen?.secondsBehind ?? 0) - (right.seen?.secondsBehind ?? 0) ||
    (left.id < right.id ? -1 : 1);
}

function rankOf({ seen }: DonorCandidate): number {
  return seen?.role === "FOLLOWER" ? 0 : 1;
}

function preferenceOf({ seen }: DonorCandidate): string {
  const behind = seen?.secondsBehind ?? null;
  const words = seen?.role === "FOLLOWER" ? "a healthy follower" : `a healthy ${seen?.role} node`;
  return behind === null ? words : `${words}, ${behind} s behind`;
}

function none(problems: readonly string[]): DonorChoice {
  return { kind: "none", problems };
}

function nobody(from: string | null): string {
  return from === null
    ? "There is nobody to copy: name the agent of a healthy member with --from=HOST:PORT"
    : `The donor ${from} does not answer: check --from, it is HOST:PORT of the donor's agent`;
}
