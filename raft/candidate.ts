/** Standing for election: ask, freeze, write the own vote down, collect the others'. */
import type { Effect } from "./effect.ts";
import type { OperationDone } from "./event.ts";
import type { PreVoteReply, VoteReply } from "./message.ts";
import type { Candidate, Follower, State } from "./state.ts";
import type { Config, Membership, Millis, NodeId, Position } from "./types.ts";
import { EMPTY_POSITION } from "./types.ts";
import {
  commonOf,
  freezeOwn,
  persisting,
  settleWish,
  type Step,
  toAll,
  toFollower,
  withTerm,
} from "./common.ts";
import { becomeLeader } from "./leader.ts";
import { memberOf, otherVoters, quorum, votesNeeded } from "./quorum.ts";
import { electionTimer, retryTimer } from "./timing.ts";
import { dataRefusal, voterRefusal } from "./vote.ts";
import { isFrozen } from "./restart.ts";
import { isNewer } from "./list_version.ts";

export interface Campaign {
  readonly at: Millis;
  /** Ask for pre-votes first; false with a leader's consent, or when nothing can be disturbed. */
  readonly ask: boolean;
  /** Stand only once this is received. */
  readonly until?: Position;
  readonly released?: boolean;
  /** The leader named this node as its successor. */
  readonly consented?: boolean;
  /** Votes that came with a consent; they count once the candidate's own is on disk. */
  readonly votes?: Candidate["votes"];
}

/** Stands for election, or says why not and waits for another timer. */
export function campaign(config: Config, state: Follower, how: Campaign): Step {
  const refused = standRefusal(config, state);
  const membership = state.durable.membership;
  if (refused !== null || membership === null) {
    const because = `not standing: ${refused}`;
    const [seed, electionAt] = electionTimer(config, state, how.at);
    const waiting: Follower = { ...state, seed, electionAt, why: because };
    return settleWish(waiting, { kind: "stand", refused: because });
  }
  const candidate: Candidate = {
    ...commonOf(state),
    role: "candidate",
    phase: "asking",
    term: state.durable.term + 1,
    askOp: 0,
    unapplied: state.server.unapplied,
    willing: [],
    votes: how.votes ?? {},
    consented: how.consented ?? false,
    giveUpAt: how.at + config.electionMs / 2,
    askedAt: how.at,
    released: how.released ?? false,
    why: "",
  };
  if (!how.ask || votesNeeded(membership) === 1) {
    return freeze(config, candidate, { at: how.at, until: how.until ?? EMPTY_POSITION });
  }
  const message = {
    kind: "preVote",
    term: candidate.term,
    membership,
    held: state.server.held,
    unapplied: candidate.unapplied,
  } as const;
  return [candidate, toAll(otherVoters(membership, config.id), message)];
}

/** Why this node may not stand; null when it may. */
function standRefusal(config: Config, state: State): string | null {
  const { durable, server } = state;
  const noVote = voterRefusal(config, durable);
  if (noVote !== null) return noVote;
  if (config.witness) return "a witness never stands";
  const kind = memberOf(durable.membership, config.id)?.kind;
  if (kind !== "voter") return `I am ${kind}`;
  if (durable.founding !== null) return "the founding of the cluster is not complete";
  if (server.health !== "alive") return `my server is ${server.health}`;
  if (server.unfit !== null) return server.unfit;
  // The view may be older than the freeze that raised the promise.
  const held = config.positions.union(server.held, state.frozen?.held ?? EMPTY_POSITION);
  if (!config.positions.contains(held, durable.promised)) {
    const lost = config.positions.subtract(durable.promised, held);
    return `my server lost ${lost}, which it may have acknowledged`;
  }
  return null;
}

/** A pre-vote came back. A majority of willing voters: go on. */
export function preVoteAnswered(
  config: Config,
  state: Candidate,
  heard: { readonly from: NodeId; readonly reply: PreVoteReply; readonly at: Millis },
): Step {
  const { from, reply, at } = heard;
  if (state.phase !== "asking" || reply.term !== state.term) return [state, []];
  if (reply.termOfVoter >= state.term) {
    return outdated(config, state, { ...heard, term: reply.termOfVoter });
  }
  if (reply.membership !== null && newer(reply.membership, state.durable.membership)) {
    return relisted(config, state, { from, membership: reply.membership, at });
  }
  if (reply.refused !== null) return [{ ...state, why: `${from}: ${reply.refused}` }, []];
  const willing = [...state.willing.filter((id) => id !== from), from];
  const asked: Candidate = { ...state, willing };
  const membership = state.durable.membership;
  if (membership === null || willing.length + 1 < votesNeeded(membership)) return [asked, []];
  return freeze(config, asked, { at, until: EMPTY_POSITION });
}

function freeze(
  config: Config,
  state: Candidate,
  how: { readonly at: Millis; readonly until: Position },
): Step {
  if (state.frozen !== null && config.positions.contains(state.frozen.held, how.until)) {
    return vote(config, state, how.at);
  }
  const [frozen, effects] = freezeOwn(state, how.until);
  const giveUpAt = how.at + config.electionMs;
  return [{ ...frozen, phase: "freezing", askOp: frozen.op, giveUpAt }, effects];
}

/** The own server is frozen: the vote for itself is written down, then the others are asked. */
export function candidateFrozen(config: Config, state: Candidate, event: OperationDone): Step {
  if (state.phase !== "freezing" || event.op !== state.askOp) return [state, []];
  if (!isFrozen(state, event)) {
    const because = event.kind === "opFailed" ? event.because : "the server changed meanwhile";
    return lose(config, state, { at: event.at, why: `I could not freeze my server: ${because}` });
  }
  const frozen = { held: event.held, incarnation: event.incarnation };
  return vote(config, { ...state, frozen }, event.at);
}

function vote(config: Config, state: Candidate, at: Millis): Step {
  const { durable } = state;
  const held = state.frozen?.held ?? EMPTY_POSITION;
  const membership = durable.membership;
  if (membership === null || !config.positions.contains(held, durable.promised)) {
    const why = "my server lost transactions that it may have acknowledged";
    return lose(config, state, { at, why });
  }
  const term = durable.term + 1;
  const voted = { ...durable, term, votedFor: config.id, promised: held };
  // The lease of a winner runs from here: what is left of it must be enough for a first round.
  const giveUpAt = at + Math.min(config.electionMs, config.leaseMs * 2 / 3);
  const standing: Candidate = {
    ...state,
    durable: voted,
    phase: "voting",
    term,
    giveUpAt,
    askedAt: at,
  };
  const [after, effects] = tally(config, standing, at);
  if (after.role === "leader") return [after, [persisting(voted), ...effects]];
  const message = {
    kind: "vote",
    term,
    membership,
    held,
    errant: state.server.errant,
    lastLeader: durable.lastLeader,
    consented: state.consented,
    source: config.source,
  } as const;
  return [after, [persisting(voted), ...toAll(otherVoters(membership, config.id), message)]];
}

/** A vote came back. */
export function voteAnswered(
  config: Config,
  state: Candidate,
  heard: {
    readonly from: NodeId;
    readonly member: string;
    readonly reply: VoteReply;
    readonly at: Millis;
  },
): Step {
  const { from, member, reply, at } = heard;
  if (state.phase !== "voting" || reply.term !== state.term) return [state, []];
  if (reply.membership !== null && newer(reply.membership, state.durable.membership)) {
    return relisted(config, state, { from, membership: reply.membership, at });
  }
  if (reply.termOfVoter > state.term) {
    return outdated(config, state, { ...heard, term: reply.termOfVoter });
  }
  if (memberOf(state.durable.membership, from)?.member !== member) return [state, []];
  const votes = { ...state.votes, [from]: reply };
  const why = reply.refused === null ? state.why : `${from}: ${reply.refused}`;
  return tally(config, { ...state, votes, why }, at);
}

/**
 * Counts. A conditional grant (of a voter that may have lost received transactions, or every grant
 * when this node itself may have) counts only when all voters granted.
 */
function tally(config: Config, state: Candidate, at: Millis): Step {
  const membership = state.durable.membership;
  if (membership === null) return [state, []];
  const { n } = quorum(membership);
  const needed = votesNeeded(membership);
  const grants = Object.values(state.votes).filter((reply) => reply.granted !== "no");
  const full = grants.filter((reply) => reply.granted === "yes");
  const own = state.durable;
  const certain = own.uncertain === null || own.lastLeader?.id === config.id;
  const won = grants.length + 1 >= n || (certain && full.length + 1 >= needed);
  if (!won) return [state, []];
  return becomeLeader(config, state, at);
}

/** The round took too long. */
export function candidateTick(config: Config, state: Candidate, at: Millis): Step {
  if (at < state.giveUpAt) return [state, []];
  return lose(config, state, { at, why: state.why === "" ? tooFew(state) : state.why });
}

function tooFew({ votes }: Candidate): string {
  const conditional = Object.entries(votes).filter(([, { granted }]) => granted === "conditional");
  if (conditional.length === 0) return "no majority answered";
  const names = conditional.map(([id]) => id).join(", ");
  return `the votes of ${names} count only together with all others, as a restart may have cost ` +
    "them what they received";
}

/** Somebody is further: take over the term, and try again later. */
function outdated(
  config: Config,
  state: Candidate,
  heard: { readonly from: NodeId; readonly term: number; readonly at: Millis },
): Step {
  const why = `${heard.from} is in term ${heard.term}`;
  if (heard.term <= state.durable.term) return lose(config, state, { at: heard.at, why });
  const durable = { ...state.durable, term: heard.term, votedFor: null };
  const [after, effects] = lose(config, { ...state, durable }, { at: heard.at, why });
  return [after, [persisting(durable), ...effects]];
}

/** Somebody has a newer member list: it is taken over, and the next round is held under it. */
function relisted(
  config: Config,
  state: Candidate,
  heard: { readonly from: NodeId; readonly membership: Membership; readonly at: Millis },
): Step {
  const { from, membership, at } = heard;
  // Whoever knows a list of a term knows that term: nobody takes it for a leader's that is over.
  const durable = { ...withTerm(state.durable, membership.term ?? 0), membership };
  const why = `${from} has the newer member list ${membership.epoch}`;
  const [after, effects] = lose(config, { ...state, durable }, { at, why });
  return [after, [persisting(durable), ...effects]];
}

/** Back to following, with a short timer. */
function lose(
  config: Config,
  state: Candidate,
  how: { readonly at: Millis; readonly why: string },
): Step {
  const [seed, retryAt] = retryTimer(config, state, how.at);
  const electionAt = isOutdone(config, state) ? retryAt + config.electionMs : retryAt;
  const why = `not elected: ${how.why}`;
  const next = toFollower(config, { ...state, seed }, { at: how.at, why, electionAt });
  return settleWish(next, { kind: "stand", refused: why });
}

/**
 * A voter has what this candidate lacks. Where every vote is needed only that one can win, and rounds of
 * this node would keep it a term behind for ever.
 */
function isOutdone(config: Config, state: Candidate): boolean {
  const cluster = state.durable.membership?.cluster ?? "";
  const candidate = state.frozen?.held ?? EMPTY_POSITION;
  return Object.values(state.votes).some(({ granted, held: promised }) =>
    granted === "no" && dataRefusal(config, cluster, { candidate, promised }) !== null
  );
}

/** Leaves the campaign because somebody else is heard; the operator who asked for it is told. */
export function giveWay(
  config: Config,
  state: Candidate,
  how: { readonly at: Millis; readonly why: string },
): readonly [Follower, readonly Effect[]] {
  return settleWish(toFollower(config, state, how), { kind: "stand", refused: how.why });
}

function newer(theirs: Membership, mine: Membership | null): boolean {
  return theirs.cluster === mine?.cluster && isNewer(theirs, mine);
}
