/** Leading: opening the server, keeping the lease, and giving up in time. */
import type { Effect } from "./effect.ts";
import type { Event, OperationDone } from "./event.ts";
import type { Heartbeat, HeartbeatReply } from "./message.ts";
import type { Candidate, Fencing, Leader, State } from "./state.ts";
import type { Config, Durable, Membership, Millis, NodeId, ServerView } from "./types.ts";
import { EMPTY_POSITION, LOG_END_MS } from "./types.ts";
import { hasAnswered, replicates } from "./answers.ts";
import { commonOf, persisting, settleWish, type Step, toAll, verdict } from "./common.ts";
import { changeArranged, changeProgress } from "./change.ts";
import { handoverClosed, handoverTick, handoverView } from "./handover.ts";
import { invariant } from "./invariant.ts";
import { memberOf, otherVoters, quorum } from "./quorum.ts";
import { looseSeen } from "./restart.ts";
import { leaseEnd, successionMs } from "./timing.ts";
import { isNewer, storedBy } from "./list_version.ts";

/** Elected: the others hear it at once, and the promotion begins. */
export function becomeLeader(config: Config, state: Candidate, at: Millis): Step {
  const membership = state.durable.membership;
  invariant(
    membership !== null && state.durable.votedFor === config.id,
    "a leader voted for itself",
  );
  const held = state.frozen?.held ?? EMPTY_POSITION;
  const op = state.op + 1;
  const durable: Durable = {
    ...state.durable,
    lastLeader: { term: state.term, id: config.id },
    uncertain: null,
  };
  const granted = Object.entries(state.votes).filter(([, reply]) => reply.granted !== "no");
  const own = state.leaderHeardAt === null ? null : at - state.leaderHeardAt;
  const silences = [own, ...granted.map(([, reply]) => reply.leaderSilentMs)];
  const leader: Leader = {
    ...commonOf(state),
    durable,
    op,
    frozen: null,
    following: null,
    succession: null,
    // Its voters confirm no earlier leader any more: later on, older silences say nothing more.
    leaderHeardAt: at,
    role: "leader",
    stage: "promoting",
    since: at,
    promoteOp: op,
    base: { position: held, origin: state.server.origin },
    heartbeatAt: at + config.heartbeatMs,
    acks: Object.fromEntries(granted.map(([id]) => [id, state.askedAt])),
    replies: {},
    deafSince: null,
    handover: null,
    change: null,
    previous: [],
    why: "",
  };
  const promotion = {
    term: state.term,
    cluster: membership.cluster,
    k: quorum(membership).k,
    held,
    incarnation: state.frozen?.incarnation ?? null,
    oldLeaderSilentMs: shortest(silences),
    released: state.released,
  };
  // Only this node's own standing after a crash needs the record, so it does not hold the opening up.
  return [leader, [
    { kind: "promote", op, promotion },
    ...heartbeats(config, leader, at),
    persisting(durable),
  ]];
}

/**
 * The shortest silence; null when one of them is not known. The agent of a voter that was restarted
 * remembers no leader, and may have been the last to hear the old one.
 */
function shortest(silences: readonly (Millis | null)[]): Millis | null {
  const known = silences.filter((silence) => silence !== null);
  return known.length < silences.length ? null : Math.min(...known);
}

/** One heartbeat to every member. */
export function heartbeats(config: Config, state: Leader, at: Millis): readonly Effect[] {
  const members = state.durable.membership?.members ?? [];
  const ids = members.map((member) => member.id).filter((id) => id !== config.id);
  return ids.length === 0 ? [] : toAll(ids, heartbeat(config, state, at));
}

/** What a leader says once per heartbeat. */
export function heartbeat(config: Config, state: Leader, at: Millis): Heartbeat {
  const { handover, durable: { membership, term } } = state;
  invariant(membership !== null, "a leader has a member list");
  const candidate = handover === null ? undefined : state.replies[handover.candidate]?.source;
  return {
    kind: "heartbeat",
    term,
    membership,
    source: config.source,
    sentAt: at,
    base: state.base,
    logEnd: at - state.server.logEndAt <= LOG_END_MS ? state.server.logEnd : null,
    opened: state.stage === "leading",
    handover: handover === null || candidate === undefined
      ? null
      : { candidate, repointed: handover.repointed },
  };
}

/**
 * Runs before every event that a leader handles: a process that was frozen looks at its lease first.
 * Null while the lease holds.
 */
export function leaseLost(config: Config, state: Leader, at: Millis): string | null {
  if (at < leaseEnd(config, state.durable.membership, state.acks)) return null;
  return `no quorum answered for ${config.leaseMs} ms`;
}

/** A heartbeat where one is due, and whatever of a hand-over or a change has become late. */
export function leaderTick(config: Config, state: Leader, at: Millis): Step {
  if (at < state.heartbeatAt) return handoverTick(config, state, at);
  const next: Leader = { ...state, heartbeatAt: at + config.heartbeatMs };
  const [after, effects] = handoverTick(config, next, at);
  if (after.role !== "leader") return [after, effects];
  return [after, [...heartbeats(config, after, at), ...effects]];
}

/** A member answered: the lease grows from the sending of that round. */
export function heartbeatAnswered(
  config: Config,
  state: Leader,
  heard: {
    readonly from: NodeId;
    readonly member: string;
    readonly reply: HeartbeatReply;
    readonly at: Millis;
  },
): Step {
  const { from, member, reply, at } = heard;
  if (reply.term > state.durable.term) {
    return closeServer(state, { why: `${from} is in term ${reply.term}` });
  }
  if (memberOf(state.durable.membership, from)?.member !== member) return [state, []];
  if (isNewer(storedBy(reply), state.durable.membership)) return overtake(config, state, heard);
  const replies = { ...state.replies, [from]: reply };
  if (reply.refused !== null) return [{ ...state, replies, why: `${from}: ${reply.refused}` }, []];
  const acks = { ...state.acks, [from]: Math.max(state.acks[from] ?? -Infinity, reply.sentAt) };
  // A complaint of this member is over.
  const why = state.why.startsWith(from) ? "" : state.why;
  const heardFrom = watchDeafness(config, { ...state, replies, acks, why }, at);
  const patienceMs = (heardFrom.stage === "leading" ? 1 : openingElections) * config.electionMs;
  if (heardFrom.deafSince !== null && at - heardFrom.deafSince >= patienceMs) {
    return resign(config, heardFrom, { at, why: DEAF });
  }
  const [next, effects] = handoverView(config, heardFrom, at);
  if (next.role !== "leader") return [next, effects];
  const [after, more] = changeProgress(config, next, at);
  return [after, [...effects, ...more]];
}

/** While a leader opens, its followers are only connecting to it, which takes a busy machine a while. */
const openingElections = 4;

/** Why a leader gave up that nobody can replicate from: it should not be the first to stand again. */
export const DEAF = "no quorum can replicate from my server";

/**
 * A member stored a list that its leader could not bring to enough voters before this one was elected
 * under the list before: nobody was, or can be, elected under it. The present list takes a number
 * above it, so that this member comes back to it.
 */
function overtake(
  config: Config,
  state: Leader,
  heard: { readonly from: NodeId; readonly reply: HeartbeatReply; readonly at: Millis },
): Step {
  const { from, reply, at } = heard;
  const { membership } = state.durable;
  if (membership === null) return [state, []];
  const { term } = state.durable;
  const epoch = Math.max(membership.epoch, reply.epoch) + 1;
  const list: Membership = { ...membership, term, epoch, unsettled: true };
  const durable: Durable = { ...state.durable, membership: list };
  const next: Leader = { ...state, durable };
  const sentence = `${from} stored member list ${reply.epoch}, which too few have: ` +
    `mine is now number ${list.epoch}`;
  return [next, [
    persisting(durable),
    ...heartbeats(config, next, at),
    { kind: "log", sentence },
  ]];
}

/**
 * Commits that wait for acknowledgements are no reason to give up: another leader would wait too.
 * They are one when a quorum says that it cannot receive from here, and one of it could lead.
 */
function watchDeafness(config: Config, state: Leader, at: Millis): Leader {
  const { membership } = state.durable;
  if (membership === null || state.server.health !== "blocked") {
    return { ...state, deafSince: null };
  }
  const deaf = otherVoters(membership, config.id).filter((id) =>
    state.replies[id] !== undefined && !replicates(config, state, id) &&
    hasAnswered(config, state, { id, at })
  );
  const able = deaf.some((id) => state.replies[id]?.unfit === null);
  if (!able || deaf.length < quorum(membership).q) return { ...state, deafSince: null };
  return { ...state, deafSince: state.deafSince ?? at };
}

/** The own server was looked at. A dead, frozen or restarted one cannot lead: give up at once. */
export function leaderServer(
  config: Config,
  state: Leader,
  event: Event & { kind: "server" },
): Step {
  const { view, at } = event;
  const because = cannotLead(state, view);
  if (because !== null) return resign(config, { ...state, server: view }, { at, why: because });
  const durable = looseSeen(state.durable, view);
  const written = durable === state.durable ? [] : [persisting(durable)];
  return [{ ...state, durable, server: view }, written];
}

function cannotLead(state: Leader, view: ServerView): string | null {
  if (view.health === "dead") return "my server is dead";
  if (view.health === "hung") return "my server is hung";
  const before = state.durable.incarnation;
  const now = view.incarnation;
  if (
    before !== null && now !== null && (before.boot !== now.boot || before.process !== now.process)
  ) {
    return "my server was restarted";
  }
  if (
    state.stage === "leading" && view.health === "alive" && !view.writable &&
    state.handover === null
  ) {
    return "my server was closed by somebody else";
  }
  return null;
}

/**
 * Gives up leadership for good and looks for a successor at once. The word that this node will never
 * lead this term again is on disk before anybody hears it.
 */
export function resign(
  config: Config,
  state: Leader,
  how: { readonly at: Millis; readonly why: string },
): Step {
  const { term } = state.durable;
  const durable: Durable = { ...state.durable, resigned: term };
  const others = otherVoters(durable.membership, config.id);
  const silent = others.filter((id) => !hasAnswered(config, state, { id, at: how.at }));
  const succession = { term, replies: {}, decideAt: how.at + successionMs(config), silent };
  const resigned: Leader = { ...state, durable, succession };
  const [next, effects] = closeServer(resigned, how);
  const tell = toAll(others, { kind: "resign", term });
  return [next, [persisting(durable), ...tell, ...effects]];
}

/** Closes the server; nothing that could promise anything is answered before that is done. */
export function closeServer(
  state: State,
  how: { readonly why: string },
): Step {
  const op = state.op + 1;
  const pending = state.role === "leader" ? pendingRequests(state, how.why) : [];
  const next: Fencing = {
    ...commonOf(state),
    op,
    frozen: null,
    following: null,
    role: "fencing",
    fenceOp: op,
    released: false,
    because: how.why,
    why: how.why,
  };
  // A fence that is tried again for the same reason is not said again.
  const again = state.role === "fencing" && state.because === how.why;
  const said = { kind: "log", sentence: `closing my server: ${how.why}` } as const;
  return [next, [{ kind: "fence", op, why: how.why }, ...(again ? [] : [said]), ...pending]];
}

/** Whoever waits for this leader to do something hears that it will not. */
function pendingRequests(state: Leader, why: string): readonly Effect[] {
  const refused = `the leader gave up: ${why}`;
  const effects: Effect[] = [];
  if (state.handover?.takeover) {
    const message = verdict(state, refused);
    effects.push({ kind: "reply", request: state.handover.takeover, message });
  }
  if (state.change?.request) {
    effects.push({ kind: "answer", request: state.change.request, refused });
  }
  return effects;
}

/** The end of a promotion, of a planned close, or of a change of the acknowledgement settings. */
export function leaderOperation(config: Config, state: Leader, event: OperationDone): Step {
  if (event.op === state.promoteOp && state.stage === "promoting") {
    if (event.kind === "promoted") return opened(config, state, event.at);
    const because = event.kind === "opFailed" ? event.because : "the server changed meanwhile";
    return resign(config, state, { at: event.at, why: `the promotion failed: ${because}` });
  }
  if (event.op === state.handover?.closeOp) return handoverClosed(config, state, event);
  if (event.op === state.change?.arrangeOp) return changeArranged(config, state, event);
  return [state, []];
}

function opened(config: Config, state: Leader, at: Millis): Step {
  const server = { ...state.server, open: true, writable: true };
  const next: Leader = { ...state, stage: "leading", server };
  const tookMs = Math.round(at - state.since);
  const sentence = `leading term ${state.durable.term}, writable ${tookMs} ms after the election`;
  const [stood, told] = settleWish(next, { kind: "stand", refused: null });
  const refused = "the hand-over did not come about: I was elected again";
  const [after, more] = settleWish(stood, { kind: "disable", refused });
  const answers = [...told, ...more];
  return [after, [...heartbeats(config, next, at), { kind: "log", sentence }, ...answers]];
}
