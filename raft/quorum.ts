/**
 * The arithmetic of promise 1. `q + k >= n` lets every election see every acknowledged write;
 * `2q > n` lets no two elections of one term both win.
 */
import type { Member, Membership, NodeId, Replica } from "./types.ts";

/** n voters, q heard by an election (candidate included), k acknowledgements a commit. */
export interface Quorum {
  readonly n: number;
  readonly q: number;
  readonly k: number;
}

/** Sizes for `n` voters. n = 0 gives q = 1, so that an empty list can never elect. */
export function quorumOf(n: number): Quorum {
  const q = Math.floor(n / 2) + 1;
  return { n, q, k: Math.max(0, n - q) };
}

/** How sentences count things: "1 acknowledgement", "2 acknowledgements". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Sizes for a member list; a leaving member still votes. */
export function quorum(membership: Membership): Quorum {
  return quorumOf(voters(membership).length);
}

/**
 * Votes that an election needs. Under a list that is not settled it must also see every write of a
 * leader of the list before: that one asked for `k` of a list that may be one smaller, which an
 * election of an odd list would miss by one.
 */
export function votesNeeded(membership: Membership): number {
  const { n, q } = quorum(membership);
  return membership.unsettled === true && n % 2 === 1 ? Math.min(n, q + 1) : q;
}

/** Members with a vote. */
export function voters(membership: Membership): readonly Member[] {
  return membership.members.filter((member) => canVote(member));
}

/** Ids of the members with a vote, without `id`; none without a list. */
export function otherVoters(membership: Membership | null, id: NodeId): readonly NodeId[] {
  if (membership === null) return [];
  return voters(membership).map((voter) => voter.id).filter((voter) => voter !== id);
}

/** Members whose acknowledgement counts: who has just got its vote gives none before that is settled. */
export function ackers({ members, newVoter }: Membership): readonly Member[] {
  return members.filter(({ id, kind }) => kind === "voter" && id !== newVoter);
}

/** The membership of one node. */
export function replicaOf({ id, since = 0 }: Pick<Member, "id" | "since">): Replica {
  return { id, since };
}

/** Who may replicate from the leader: all that have a server, but for one that leaves. */
export function replicas(membership: Membership): readonly Replica[] {
  return membership.members.filter(({ kind }) => kind !== "witness" && kind !== "leaving")
    .map((member) => replicaOf(member));
}

/** A leaving member votes until the list without it is stored. */
export function canVote(member: Member): boolean {
  return member.kind === "voter" || member.kind === "witness" || member.kind === "leaving";
}

/** Do the same nodes have a vote in both lists? */
export function sameVoters(one: Membership, other: Membership): boolean {
  const ids = (list: Membership) => voters(list).map(({ id }) => id).sort().join();
  return ids(one) === ids(other);
}

/** The entry of a node, or undefined when it is no member. */
export function memberOf(membership: Membership | null, id: NodeId): Member | undefined {
  return membership?.members.find((member) => member.id === id);
}

/**
 * Could the others elect a leader without this one? Where they cannot (one or two voters), a leader
 * needs no lease: nobody can replace it behind its back.
 */
export function othersCanElect(membership: Membership): boolean {
  const { n, q } = quorum(membership);
  return n - 1 >= q;
}

/**
 * How many of the voters that answer may be lost before no election can be won any more. Negative:
 * it is impossible already.
 */
export function margin(membership: Membership, answering: number): number {
  return answering - quorum(membership).q;
}
