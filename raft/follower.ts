/** A node that neither leads nor stands, and what makes it stand. */
import type { Consent } from "./message.ts";
import type { Ballot, Follower } from "./state.ts";
import type { Config, Millis, NodeId } from "./types.ts";
import { campaign } from "./candidate.ts";
import { silence, startBallot, type Step, verdict } from "./common.ts";
import { unfitNow } from "./heartbeat.ts";
import { retryTimer, successionMaxMs } from "./timing.ts";

/** The timer ran out, or the leader's process is gone: stand, or say why not. */
export function followerTick(config: Config, state: Follower, at: Millis): Step {
  if (at < state.electionAt || state.ballot !== null) return [state, []];
  // A leader that was silent for so long is none, also for a node that may not stand itself.
  return campaign(config, { ...state, leader: null }, { at, ask: true });
}

/** The leader's agent refuses connections: no heartbeat will come, so the timer is cut short. */
export function leaderGone(config: Config, state: Follower, at: Millis): Step {
  if (state.leader === null || silence(state, at) < config.heartbeatMs) return [state, []];
  const [seed, soon] = retryTimer(config, state, at);
  const electionAt = Math.min(state.electionAt, at + (soon - at) / 2);
  return [{ ...state, seed, electionAt }, []];
}

/** A leader of this term gave up for good: forget it, freeze, and tell what this node holds. */
export function leaderResigned(
  config: Config,
  state: Follower,
  asked: {
    readonly term: number;
    readonly request: number;
    readonly at: Millis;
  },
): Step {
  const { term, request, at } = asked;
  // Not before the other one must have named its successor: who stands meanwhile, and wins, does not
  // know whether the virtual address is free, and waits for its lease.
  const [seed, electionAt] = retryTimer(config, state, at + successionMaxMs(config));
  const silent: Follower = { ...state, seed, electionAt, leader: null };
  const { unapplied } = state.server;
  if (state.frozen !== null || config.witness) {
    const held = state.frozen?.held ?? state.durable.promised;
    const unfit = config.witness ? "a witness holds no data" : unfitNow(state);
    const message = { kind: "resignReply", term, held, unapplied, unfit } as const;
    return [silent, [{ kind: "reply", request, message }]];
  }
  if (state.ballot !== null) {
    const message = {
      kind: "resignReply",
      term,
      held: state.server.held,
      unapplied,
      unfit: "busy",
    } as const;
    return [silent, [{ kind: "reply", request, message }]];
  }
  const ballot: Ballot = { op: 0, request, asked: { kind: "resign", term }, next: null };
  const [next, effects] = startBallot(config, silent, { ballot, at, persist: false });
  return [{ ...next, electionAt } as Follower, effects];
}

/**
 * The resigned leader names this node as its successor. Only the leader that this node follows may,
 * and only for the very next term; it waives the timer and the pre-vote, never a vote.
 */
export function consented(
  config: Config,
  state: Follower,
  asked: {
    readonly consent: Consent;
    readonly from: NodeId;
    readonly request: number | null;
    readonly at: Millis;
  },
): Step {
  const { consent, from, request, at } = asked;
  const { durable } = state;
  const followed = durable.lastLeader?.id === from && durable.lastLeader.term === consent.term;
  const because = durable.term !== consent.term
    ? `my term is ${durable.term}, the consent is for ${consent.term}`
    : followed
    ? null
    : `I do not follow ${from} in term ${consent.term}`;
  const replied = request === null
    ? []
    : [{ kind: "reply", request, message: verdict(state, because) } as const];
  if (because !== null || state.ballot !== null) return [state, replied];
  const freed: Follower = { ...state, leader: null };
  const [next, effects] = campaign(config, freed, {
    at,
    ask: false,
    until: consent.until,
    released: consent.released,
    consented: true,
    votes: consent.vote === null ? {} : { [from]: consent.vote },
  });
  return [next, [...replied, ...effects]];
}
