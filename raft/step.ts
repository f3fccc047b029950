/**
 * The whole protocol as one pure function from (config, state, event) to (state, effects). It decides who
 * leads, who may vote and when a server must be closed, and nothing else may change a node's mind. It
 * refuses to know MySQL, clocks, sockets, disks and dice: they come in as events or go out as effects.
 */
import type { Event, OperationDone } from "./event.ts";
import type { Follower, State } from "./state.ts";
import type { Config, Durable, Millis, ServerView } from "./types.ts";
import { EMPTY_POSITION, UNSEEN_SERVER } from "./types.ts";
import { ballotFrozen } from "./ballot.ts";
import { candidateFrozen, candidateTick, giveWay } from "./candidate.ts";
import { checkState } from "./check.ts";
import { persisting, settleWish, type Step, toFollower } from "./common.ts";
import { followerTick, leaderGone } from "./follower.ts";
import { leaveClosed } from "./handover.ts";
import { unreachable } from "./invariant.ts";
import { closeServer, leaderOperation, leaderServer, leaderTick, leaseLost } from "./leader.ts";
import { inStepWithLeader, missingOf, noticeSkipped } from "./lost.ts";
import { notHandedOver, wished } from "./operator.ts";
import { received } from "./received.ts";
import { runSeen, sameRun } from "./restart.ts";
import { successionReady, successionTick } from "./succession.ts";

export { nextDeadline } from "./timing.ts";

/** The first state of a process. The server may be open: it is closed before anything is said. */
export function start(
  config: Config,
  durable: Durable,
  begin: { readonly at: Millis; readonly seed: number },
): Step {
  const blank: Follower = {
    durable,
    server: UNSEEN_SERVER,
    seed: begin.seed,
    op: 0,
    frozen: null,
    following: null,
    succession: null,
    gone: {},
    leaderHeardAt: null,
    wish: null,
    why: "starting",
    role: "follower",
    leader: null,
    invalid: null,
    electionAt: begin.at,
    ballot: null,
  };
  if (config.witness) return [toFollower(config, blank, { at: begin.at, why: "started" }), []];
  return closeServer(blank, { why: "the agent starts" });
}

/** Advances the node by one event. */
export function step(config: Config, state: State, event: Event): Step {
  const [before, closing] = watchLease(config, state, event.at);
  const [next, effects] = dispatch(config, before, event);
  const [last, more] = watchWish(config, next, event.at);
  checkState(config, state, last);
  return [last, [...closing, ...effects, ...more]];
}

/** A leader looks at its lease before anything else: it may have been frozen for a minute. */
function watchLease(config: Config, state: State, at: Millis): Step {
  if (state.role !== "leader") return [state, []];
  const lost = leaseLost(config, state, at);
  return lost === null ? [state, []] : closeServer(state, { why: lost });
}

/** An operator does not wait for ever. */
function watchWish(config: Config, state: State, at: Millis): Step {
  if (state.wish === null || at < state.wish.giveUpAt) return [state, []];
  const refused = state.why === "" ? "it took too long" : state.why;
  if (state.wish.kind === "leave") {
    if (state.role === "leader") return leaveClosed(config, state, { at, because: refused });
    // An agent does not end before it has closed its server.
    if (state.role === "fencing") return [state, []];
  }
  return settleWish(state, { kind: state.wish.kind, refused });
}

function dispatch(config: Config, state: State, event: Event): Step {
  switch (event.kind) {
    case "tick":
      return tick(config, state, event.at);
    case "server":
      return serverSeen(config, state, event);
    case "received":
      return received(config, state, event);
    case "peerGone": {
      const known: State = { ...state, gone: { ...state.gone, [event.peer]: event.at } };
      return known.role === "follower" && known.leader?.id === event.peer
        ? leaderGone(config, known, event.at)
        : [known, []];
    }
    case "frozen":
    case "promoted":
    case "fenced":
    case "released":
    case "closed":
    case "arranged":
    case "opFailed":
      return operationDone(config, state, event);
    case "stand":
    case "disable":
    case "enable":
    case "leave":
    case "changeMember":
      return wished(config, state, event);
    default:
      return unreachable(event);
  }
}

function tick(config: Config, state: State, at: Millis): Step {
  const [next, effects] = successionTick(config, state, at);
  const [after, more] = roleTick(config, next, at);
  return [after, [...effects, ...more]];
}

function roleTick(config: Config, state: State, at: Millis): Step {
  switch (state.role) {
    case "follower":
      return followerTick(config, state, at);
    case "candidate":
      return candidateTick(config, state, at);
    case "leader":
      return leaderTick(config, state, at);
    case "fencing":
      return [state, []];
  }
}

/** The agent looked at the server: a restart is noticed, and an open server that should be closed. */
function serverSeen(config: Config, state: State, event: Event & { kind: "server" }): Step {
  if (state.role === "leader") return leaderServer(config, state, event);
  const { view, at } = event;
  const durable = incarnationSeen(config, state, view);
  const changed = durable !== state.durable;
  const frozen = sameRun(state.frozen?.incarnation ?? null, view.incarnation) &&
      view.health === "alive" && !view.open
    ? state.frozen
    : null;
  const [noticed, noticing] = noticeSkipped(config, { ...state, durable }, view);
  const seen: State = { ...noticed, server: view, frozen };
  const written = [...(changed ? [persisting(durable)] : []), ...noticing];
  if (seen.role === "candidate" && seen.phase === "voting" && frozen === null && !view.open) {
    // What it asked the votes with holds no longer.
    const [lost, told] = giveWay(config, seen, { at, why: "my server changed during the vote" });
    return [lost, [...written, ...told]];
  }
  if (seen.role === "fencing" || !view.open || view.health === "dead") return [seen, written];
  const from = seen.role === "candidate"
    ? giveWay(config, seen, { at, why: "my server is open" })
    : [seen, []] as const;
  const [closing, effects] = closeServer(from[0], {
    why: "my server is open without a term",
  });
  return [closing, [...written, ...from[1], ...effects]];
}

/**
 * Another run of the server may have forgotten received transactions, and another server has other
 * data. Being in step with an open leader heals both: it has everything that was ever acknowledged,
 * so what this node holds then is all that it may have acknowledged and that still counts.
 */
function incarnationSeen(config: Config, state: State, view: ServerView): Durable {
  const { durable } = state;
  if (view.incarnation === null) return durable;
  const next = runSeen(config, durable, view);
  if (!inStepWithLeader(state, view)) return next;
  if (missingOf(config, state, view) !== EMPTY_POSITION) return next;
  const kept = config.positions.contains(view.held, next.promised);
  if (next.uncertain === null && kept) return next;
  return { ...next, uncertain: null, promised: view.held };
}

function operationDone(config: Config, state: State, event: OperationDone): Step {
  switch (state.role) {
    case "follower":
      return ballotFrozen(config, state, event);
    case "candidate":
      return candidateFrozen(config, state, event);
    case "leader":
      return leaderOperation(config, state, event);
    case "fencing": {
      if (event.op !== state.fenceOp) return [state, []];
      if (event.kind === "released") {
        return successionReady(config, { ...state, released: true }, event.at);
      }
      if (event.kind !== "fenced") {
        const why = event.kind === "opFailed" ? event.because : "the server changed meanwhile";
        return closeServer(state, { why });
      }
      const closed: State = { ...state, server: { ...state.server, open: false, writable: false } };
      const next = toFollower(config, closed, { at: event.at, why: state.because });
      // Whoever waits to leave stays until a successor was named, and leads, or there is none.
      const [settled, answers] = next.succession === null ? notHandedOver(next) : [next, []];
      const [after, effects] = successionReady(config, settled, event.at);
      return [after, [...answers, ...effects]];
    }
  }
}
