/**
 * Transactions that the leader has and replication never brings to this server: it skips events with its
 * own number. It wrote them itself and lost them, to a disk that only claimed to have synced or by a copy
 * that is older than they are.
 */
import type { Effect } from "./effect.ts";
import type { Follower, State } from "./state.ts";
import type { Config, Durable, Position, ServerView } from "./types.ts";
import { addressOf, EMPTY_POSITION } from "./types.ts";
import { persisting, stayApart } from "./common.ts";

/** What a server wrote itself, which its leader has and it has not. */
export function lostOwn(
  config: Config,
  server: Pick<ServerView, "held" | "origin">,
  ofLeader: Position,
): Position {
  const missing = config.positions.subtract(ofLeader, server.held);
  return config.positions.ofOrigin(missing, server.origin);
}

/** Only being in step with an open leader counts: a candidate may lack what was acknowledged. */
export function inStepWithLeader(state: State, view: ServerView): state is Follower {
  if (!view.inStep || state.role !== "follower" || state.leader === null) return false;
  const { leader, durable } = state;
  const address = addressOf(leader.source);
  return leader.opened && leader.term === durable.term && view.receivingFrom === address &&
    durable.lastLeader?.term === leader.term;
}

/** What the leader began with and the server that is seen has not; empty without a leader. */
export function missingOf(config: Config, state: Follower, view: ServerView): Position {
  const base = state.leader?.base.position ?? EMPTY_POSITION;
  return config.positions.subtract(base, view.held);
}

/**
 * Notices what was skipped: this server read all that its leader has, and lacks some of what that one began
 * with. Both looks must have seen it in step, as one look reads the position after the set. A copy with
 * another UUID is judged anew.
 */
export function noticeSkipped<S extends State>(
  config: Config,
  state: S,
  view: ServerView,
): readonly [S | Follower, readonly Effect[]] {
  if (state.role !== "follower") return [state, []];
  const { server, invalid } = state;
  if (invalid !== null && view.origin !== server.origin) return [{ ...state, invalid: null }, []];
  if (invalid !== null || !server.inStep || !inStepWithLeader(state, view)) return [state, []];
  const missing = missingOf(config, state, view);
  return missing === EMPTY_POSITION ? [state, []] : giveUpCopy(config, state, missing);
}

/** It counts as acknowledged here: without it this node neither stands, nor votes for one that lacks it. */
export function giveUpCopy(
  config: Config,
  state: Follower,
  set: Position,
): readonly [Follower, readonly Effect[]] {
  const [bound, written] = promise(config, state, set);
  const [apart, effects] = stayApart(bound);
  return [{ ...apart, invalid: { kind: "lost", set } }, [...written, ...effects]];
}

function promise(
  config: Config,
  state: Follower,
  lost: Position,
): readonly [Follower, readonly Effect[]] {
  const { promised } = state.durable;
  if (config.positions.contains(promised, lost)) return [state, []];
  const durable: Durable = {
    ...state.durable,
    promised: config.positions.union(promised, lost),
  };
  return [{ ...state, durable }, [persisting(durable)]];
}
