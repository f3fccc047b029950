/** What operators (and a stop signal) ask of a node: stand, leave, be switched off and on again. */
import type { OperatorWish } from "./event.ts";
import type { Follower, Leader, State } from "./state.ts";
import type { Config } from "./types.ts";
import { campaign, giveWay } from "./candidate.ts";
import { changeMember } from "./change.ts";
import { persisting, pointAt, settleWish, type Step, toAll } from "./common.ts";
import { beginHandover, handoverCandidate, leaveClosed } from "./handover.ts";

/** Takes up a wish. Each is answered exactly once, now or when it came true or did not. */
export function wished(config: Config, state: State, event: OperatorWish): Step {
  const { request } = event;
  const answer = (refused: string | null) => [{ kind: "answer", request, refused } as const];
  switch (event.kind) {
    case "stand":
      return stand(config, state, event);
    case "leave":
      return leave(config, state, event);
    case "changeMember":
      if (state.role === "leader") return changeMember(config, state, event);
      return [state, answer("I do not lead; ask the leader")];
    case "disable":
      return disable(config, state, event);
    case "enable":
      return switched(config, state, { disabled: false, request });
  }
}

/**
 * Neither votes nor acknowledges any more. A leader hands over first and is switched off once its
 * successor is open; when nobody can take over it stays what it is.
 */
function disable(config: Config, state: State, event: OperatorWish): Step {
  const { request, at } = event;
  if (state.role === "candidate") {
    const [follower, answers] = giveWay(config, state, { at, why: "disabled by an operator" });
    const [next, effects] = switched(config, follower, { disabled: true, request });
    return [next, [...answers, ...effects]];
  }
  if (state.role !== "leader") return switched(config, state, { disabled: true, request });
  const refuse = (refused: string): Step => [state, [{ kind: "answer", request, refused }]];
  if (state.wish !== null) return refuse("another request is in progress");
  const found = handoverCandidate(config, state, at);
  if ("because" in found) return refuse(`it leads and nobody could take over: ${found.because}`);
  const wish = { kind: "disable", request, giveUpAt: at + 2 * config.handoverMs } as const;
  return beginHandover(config, { ...state, wish }, { candidate: found.id, takeover: null, at });
}

/** The switch is on disk before it is answered; a switched acknowledgement restarts the receiver. */
function switched(
  config: Config,
  state: State,
  to: { readonly disabled: boolean; readonly request: number },
): Step {
  const { disabled, request } = to;
  const durable = { ...state.durable, disabled };
  const next: State = { ...state, durable };
  const [pointed, effects] = next.following === null
    ? [next, []]
    : pointAt(config, next, next.following);
  return [pointed, [persisting(durable), ...effects, { kind: "answer", request, refused: null }]];
}

/** Somebody else leads and is open: a leader that waited for that may leave, or be switched off. */
export function relieved(config: Config, state: State): Step {
  if (state.wish?.kind !== "disable") {
    return settleWish(state, { kind: "leave", refused: null });
  }
  const { request } = state.wish;
  return switched(config, { ...state, wish: null }, { disabled: true, request });
}

/** This node had to close its server, or leads again: whoever waited for a hand-over is told. */
export function notHandedOver(state: State): Step {
  const closed = "nobody could take over: the server is closed";
  const [left, answers] = settleWish(state, { kind: "leave", refused: closed });
  const why = "the hand-over did not come about; it is not switched off, try again";
  const [next, more] = settleWish(left, { kind: "disable", refused: why });
  return [next, [...answers, ...more]];
}

/** "Try to become leader": through the present leader when there is one, else by an election. */
function stand(config: Config, state: State, event: OperatorWish): Step {
  const { request, at } = event;
  const answer = (refused: string | null) => [{ kind: "answer", request, refused } as const];
  if (state.role === "leader") return [state, answer(null)];
  if (state.role !== "follower") return [state, answer(`I am busy: ${state.role}`)];
  if (state.wish !== null) return [state, answer("another request is in progress")];
  const wish = { kind: "stand", request, giveUpAt: at + 2 * config.handoverMs } as const;
  const wishing: Follower = { ...state, wish };
  if (state.leader === null) return campaign(config, wishing, { at, ask: true });
  const takeover = { kind: "takeover", term: state.leader.term } as const;
  return [wishing, toAll([state.leader.id], takeover)];
}

/** The agent is told to stop: a leader hands over first. */
function leave(config: Config, state: State, event: OperatorWish): Step {
  const { request, at } = event;
  const wish = { kind: "leave", request, giveUpAt: at + config.handoverMs } as const;
  const because = "the agent is told to stop";
  const [free, told] = state.wish === null
    ? [state, []] as const
    : settleWish(state, { kind: state.wish.kind, refused: because });
  if (free.role === "fencing") return [{ ...free, wish }, told];
  if (free.role !== "leader") return [free, [...told, { kind: "answer", request, refused: null }]];
  const leaving: Leader = { ...free, wish };
  // A hand-over that is under way is as good; where it is given up, the server is closed.
  if (free.handover !== null) return [leaving, told];
  const found = handoverCandidate(config, free, at);
  const [next, effects] = "because" in found
    ? leaveClosed(config, leaving, { at, because: found.because })
    : beginHandover(config, leaving, { candidate: found.id, takeover: null, at });
  return [next, [...told, ...effects]];
}
