/** May this node vote for that one? Every refusal is a sentence. */
import type { Vote } from "./message.ts";
import type { Common, Follower } from "./state.ts";
import type { Config, Durable, Millis, NodeId, Position } from "./types.ts";
import { canVote, memberOf } from "./quorum.ts";
import { isNewer, type ListVersion } from "./list_version.ts";

/**
 * Compares data by the marker rule: a higher term marker wins; with equal markers the candidate must
 * hold everything that the voter may have acknowledged. Superset votes alone can block each other
 * for ever; the marker, which only an opened leader can have spread, breaks the tie safely.
 */
export function dataRefusal(
  config: Config,
  cluster: string,
  sets: { readonly candidate: Position; readonly promised: Position },
): string | null {
  const { positions } = config;
  const theirs = positions.markerTerm(sets.candidate, cluster);
  const mine = positions.markerTerm(sets.promised, cluster);
  if (theirs > mine) return null;
  if (theirs < mine) return `my data is of term ${mine}, the candidate's of term ${theirs}`;
  if (positions.contains(sets.candidate, sets.promised)) return null;
  const missing = positions.subtract(sets.promised, sets.candidate);
  return `I may have acknowledged ${missing}, which the candidate lacks`;
}

/** Why this node has no vote to give at all; null when it has one. */
export function voterRefusal(config: Config, durable: Durable): string | null {
  if (durable.membership === null) return "I am in no cluster yet";
  const mine = memberOf(durable.membership, config.id);
  if (mine === undefined) return "I am not a member of this cluster";
  if (mine.member !== durable.member) return "my state file is new, I must be added again";
  if (!canVote(mine)) return `I am ${mine.kind} and have no vote`;
  if (durable.disabled) return "I am disabled by an operator";
  return null;
}

/** Why the asker cannot be voted for; null when it can. */
export function candidateRefusal(
  durable: Durable,
  candidate: { readonly id: NodeId; readonly member: string; readonly list: ListVersion },
): string | null {
  const membership = durable.membership;
  if (membership === null) return "I am in no cluster yet";
  if (isNewer(membership, candidate.list)) return `my member list is newer: ${membership.epoch}`;
  const entry = memberOf(membership, candidate.id);
  if (entry === undefined) return "the candidate is no member";
  if (entry.member !== candidate.member) return "the candidate lost its state file";
  if (entry.kind !== "voter") return `the candidate is ${entry.kind}`;
  return null;
}

/** Does a live leader stand in the way of an election? Elapsed time and refused connections decide. */
export function liveLeader(config: Config, state: Common, at: Millis): string | null {
  const leader = (state as Partial<Follower>).leader;
  if (!leader || state.leaderHeardAt === null) return null;
  const silentMs = at - state.leaderHeardAt;
  if (silentMs >= config.electionMs) return null;
  const goneAt = state.gone[leader.id];
  if (goneAt !== undefined && goneAt > state.leaderHeardAt) return null;
  return `I heard leader ${leader.id} ${Math.round(silentMs)} ms ago`;
}

/**
 * What this voter's grant is worth. A voter whose relay log may have lost acknowledged transactions
 * votes fully only for the leader it last followed, if that one knows of no later leader; any other
 * grant of it counts only when all voters granted.
 */
export function grantOf(durable: Durable, candidate: NodeId, vote: Vote): "yes" | "conditional" {
  if (durable.uncertain === null) return "yes";
  const followedIt = durable.lastLeader?.id === candidate;
  return followedIt && vote.lastLeader?.id === candidate ? "yes" : "conditional";
}
