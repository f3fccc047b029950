/** Small moves that several roles share. */
import type { Effect, Following } from "./effect.ts";
import type { Message } from "./message.ts";
import type { Ballot, Common, Follower, State, Wish } from "./state.ts";
import type { Config, Durable, Membership, Millis, NodeId, Source } from "./types.ts";
import { EMPTY_POSITION } from "./types.ts";
import { ackers, memberOf, quorum, quorumOf, replicaOf } from "./quorum.ts";
import { electionTimer } from "./timing.ts";

/** The next state and what must be done, in order. */
export type Step = readonly [State, readonly Effect[]];

/** On disk before any effect that follows it. */
export function persisting(durable: Durable): Effect {
  return { kind: "persist", durable };
}

/** The same state with another reason in its sentence. */
export function withWhy<S extends State>(state: S, why: string): S {
  return { ...state, why };
}

/** The durable state with at least this term; a new term has no vote yet. */
export function withTerm(durable: Durable, term: number): Durable {
  return term > durable.term ? { ...durable, term, votedFor: null } : durable;
}

/** How long no leader was heard. */
export function silence(state: Common, at: Millis): Millis {
  return state.leaderHeardAt === null ? Infinity : at - state.leaderHeardAt;
}

/** Only what every role has: the rest belongs to the role that ends. */
export function commonOf(state: State): Common {
  return {
    durable: state.durable,
    server: state.server,
    seed: state.seed,
    op: state.op,
    frozen: state.frozen,
    following: state.following,
    succession: state.succession,
    gone: state.gone,
    leaderHeardAt: state.leaderHeardAt,
    wish: state.wish,
    why: state.why,
  };
}

/** Answers the operator's pending wish, if there is one of this kind. Null means that it came true. */
export function settleWish<S extends State>(
  state: S,
  end: { readonly kind: Wish["kind"]; readonly refused: string | null },
): readonly [S, readonly Effect[]] {
  if (state.wish?.kind !== end.kind) return [state, []];
  const { request } = state.wish;
  return [{ ...state, wish: null }, [{ kind: "answer", request, refused: end.refused }]];
}

/** Becomes a follower that knows no leader; the election timer starts anew unless it is given. */
export function toFollower(
  config: Config,
  state: State,
  moved: { readonly at: Millis; readonly why: string; readonly electionAt?: Millis },
): Follower {
  const [seed, timer] = electionTimer(config, state, moved.at);
  return {
    ...commonOf(state),
    seed,
    role: "follower",
    leader: null,
    invalid: null,
    electionAt: moved.electionAt ?? timer,
    ballot: null,
    why: moved.why,
  };
}

/** Stops the receiver: from now on nobody gets an acknowledgement from here. */
export function freezeOwn<S extends State>(
  state: S,
  until = EMPTY_POSITION,
): readonly [S, readonly Effect[]] {
  const op = state.op + 1;
  return [{ ...state, op, frozen: null, following: null }, [{ kind: "freeze", op, until }]];
}

/** Points the receiver at a source, unless it is there already. What was frozen may change from now on. */
export function pointAt<S extends State>(
  config: Config,
  state: S,
  to: { readonly source: Source; readonly term: number },
): readonly [S, readonly Effect[]] {
  const { membership, member, disabled } = state.durable;
  const mine = memberOf(membership, config.id);
  const waits = membership !== null && willWait(membership);
  const counts = membership !== null && ackers(membership).some(({ id }) => id === config.id);
  const acknowledge = waits && counts && mine?.member === member && !disabled;
  const replica = replicaOf(mine ?? { id: config.id });
  const following: Following = { ...to, acknowledge, replica };
  if (same(state.following, following)) return [state, []];
  return [{ ...state, following, frozen: null }, [{ kind: "follow", following }]];
}

/**
 * With k = 0 nobody waits for an acknowledgement, and the leader's half is off. A learner is about to
 * raise k: who acknowledges by then must do so before, or the commit that proves it waits for ever.
 */
function willWait(membership: Membership): boolean {
  const { n, k } = quorum(membership);
  const grows = membership.members.some((member) => member.kind === "learner");
  return k > 0 || (grows && quorumOf(n + 1).k > 0);
}

/** Replicates from nobody. */
export function stayApart<S extends State>(state: S): readonly [S, readonly Effect[]] {
  if (state.following === null) return [state, []];
  return [{ ...state, following: null }, [{ kind: "follow", following: null }]];
}

function same(left: Following | null, right: Following): boolean {
  return left !== null && left.acknowledge === right.acknowledge && left.term === right.term &&
    left.source.id === right.source.id && left.source.host === right.source.host &&
    left.source.port === right.source.port && left.replica.since === right.replica.since;
}

/** "No", with the reason, to a request for a vote. */
export function refuseVote(
  state: Common,
  no: { readonly request: number; readonly term: number; readonly refused: string },
): Effect {
  return {
    kind: "reply",
    request: no.request,
    message: {
      kind: "voteReply",
      term: no.term,
      granted: "no",
      refused: no.refused,
      termOfVoter: state.durable.term,
      held: state.frozen?.held ?? state.server.held,
      membership: state.durable.membership,
      leaderSilentMs: null,
    },
  };
}

/** A generic answer that carries what the node is and holds. */
export function verdict(state: Common, refused: string | null): Message {
  const { durable, server } = state;
  return {
    kind: "verdict",
    refused,
    held: server.held,
    member: durable.member,
    membership: durable.membership,
    founding: durable.founding,
  };
}

/** Sends one message to several nodes. */
export function toAll(ids: readonly NodeId[], message: Message): readonly Effect[] {
  return ids.map((to) => ({ kind: "send", to, message }));
}

/** Freezes the own server for a ballot, or answers at once when it is frozen already. */
export function startBallot(
  config: Config,
  state: Follower,
  opening: { readonly ballot: Ballot; readonly at: Millis; readonly persist: boolean },
): Step {
  const before = opening.persist ? [persisting(state.durable)] : [];
  const [frozenState, effects] = freezeOwn(state);
  const ballot = { ...opening.ballot, op: frozenState.op };
  // The timer stands still meanwhile; it starts anew when the ballot is over.
  const [seed, electionAt] = electionTimer(config, state, opening.at);
  return [{ ...frozenState, seed, electionAt, ballot } as Follower, [...before, ...effects]];
}
