/**
 * A planned hand-over. Until the consent is sent every failure leaves the old leader writable; the
 * sending of the consent is the point of no return, and it comes after the durable resignation.
 */
import type { Effect } from "./effect.ts";
import type { OperationDone } from "./event.ts";
import type { Leader, LeaderHandover } from "./state.ts";
import type { VoteReply } from "./message.ts";
import type { Config, Durable, Millis, NodeId, Position } from "./types.ts";
import { addressOf, EMPTY_POSITION } from "./types.ts";
import { acknowledges, hasAnswered, replicates } from "./answers.ts";
import { persisting, settleWish, type Step, toFollower, verdict } from "./common.ts";
import { heartbeats, resign } from "./leader.ts";
import { ackers, memberOf, quorum } from "./quorum.ts";
import { isSame, storedBy } from "./list_version.ts";

/** Begins a hand-over to `candidate`, or says why not. `takeover` is the exchange to answer. */
export function beginHandover(
  config: Config,
  state: Leader,
  wanted: { readonly candidate: NodeId; readonly takeover: number | null; readonly at: Millis },
): Step {
  const { candidate, takeover, at } = wanted;
  const refused = handoverRefusal(config, state, wanted);
  if (refused !== null) return [state, answer(state, takeover, refused)];
  const handover: LeaderHandover = {
    candidate,
    stage: "pointing",
    // Whoever does not acknowledge yet is no reason to take an acknowledgement from the leader.
    repointed: ready(config, state, candidate) ? repointable(config, state, { candidate, at }) : [],
    giveUpAt: at + config.handoverMs,
    closeOp: 0,
    takeover,
  };
  const next: Leader = { ...state, handover };
  const said = { kind: "log", sentence: `handing over to ${candidate}` } as const;
  const [after, effects] = handoverView(config, next, at);
  return [after, [said, ...heartbeats(config, next, at), ...effects]];
}

/**
 * The best successor of a leader, or what keeps everybody from being one. Of several, one that is in step,
 * then one that replicates, then the one that has the least to apply, then the lowest id.
 */
export function handoverCandidate(
  config: Config,
  state: Leader,
  at: Millis,
): { readonly id: NodeId; readonly replicates: boolean } | { readonly because: string } {
  const { membership } = state.durable;
  const others = membership === null
    ? []
    : ackers(membership).map(({ id }) => id).filter((id) => id !== config.id);
  const unapplied = (id: NodeId) => state.replies[id]?.unapplied ?? 0;
  const refusals: string[] = [];
  const rank = (id: NodeId) => ready(config, state, id) ? 0 : replicates(config, state, id) ? 1 : 2;
  const best = others.toSorted((one, other) =>
    rank(one) - rank(other) || unapplied(one) - unapplied(other)
  );
  for (const id of best) {
    const refused = handoverRefusal(config, state, { candidate: id, at });
    if (refused === null) return { id, replicates: replicates(config, state, id) };
    refusals.push(refused);
  }
  return { because: [...new Set(refusals)].join("; ") || "there is no other voter with a server" };
}

function handoverRefusal(
  config: Config,
  state: Leader,
  wanted: { readonly candidate: NodeId; readonly at: Millis },
): string | null {
  const { candidate, at } = wanted;
  const { membership } = state.durable;
  if (candidate === config.id) return "I lead already";
  if (state.stage !== "leading") return "my own promotion is not complete";
  if (state.handover !== null) return `a hand-over to ${state.handover.candidate} is in progress`;
  if (state.change !== null) return `the membership change of ${state.change.target} comes first`;
  const entry = memberOf(membership, candidate);
  if (entry?.kind !== "voter") return `${candidate} is ${entry?.kind ?? "no member"}`;
  const reply = state.replies[candidate];
  if (reply === undefined || !hasAnswered(config, state, { id: candidate, at })) {
    return `${candidate} does not answer`;
  }
  // With an older list it would be elected by fewer votes than the present one asks for.
  if (membership === null || !isSame(storedBy(reply), membership)) {
    return `${candidate} has not stored the present member list yet`;
  }
  if (reply.unfit !== null) return `${candidate} cannot lead: ${reply.unfit}`;
  return errant(config, state, candidate);
}

/** Does it replicate, and has it read what was in the log when that was last looked up? */
function ready(config: Config, state: Leader, candidate: NodeId): boolean {
  return replicates(config, state, candidate) && state.replies[candidate]?.inStep === true;
}

/** Nobody is pointed at a node that has transactions of its own. */
function errant(config: Config, state: Leader, candidate: NodeId): string | null {
  const { positions } = config;
  const held = state.replies[candidate]?.held ?? EMPTY_POSITION;
  const beyond = positions.subtract(held, state.base.position);
  const cluster = state.durable.membership?.cluster ?? "";
  const extra = positions.withoutOrigin(beyond, state.base.origin, cluster);
  return extra === EMPTY_POSITION ? null : `${candidate} has transactions of its own: ${extra}`;
}

/** So many followers are moved early that k others, the candidate among them, still read from the leader. */
function repointable(
  config: Config,
  state: Leader,
  { candidate, at }: { readonly candidate: NodeId; readonly at: Millis },
): readonly NodeId[] {
  const { membership } = state.durable;
  // If the hand-over is given up, they would hold what nobody is known to have.
  if (membership === null || state.replies[candidate]?.errant !== false) return [];
  const { k } = quorum(membership);
  const others = ackers(membership).map((member) => member.id).filter((id) =>
    id !== config.id && id !== candidate && acknowledges(config, state, id) &&
    state.replies[id]?.unfit === null && hasAnswered(config, state, { id, at })
  );
  return others.slice(0, Math.max(0, others.length + 1 - k));
}

/**
 * More than this the candidate should not have to apply with the server closed: a few milliseconds' worth.
 * A candidate that cannot get there is taken up to the other number, some seconds' worth.
 */
const unappliedMax = 200;
const unappliedClosedMax = 20_000;

/**
 * Does the candidate replicate, are all followers that move early connected to it, and has it applied
 * nearly all? Then the server is closed. Both are waited for in half of the time and no longer.
 */
export function handoverView(config: Config, state: Leader, at: Millis): Step {
  const { handover } = state;
  if (handover === null || handover.stage !== "pointing") return [state, []];
  const { candidate, repointed } = handover;
  const { source, unapplied } = state.replies[candidate] ?? {};
  if (source === undefined || unapplied === undefined) return [state, []];
  if (!ready(config, state, candidate)) return [state, []];
  if (!hasAnswered(config, state, { id: candidate, at })) return [state, []];
  const late = isLate(config, handover, at);
  if (unapplied > (late ? mostClosed(state) : unappliedMax)) return [state, []];
  // Moving early only saves time, and the leader has its acknowledgements without those who move.
  const moved = repointed.every((id) =>
    state.replies[id]?.receivingFrom === addressOf(source) ||
    !hasAnswered(config, state, { id, at })
  );
  if (!moved && !late) return [state, []];
  const op = state.op + 1;
  const closing: LeaderHandover = { ...handover, stage: "closing", closeOp: op };
  return [{ ...state, op, handover: closing }, [{ kind: "close", op }]];
}

/** Half of the time is over: what only makes a hand-over shorter is no longer waited for. */
function isLate(config: Config, { giveUpAt }: LeaderHandover, at: Millis): boolean {
  return at >= giveUpAt - config.handoverMs / 2;
}

/**
 * A hand-over that does not get ready in time is given up; nothing has been stopped yet. A candidate that
 * does not replicate, or is far behind, has half of the time.
 */
export function handoverTick(config: Config, state: Leader, at: Millis): Step {
  const { handover } = state;
  if (handover === null || handover.stage !== "pointing") return [state, []];
  const because = hopeless(config, { ...state, handover }, at);
  return because === null ? [state, []] : cancel(config, state, { at, because });
}

/** An agent that stops closes its server in any case, so a successor far behind is better than none. */
function mostClosed({ wish }: Leader): number {
  return wish?.kind === "leave" ? Infinity : unappliedClosedMax;
}

function hopeless(
  config: Config,
  state: Leader & { readonly handover: LeaderHandover },
  at: Millis,
): string | null {
  const { candidate, giveUpAt } = state.handover;
  const silent = !hasAnswered(config, state, { id: candidate, at });
  // The server of an agent that stops is closed then, so it may answer again until the end.
  if (silent && (state.wish?.kind !== "leave" || at >= giveUpAt)) {
    return `${candidate} does not answer any more`;
  }
  if (!isLate(config, state.handover, at)) return null;
  if (!replicates(config, state, candidate)) return `${candidate} does not replicate from me`;
  const unapplied = state.replies[candidate]?.unapplied ?? 0;
  if (unapplied > mostClosed(state)) {
    return `${candidate} has ${unapplied} transactions to apply, and nobody could write meanwhile`;
  }
  return at < giveUpAt ? null : `${candidate} has not read all of my log yet`;
}

/** The server is closed and everything in it acknowledged: resign durably, then send the consent. */
export function handoverClosed(config: Config, state: Leader, event: OperationDone): Step {
  const { handover } = state;
  if (handover === null || handover.stage !== "closing") return [state, []];
  if (event.kind !== "closed") {
    const because = event.kind === "opFailed" ? event.because : "the close was interrupted";
    return cancel(config, state, { at: event.at, because });
  }
  const { candidate, takeover } = handover;
  const { term } = state.durable;
  const durable: Durable = votedFor(config, state, { candidate, held: event.held });
  const closed: Leader = {
    ...state,
    durable,
    frozen: { held: event.held, incarnation: event.incarnation },
    server: { ...state.server, held: event.held, open: false, writable: false },
    leaderHeardAt: event.at,
  };
  const why = `handed over to ${candidate}`;
  const vote = ownVote(durable, event.held);
  const message = { kind: "consent", term, until: event.held, vote, released: true } as const;
  return [toFollower(config, closed, { at: event.at, why }), [
    persisting(durable),
    { kind: "send", to: candidate, message },
    ...answer(closed, takeover, null),
    { kind: "log", sentence: why },
  ]];
}

/** Resigned for good, and the next term's vote given: one record for both. */
function votedFor(
  config: Config,
  state: Leader,
  to: { readonly candidate: NodeId; readonly held: Position },
): Durable {
  const { durable } = state;
  return {
    ...durable,
    resigned: durable.term,
    term: durable.term + 1,
    votedFor: to.candidate,
    promised: config.positions.union(durable.promised, to.held),
    lastLeader: null,
  };
}

function ownVote(durable: Durable, held: Position): VoteReply {
  return {
    kind: "voteReply",
    term: durable.term,
    granted: "yes",
    refused: null,
    termOfVoter: durable.term,
    held,
    membership: null,
    leaderSilentMs: 0,
  };
}

/** Nobody takes over from an agent that is told to stop: its server does not stay open without it. */
export function leaveClosed(
  config: Config,
  state: Leader,
  how: { readonly at: Millis; readonly because: string },
): Step {
  const why = `the agent stops and nobody could take over: ${how.because}`;
  return resign(config, state, { at: how.at, why });
}

function cancel(
  config: Config,
  state: Leader,
  how: { readonly at: Millis; readonly because: string },
): Step {
  const takeover = state.handover?.takeover ?? null;
  const refused = `hand-over given up, I go on leading: ${how.because}`;
  if (state.wish?.kind === "leave") return leaveClosed(config, state, how);
  const given: Leader = { ...state, handover: null, why: refused };
  const [next, answers] = settleWish(given, { kind: "disable", refused });
  return [next, [
    ...heartbeats(config, next, how.at),
    ...answers,
    ...answer(next, takeover, refused),
    { kind: "log", sentence: refused },
  ]];
}

function answer(state: Leader, takeover: number | null, refused: string | null): readonly Effect[] {
  if (takeover === null) return [];
  return [{ kind: "reply", request: takeover, message: verdict(state, refused) }];
}
