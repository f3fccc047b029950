/** A leader speaks: believe it, adopt what it says, and replicate from it when that is safe. */
import type { Effect } from "./effect.ts";
import type { Heartbeat } from "./message.ts";
import type { Ballot, Common, Follower, Unfollowable } from "./state.ts";
import type { Config, Durable, Millis, NodeId, Position } from "./types.ts";
import { EMPTY_POSITION } from "./types.ts";
import { persisting, pointAt, startBallot, stayApart, type Step, withTerm } from "./common.ts";
import { invariant } from "./invariant.ts";
import { giveUpCopy, lostOwn } from "./lost.ts";
import { memberOf } from "./quorum.ts";
import { electionTimer } from "./timing.ts";
import { isNewer, isSame } from "./list_version.ts";

export interface HeardHeartbeat {
  readonly heartbeat: Heartbeat;
  readonly from: NodeId;
  readonly request: number | null;
  readonly at: Millis;
}

/** The caller has checked that the heartbeat's term is not older than the own one. */
export function followerHeartbeat(config: Config, state: Follower, heard: HeardHeartbeat): Step {
  const { heartbeat, from, at } = heard;
  const known = state.leader;
  invariant(
    known === null || known.term !== heartbeat.term || known.id === from,
    `term ${heartbeat.term} has two leaders, ${known?.id} and ${from}`,
  );
  const [seed, electionAt] = electionTimer(config, state, at);
  const durable = adopt(state.durable, heartbeat);
  const isNew = known === null || known.term !== heartbeat.term;
  const next: Follower = {
    ...state,
    seed,
    electionAt,
    durable,
    leaderHeardAt: at,
    leader: {
      id: from,
      term: heartbeat.term,
      source: heartbeat.source,
      base: heartbeat.base,
      logEnd: heartbeat.logEnd,
      opened: heartbeat.opened,
      handover: heartbeat.handover,
    },
    invalid: isNew ? null : state.invalid,
    why: "",
  };
  const written = durable === state.durable ? [] : [persisting(durable)];
  const [after, effects] = config.witness ? [next, []] : replicate(config, next, heard);
  return [after, [...written, ...effects, ...heartbeatAnswer(config, after as Follower, heard)]];
}

/** Takes over term and member list; returns the same object when there is nothing new. */
function adopt(durable: Durable, heartbeat: Heartbeat): Durable {
  let next = withTerm(durable, heartbeat.term);
  const [theirs, mine] = [heartbeat.membership, next.membership];
  const settled = mine?.unsettled === true && !theirs.unsettled && isSame(theirs, mine);
  if (isNewer(theirs, mine) || settled) next = { ...next, membership: theirs };
  return next.founding === null || next.membership === null ? next : { ...next, founding: null };
}

/** Decides what to replicate from, and freezes first where the leader is new. */
function replicate(config: Config, state: Follower, heard: HeardHeartbeat): Step {
  const { heartbeat, from, at } = heard;
  if (memberOf(state.durable.membership, config.id) === undefined) {
    const [apart, effects] = stayApart(state);
    return [{ ...apart, why: "I was removed from the cluster" }, effects];
  }
  if (state.ballot !== null || repointedAlready(config, state, heartbeat)) return [state, []];
  if (state.durable.lastLeader?.term === heartbeat.term) {
    // What it was seen to lack while it followed does not come by following.
    return state.invalid === null ? followLeader(config, state, heard) : [state, []];
  }
  // A new leader: the receiver stops before extra transactions are looked for, once a term.
  if (state.frozen !== null || pointedAlready(config, state, heard)) {
    return judge(config, state, heard);
  }
  if (state.server.health !== "alive") return [{ ...state, why: "my server is not alive" }, []];
  const ballot: Ballot = {
    op: 0,
    request: null,
    asked: { kind: "follow", heartbeat, from },
    next: null,
  };
  return startBallot(config, state, { ballot, at, persist: false });
}

/**
 * The receiver reads from the new leader already, since a vote or a hand-over. Stopping it now could
 * cut off the acknowledgement that the leader waits for, and a lost one is never sent again.
 */
function pointedAlready(config: Config, state: Follower, heard: HeardHeartbeat): boolean {
  if (state.following?.source.id !== heard.from) return false;
  return unfollowableBy(config, state, { held: state.server.held, ...heard }) === null;
}

function unfollowableBy(
  config: Config,
  state: Follower,
  by: { readonly held: Position; readonly heartbeat: Heartbeat },
): Unfollowable | null {
  const { held, heartbeat } = by;
  const extra = extraOf(config, held, heartbeat);
  if (extra !== EMPTY_POSITION) return { kind: "extra", set: extra };
  const lost = lostOwn(config, { held, origin: state.server.origin }, heartbeat.base.position);
  return lost === EMPTY_POSITION ? null : { kind: "lost", set: lost };
}

/** What this node holds and the leader neither drained nor wrote since. */
function extraOf(config: Config, held: Position, heartbeat: Heartbeat): Position {
  const { base, membership } = heartbeat;
  const beyond = config.positions.subtract(held, base.position);
  return config.positions.withoutOrigin(beyond, base.origin, membership.cluster);
}

/** This node replicates from the candidate of a planned hand-over, as its leader asked it to. */
function repointedAlready(config: Config, state: Follower, heartbeat: Heartbeat): boolean {
  const handover = heartbeat.handover;
  return handover !== null && handover.repointed.includes(config.id) &&
    state.following?.source.id === handover.candidate.id;
}

/**
 * Looks for transactions that the leader lacks, and for own ones that only the leader has; without any,
 * its word is written down and followed.
 */
export function judge(config: Config, state: Follower, heard: HeardHeartbeat): Step {
  const { heartbeat, from } = heard;
  const held = state.frozen?.held ?? state.server.held;
  const invalid = unfollowableBy(config, state, { held, heartbeat });
  if (invalid?.kind === "extra") {
    const [apart, effects] = stayApart(state);
    return [{ ...apart, invalid, why: `leader ${from} lacks ${invalid.set}` }, effects];
  }
  if (invalid?.kind === "lost") {
    return giveUpCopy(config, state, invalid.set);
  }
  const durable: Durable = { ...state.durable, lastLeader: { term: heartbeat.term, id: from } };
  const [next, effects] = followLeader(config, { ...state, durable, invalid: null }, heard);
  return [next, [persisting(durable), ...effects]];
}

/** Follows the leader, or the candidate that it is about to hand over to. */
function followLeader(config: Config, state: Follower, heard: HeardHeartbeat): Step {
  const { heartbeat, from } = heard;
  const handover = heartbeat.handover;
  if (handover !== null && handover.repointed.includes(config.id)) {
    const durable: Durable = { ...state.durable, lastLeader: null };
    const to = { source: handover.candidate, term: heartbeat.term };
    const [next, effects] = pointAt(config, { ...state, durable }, to);
    return [next, [persisting(durable), ...effects]];
  }
  const to = { source: heartbeat.source, term: heartbeat.term };
  const [next, effects] = pointAt(config, state, to);
  if (state.durable.lastLeader?.id === from) return [next, effects];
  const durable: Durable = { ...state.durable, lastLeader: { term: heartbeat.term, id: from } };
  return [{ ...next, durable }, [persisting(durable), ...effects]];
}

function heartbeatAnswer(
  config: Config,
  state: Follower,
  heard: HeardHeartbeat,
): readonly Effect[] {
  if (heard.request === null) return [];
  return [heartbeatReply(config, state, { ...heard, request: heard.request, refused: null })];
}

/** The answer to a heartbeat, from any role. */
export function heartbeatReply(
  config: Config,
  state: Common & { readonly invalid?: Unfollowable | null },
  heard: HeardHeartbeat & { readonly request: number; readonly refused: string | null },
): Effect {
  const { server, durable } = state;
  return {
    kind: "reply",
    request: heard.request,
    message: {
      kind: "heartbeatReply",
      term: durable.term,
      sentAt: heard.heartbeat.sentAt,
      listTerm: durable.membership?.term ?? 0,
      epoch: durable.membership?.epoch ?? 0,
      refused: heard.refused,
      held: server.held,
      errant: server.errant,
      unfit: unfitNow(state),
      receivingFrom: server.receivingFrom,
      inStep: server.inStep,
      unapplied: server.unapplied,
      acknowledges: state.following?.acknowledge ?? false,
      source: config.source,
    },
  };
}

/** Why this node could not lead; null when it could. */
export function unfitNow(
  state: Common & { readonly invalid?: Unfollowable | null },
): string | null {
  const { durable, server, invalid } = state;
  if (durable.disabled) return "it is disabled by an operator";
  if (invalid !== undefined && invalid !== null) {
    return invalid.kind === "extra"
      ? `it holds ${invalid.set}, which the leader lacks`
      : `it lacks ${invalid.set}, written under its own server_id`;
  }
  return durable.uncertain ?? server.unfit;
}
