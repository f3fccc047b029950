/** A message came in: is it from this cluster, and what does the present role make of it? */
import type { Effect } from "./effect.ts";
import type { Event } from "./event.ts";
import type { Envelope, Heartbeat, Message, PreVote, Vote } from "./message.ts";
import type { Candidate, State } from "./state.ts";
import type { Config } from "./types.ts";
import { giveWay, preVoteAnswered, voteAnswered } from "./candidate.ts";
import { refuseVote, settleWish, type Step, verdict } from "./common.ts";
import { consented, leaderResigned } from "./follower.ts";
import { foundedAlready, founding } from "./founding.ts";
import { beginHandover } from "./handover.ts";
import { followerHeartbeat, heartbeatReply } from "./heartbeat.ts";
import { unreachable } from "./invariant.ts";
import { closeServer, heartbeatAnswered } from "./leader.ts";
import { relieved } from "./operator.ts";
import { memberOf } from "./quorum.ts";
import { resignAnswered } from "./succession.ts";
import { dataRefusal } from "./vote.ts";
import { answerPreVote, followerVote, standSoonIfAhead } from "./voting.ts";
import { isNewer } from "./list_version.ts";

type Received = Event & { readonly kind: "received" };

/** The next state and the answer, if one was waited for. */
export function received(config: Config, state: State, event: Received): Step {
  const stranger = strangerRefusal(config, state, event.envelope);
  if (stranger !== null) {
    const why: State = { ...state, why: `${event.envelope.from}: ${stranger}` };
    return [why, reply(event, verdict(state, stranger))];
  }
  const { message } = event.envelope;
  switch (message.kind) {
    case "heartbeat":
      return heartbeat(config, state, { event, message });
    case "preVote":
      return preVote(config, state, { event, message });
    case "vote":
      return vote(config, state, { event, message });
    case "resign":
    case "consent":
    case "takeover":
    case "foundingPromise":
    case "foundingRelease":
    case "foundingStore":
    case "foundingGo":
      return request(config, state, event);
    default:
      return answered(config, state, event);
  }
}

/** Another cluster, another life of a node, or a node without a cluster: what may not be listened to. */
function strangerRefusal(config: Config, state: State, envelope: Envelope): string | null {
  const { message } = envelope;
  const mine = state.durable.membership;
  if (message.kind.startsWith("founding") || message.kind === "verdict") return null;
  if (mine !== null) {
    if (envelope.cluster === mine.cluster) return null;
    return `this node belongs to cluster ${mine.cluster}, not to ${envelope.cluster}`;
  }
  const invited = message.kind === "heartbeat" &&
    memberOf(message.membership, config.id) !== undefined;
  return invited ? null : "this node is in no cluster yet";
}

function heartbeat(
  config: Config,
  state: State,
  heard: { readonly event: Received; readonly message: Heartbeat },
): Step {
  const { event, message } = heard;
  const { request, at } = event;
  const from = event.envelope.from;
  const beat = { heartbeat: message, from, request, at };
  const refuse = (refused: string): readonly Effect[] =>
    request === null ? [] : [heartbeatReply(config, state, { ...beat, request, refused })];
  if (message.term < state.durable.term) {
    return [state, refuse(`my term is ${state.durable.term} already`)];
  }
  switch (state.role) {
    case "follower": {
      return afterHeartbeat(config, followerHeartbeat(config, state, beat), message);
    }
    case "candidate": {
      const why = `${from} leads term ${message.term}`;
      const [follower, answers] = giveWay(config, state, { at, why });
      const [next, effects] = followerHeartbeat(config, follower, beat);
      return [next, [...answers, ...effects]];
    }
    case "leader": {
      if (message.term === state.durable.term) return [state, refuse("I lead this term")];
      const [next, effects] = closeServer(state, { why: `${from} leads a later term` });
      return [next, [...effects, ...refuse("I am closing my server first")]];
    }
    case "fencing":
      return [state, refuse("I am closing my server first")];
  }
}

/** Somebody else leads and is open: who waited for that hears it. */
function afterHeartbeat(
  config: Config,
  heard: Step,
  message: Heartbeat,
): Step {
  const [state, effects] = heard;
  if (!message.opened || state.durable.resigned === message.term) return heard;
  const [next, answers] = relieved(config, state);
  return [next, [...effects, ...answers]];
}

/**
 * A pre-vote. Two that ask at the same time settle it here, before anything is promised: the one with
 * the newer member list goes on, then the one with more data, with equal data the one that has less of
 * it to apply, then the lower id. A follower that is further stands itself.
 */
function preVote(
  config: Config,
  state: State,
  heard: { readonly event: Received; readonly message: PreVote },
): Step {
  const { event, message } = heard;
  const { at, envelope: { from } } = event;
  const [asked, answers] = givesWay(config, state, heard)
    ? giveWay(config, state as Candidate, { at, why: `${from} asks for the same term` })
    : [state, []];
  const refused = preVoteRefusal(config, asked, heard);
  const { term } = message;
  const { term: termOfVoter, membership: mine } = state.durable;
  const membership = mine !== null && isNewer(mine, message.membership) ? mine : null;
  const said = reply(event, { kind: "preVoteReply", term, refused, termOfVoter, membership });
  if (refused === null) return [asked, [...answers, ...said]];
  return [standSoonIfAhead(config, state, { held: message.held, at }), said];
}

function givesWay(
  config: Config,
  state: State,
  heard: { readonly event: Received; readonly message: PreVote },
): boolean {
  const { event: { envelope }, message } = heard;
  if (state.role !== "candidate" || state.phase !== "asking" || message.term < state.term) {
    return false;
  }
  // Whoever has the older member list cannot win, whatever data it holds.
  const list = state.durable.membership;
  if (isNewer(message.membership, list)) return true;
  if (list !== null && isNewer(list, message.membership)) return false;
  const cluster = envelope.cluster ?? "";
  const mine = state.server.held;
  if (dataRefusal(config, cluster, { candidate: mine, promised: message.held }) !== null) {
    return true;
  }
  const behind = dataRefusal(config, cluster, { candidate: message.held, promised: mine }) !== null;
  if (behind) return false;
  if (message.unapplied !== state.unapplied) return message.unapplied < state.unapplied;
  return envelope.from < config.id;
}

function preVoteRefusal(
  config: Config,
  state: State,
  heard: { readonly event: Received; readonly message: PreVote },
): string | null {
  const { event: { envelope, at }, message: ask } = heard;
  if (state.role === "leader") return `I lead term ${state.durable.term}`;
  if (state.role === "fencing") return "I am closing my server first";
  if (state.role === "candidate" && ask.term <= state.term) {
    return `I stand myself for term ${state.term}`;
  }
  return answerPreVote(config, state, { envelope, ask, at });
}

function vote(
  config: Config,
  state: State,
  heard: { readonly event: Received; readonly message: Vote },
): Step {
  const { event, message } = heard;
  const { request, at, envelope } = event;
  if (request === null) return [state, []];
  const refuse = (refused: string) => refuseVote(state, { request, term: message.term, refused });
  switch (state.role) {
    case "follower":
      return followerVote(config, state, { envelope, vote: message, request, at });
    case "candidate": {
      if (message.term <= state.durable.term) {
        return [state, [refuse(`I stand myself in term ${state.durable.term}`)]];
      }
      const why = `${envelope.from} stands in term ${message.term}`;
      const [follower, answers] = giveWay(config, state, { at, why });
      const [next, effects] = followerVote(config, follower, {
        envelope,
        vote: message,
        request,
        at,
      });
      return [next, [...answers, ...effects]];
    }
    case "leader":
      return [state, [refuse(`I lead term ${state.durable.term}`)]];
    case "fencing":
      return [state, [refuse("I am closing my server first")]];
  }
}

/** Requests that end in a verdict, or in a resign reply. */
function request(config: Config, state: State, event: Received): Step {
  const { envelope: { message, from }, request, at } = event;
  const refuse = (because: string): Step => [state, reply(event, verdict(state, because))];
  if (message.kind === "takeover") {
    if (state.role !== "leader") return refuse(`I do not lead: I am ${state.role}`);
    return beginHandover(config, state, { candidate: from, takeover: request, at });
  }
  if (state.role !== "follower") {
    const done = foundedAlready(state.durable, message);
    return done ? [state, reply(event, verdict(state, null))] : refuse(`I am busy: ${state.role}`);
  }
  switch (message.kind) {
    case "resign": {
      const follows = state.leader?.id === from && state.leader.term === message.term;
      if (!follows || request === null) return refuse(`I do not follow ${from}`);
      return leaderResigned(config, state, { term: message.term, request, at });
    }
    case "consent":
      return consented(config, state, { consent: message, from, request, at });
    case "foundingPromise":
    case "foundingRelease":
    case "foundingStore":
    case "foundingGo":
      return founding(config, state, { message, from, request, at });
    default:
      return [state, []];
  }
}

/** Answers to this node's own questions. Those of an earlier role or term fall through. */
function answered(config: Config, state: State, event: Received): Step {
  const { envelope: { message, from, member }, at } = event;
  switch (message.kind) {
    case "heartbeatReply":
      if (state.role !== "leader") return [state, []];
      return heartbeatAnswered(config, state, { from, member, reply: message, at });
    case "preVoteReply":
      if (state.role !== "candidate") return [state, []];
      return preVoteAnswered(config, state, { from, reply: message, at });
    case "voteReply":
      if (state.role !== "candidate") return [state, []];
      return voteAnswered(config, state, { from, member, reply: message, at });
    case "resignReply":
      return resignAnswered(config, state, { from, reply: message, at });
    case "verdict":
      // The leader refused a takeover; an accepted one ends with this node leading.
      return message.refused === null || state.role !== "follower"
        ? [state, []]
        : settleWish(state, { kind: "stand", refused: message.refused });
    case "heartbeat":
    case "preVote":
    case "vote":
    case "resign":
    case "consent":
    case "takeover":
    case "foundingPromise":
    case "foundingRelease":
    case "foundingStore":
    case "foundingGo":
      return [state, []];
    default:
      return unreachable(message);
  }
}

function reply(event: Received, message: Message): readonly Effect[] {
  return event.request === null ? [] : [{ kind: "reply", request: event.request, message }];
}
