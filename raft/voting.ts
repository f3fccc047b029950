/** Giving a vote: pre-vote, the durable term, the frozen server, the comparison, the durable vote. */
import type { Effect } from "./effect.ts";
import type { Envelope, PreVote, Vote } from "./message.ts";
import type { Ballot, Follower, State } from "./state.ts";
import type { Config, Durable, Membership, Millis, NodeId, Position } from "./types.ts";
import { campaign } from "./candidate.ts";
import {
  persisting,
  pointAt,
  refuseVote,
  silence,
  startBallot,
  type Step,
  withTerm,
} from "./common.ts";
import { electionTimer } from "./timing.ts";
import { candidateRefusal, dataRefusal, grantOf, liveLeader, voterRefusal } from "./vote.ts";
import { isNewer } from "./list_version.ts";

/** Answers a pre-vote: stops nothing, promises nothing. */
export function answerPreVote(
  config: Config,
  state: State,
  asked: { readonly envelope: Envelope; readonly ask: PreVote; readonly at: Millis },
): string | null {
  const { envelope, ask, at } = asked;
  const durable = withList(state.durable, ask.membership);
  if (ask.term <= durable.term) return `my term is ${durable.term} already`;
  const cluster = envelope.cluster ?? "";
  const candidate = { id: envelope.from, member: envelope.member, list: ask.membership };
  return voterRefusal(config, durable) ??
    candidateRefusal(durable, candidate) ??
    liveLeader(config, state, at) ??
    dataRefusal(config, cluster, { candidate: ask.held, promised: durable.promised });
}

/**
 * The newer of two member lists decides who has a vote: a node may hear of its own vote only from the
 * candidate that needs it. The list is stored with the vote.
 */
function withList(durable: Durable, theirs: Membership): Durable {
  const mine = durable.membership;
  const newer = mine !== null && theirs.cluster === mine.cluster && isNewer(theirs, mine);
  return newer ? { ...durable, membership: theirs } : durable;
}

/** A vote is asked for. The term is written down first, then the server is frozen, then it is compared. */
export function followerVote(
  config: Config,
  state: Follower,
  asked: {
    readonly envelope: Envelope;
    readonly vote: Vote;
    readonly request: number;
    readonly at: Millis;
  },
): Step {
  const { envelope, vote, request, at } = asked;
  const refused = voteRefusal(config, state, asked);
  if (refused !== null) {
    const next = standSoonIfAhead(config, state, { held: vote.held, at });
    return [next, [refuseVote(state, { request, term: vote.term, refused })]];
  }
  const ask = { request, from: envelope.from, vote };
  if (state.ballot?.asked.kind === "resign") {
    return [{ ...state, ballot: { ...state.ballot, next: ask } }, []];
  }
  if (state.ballot !== null) {
    return [state, [
      refuseVote(state, { request, term: vote.term, refused: "I am busy with another vote" }),
    ]];
  }
  if (config.witness || state.frozen !== null) return decideVote(config, state, { ...ask, at });
  const durable = withTerm(state.durable, vote.term);
  const ballot: Ballot = {
    op: 0,
    request,
    asked: { kind: "vote", from: envelope.from, vote },
    next: null,
  };
  return startBallot(config, { ...state, durable }, {
    ballot,
    at,
    persist: durable !== state.durable,
  });
}

/** Whoever asks lacks what this follower has: it must stand itself, and soon. */
export function standSoonIfAhead(
  config: Config,
  state: State,
  asked: { readonly held: Position; readonly at: Millis },
): State {
  const { held, at } = asked;
  if (state.role !== "follower" || state.ballot !== null) return state;
  if (liveLeader(config, state, at) !== null) return state;
  const { positions } = config;
  const mine = positions.union(state.durable.promised, state.server.held);
  const ahead = mine !== held && positions.contains(mine, held);
  return ahead ? { ...state, electionAt: Math.min(state.electionAt, at) } : state;
}

function voteRefusal(
  config: Config,
  state: Follower,
  asked: { readonly envelope: Envelope; readonly vote: Vote; readonly at: Millis },
): string | null {
  const { envelope, vote, at } = asked;
  const durable = withList(state.durable, vote.membership);
  if (vote.term < durable.term) return `my term is ${durable.term} already`;
  if (
    vote.term === durable.term && durable.votedFor !== null && durable.votedFor !== envelope.from
  ) {
    return `I voted for ${durable.votedFor} in term ${durable.term}`;
  }
  if (vote.term === durable.term && state.leader?.term === vote.term) {
    return `term ${vote.term} has leader ${state.leader.id}`;
  }
  const candidate = { id: envelope.from, member: envelope.member, list: vote.membership };
  return voterRefusal(config, durable) ??
    candidateRefusal(durable, candidate) ??
    (handedOver(state, vote) ? null : liveLeader(config, state, at)) ??
    // Known already to be hopeless: do not freeze for it.
    dataRefusal(config, envelope.cluster ?? "", {
      candidate: vote.held,
      promised: durable.promised,
    });
}

/** The leader that is still heard closed its server and named this successor: nobody is disturbed. */
function handedOver({ leader }: Follower, vote: Vote): boolean {
  return vote.consented && vote.term === (leader?.term ?? 0) + 1;
}

/** Compares, writes the vote down, says it, and points the receiver at the likely winner. */
export function decideVote(
  config: Config,
  state: Follower,
  ask: {
    readonly request: number;
    readonly from: NodeId;
    readonly vote: Vote;
    readonly at: Millis;
  },
): Step {
  const { vote, from, request, at } = ask;
  const { positions } = config;
  // Switched off, or taken out, while the server was being frozen.
  const noVote = voterRefusal(config, withList(state.durable, vote.membership));
  if (noVote !== null) {
    return [state, [refuseVote(state, { request, term: vote.term, refused: noVote })]];
  }
  const termed = withTerm(state.durable, vote.term);
  if (vote.term < termed.term || (termed.votedFor !== null && termed.votedFor !== from)) {
    const because = `I voted for ${termed.votedFor ?? "nobody"} in term ${termed.term}`;
    return [state, [refuseVote(state, { request, term: vote.term, refused: because })]];
  }
  if (state.leader?.term === vote.term) {
    const refused = `term ${vote.term} has leader ${state.leader.id}`;
    return [state, [refuseVote(state, { request, term: vote.term, refused })]];
  }
  const held = config.witness ? termed.promised : state.frozen?.held ?? state.server.held;
  const promised = positions.union(termed.promised, held);
  const refused = dataRefusal(config, vote.membership.cluster, { candidate: vote.held, promised });
  const [seed, electionAt] = electionTimer(config, state, at);
  if (refused !== null) {
    const ahead = positions.contains(promised, vote.held);
    const durable: Durable = { ...termed, promised };
    const next: Follower = { ...state, durable, seed, electionAt, leader: null, why: refused };
    const effects: Effect[] = [
      persisting(durable),
      refuseVote(next, { request, term: vote.term, refused }),
    ];
    if (!ahead) return [next, effects];
    // Strictly ahead: the vote is not given away, so this node must stand itself, at once.
    const [after, more] = campaign(config, next, { at, ask: false });
    return [after, [...effects, ...more]];
  }
  return grant(config, { ...state, seed, electionAt }, { ...ask, durable: termed, promised, held });
}

function grant(
  config: Config,
  state: Follower,
  ask: {
    readonly request: number;
    readonly from: NodeId;
    readonly vote: Vote;
    readonly at: Millis;
    readonly durable: Durable;
    readonly promised: Durable["promised"];
    readonly held: Durable["promised"];
  },
): Step {
  const { vote, from, request, at, held } = ask;
  const granted = grantOf(ask.durable, from, vote);
  const durable: Durable = {
    ...withList(ask.durable, vote.membership),
    votedFor: from,
    promised: ask.promised,
    // The receiver may follow the candidate from now on: until a leader speaks, this is ambiguous.
    lastLeader: null,
  };
  const leaderSilentMs = state.leaderHeardAt === null ? null : silence(state, at);
  const message = {
    kind: "voteReply",
    term: vote.term,
    granted,
    refused: null,
    termOfVoter: durable.term,
    held,
    membership: null,
    leaderSilentMs,
  } as const;
  const voted: Follower = {
    ...state,
    durable,
    leader: null,
    invalid: null,
    why: `voted for ${from}`,
  };
  const effects: Effect[] = [persisting(durable), { kind: "reply", request, message }];
  const early = !vote.errant && config.positions.contains(vote.held, held);
  if (config.witness || !early) return [voted, effects];
  // Begun now, the connection is up before the winner needs its first acknowledgement.
  const [pointed, more] = pointAt(config, voted, { source: vote.source, term: vote.term });
  return [pointed, [...effects, ...more]];
}
