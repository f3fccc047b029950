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
import { persisting, settleWish, type Step, toFollower, verdict } from "./common.ts";
import { heartbeats } from "./leader.ts";
import { ackers, memberOf, quorum } from "./quorum.ts";

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
    repointed: repointable(config, state, candidate),
    giveUpAt: at + config.handoverMs,
    closeOp: 0,
    takeover,
  };
  const next: Leader = { ...state, handover };
  const said = { kind: "log", sentence: `handing over to ${candidate}` } as const;
  const [after, effects] = handoverView(config, next, at);
  return [after, [said, ...heartbeats(config, next, at), ...effects]];
}

/** The best successor of a leader that wants to leave; null when nobody could take over. */
export function successor(config: Config, state: Leader, at: Millis): NodeId | null {
  const found = handoverCandidate(config, state, at);
  return "id" in found ? found.id : null;
}

/**
 * The best successor of a leader, or what keeps everybody from being one. Of several, the one that has
 * the least to apply, then the lowest id.
 */
export function handoverCandidate(
  config: Config,
  state: Leader,
  at: Millis,
): { readonly id: NodeId } | { readonly because: string } {
  const { membership } = state.durable;
  const others = membership === null
    ? []
    : ackers(membership).map(({ id }) => id).filter((id) => id !== config.id);
  const unapplied = (id: NodeId) => state.replies[id]?.unapplied ?? Infinity;
  const refusals: string[] = [];
  for (const id of others.toSorted((one, other) => unapplied(one) - unapplied(other))) {
    const refused = handoverRefusal(config, state, { candidate: id, at });
    if (refused === null) return { id };
    refusals.push(refused);
  }
  return { because: [...new Set(refusals)].join("; ") || "there is no other voter with a server" };
}

/** Why each of the others could not take over. */
export function noSuccessor(config: Config, state: Leader, at: Millis): string {
  const { membership } = state.durable;
  const others = membership === null ? [] : ackers(membership).filter(({ id }) => id !== config.id);
  if (others.length === 0) return "there is no other voter with a server";
  const reasons = others.map(({ id }) => handoverRefusal(config, state, { candidate: id, at }));
  return [...new Set(reasons)].join("; ");
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
  const answeredAt = state.acks[candidate] ?? -Infinity;
  if (reply === undefined || at - answeredAt > config.leaseMs) {
    return `${candidate} does not answer`;
  }
  // With an older list it would be elected by fewer votes than the present one asks for.
  if (reply.epoch !== membership?.epoch) {
    return `${candidate} has not stored the present member list yet`;
  }
  if (reply.unfit !== null) return `${candidate} cannot lead: ${reply.unfit}`;
  if (reply.receivingFrom !== addressOf(config.source)) {
    return `${candidate} does not replicate from me`;
  }
  return errant(config, state, candidate);
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

/** At most n - 1 - k followers may be moved early, so that the old leader keeps its acknowledgements. */
function repointable(config: Config, state: Leader, candidate: NodeId): readonly NodeId[] {
  const { membership } = state.durable;
  // If the hand-over is given up, they would hold what nobody is known to have.
  if (membership === null || state.replies[candidate]?.errant !== false) return [];
  const { n, k } = quorum(membership);
  const ready = ackers(membership).map((member) => member.id).filter((id) =>
    id !== config.id && id !== candidate &&
    state.replies[id]?.receivingFrom === addressOf(config.source)
  );
  return ready.slice(0, Math.max(0, n - 1 - k));
}

/**
 * More than this the candidate should not have to apply with the server closed: a few milliseconds' worth.
 */
const unappliedMax = 200;

/**
 * Are all followers that move early connected to the candidate, and has it applied nearly all? Then the
 * server is closed. A candidate that does not get there in half of the time is waited for no longer.
 */
export function handoverView(config: Config, state: Leader, at: Millis): Step {
  const { handover } = state;
  if (handover === null || handover.stage !== "pointing") return [state, []];
  const { source, unapplied } = state.replies[handover.candidate] ?? {};
  if (source === undefined || unapplied === undefined) return [state, []];
  if (unapplied > unappliedMax && at < handover.giveUpAt - config.handoverMs / 2) {
    return [state, []];
  }
  const moved = handover.repointed.every((id) =>
    state.replies[id]?.receivingFrom === addressOf(source)
  );
  if (!moved) return [state, []];
  const op = state.op + 1;
  const closing: LeaderHandover = { ...handover, stage: "closing", closeOp: op };
  return [{ ...state, op, handover: closing }, [{ kind: "close", op }]];
}

/** A hand-over that does not get ready in time is given up; nothing has been stopped yet. */
export function handoverTick(config: Config, state: Leader, at: Millis): Step {
  const { handover } = state;
  if (handover === null || handover.stage !== "pointing" || at < handover.giveUpAt) {
    return [state, []];
  }
  return cancel(config, state, {
    at,
    because: `the followers did not reach ${handover.candidate} in time`,
  });
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
    server: { ...state.server, held: event.held, open: false },
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

function cancel(
  config: Config,
  state: Leader,
  how: { readonly at: Millis; readonly because: string },
): Step {
  const takeover = state.handover?.takeover ?? null;
  const refused = `hand-over given up, I go on leading: ${how.because}`;
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
