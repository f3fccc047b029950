/** Questions that wait for the frozen server, and their answers. */
import type { Effect } from "./effect.ts";
import type { OperationDone } from "./event.ts";
import type { Ballot, Follower } from "./state.ts";
import type { Config, Millis, Position } from "./types.ts";
import { refuseVote, type Step, withWhy } from "./common.ts";
import { judge, unfitNow } from "./heartbeat.ts";
import { isFrozen } from "./restart.ts";
import { decideVote } from "./voting.ts";

/** The server is frozen (or could not be): the waiting question gets its answer. */
export function ballotFrozen(config: Config, state: Follower, event: OperationDone): Step {
  const ballot = state.ballot;
  if (ballot === null || ballot.op !== event.op) return [state, []];
  const idle: Follower = { ...state, ballot: null };
  if (!isFrozen(state, event)) {
    const because = event.kind === "opFailed" ? event.because : "the server changed meanwhile";
    return answerUnfrozen(idle, ballot, because);
  }
  const frozen = { held: event.held, incarnation: event.incarnation };
  const known: Follower = { ...idle, frozen };
  if (ballot.asked.kind === "vote") {
    const { from, vote } = ballot.asked;
    const request = ballot.request ?? 0;
    return decideVote(config, known, { from, vote, request, at: event.at });
  }
  if (ballot.asked.kind === "follow") {
    const { heartbeat, from } = ballot.asked;
    return judge(config, known, { heartbeat, from, request: null, at: event.at });
  }
  return tellResigned(config, known, { ballot, at: event.at });
}

/** Tells a resigned leader what is held here; a vote that came in meanwhile is decided after it. */
function tellResigned(
  config: Config,
  known: Follower,
  told: { readonly ballot: Ballot; readonly at: Millis },
): Step {
  const { ballot, at } = told;
  const reply = resignReply(known, ballot, { held: known.frozen?.held, unfit: unfitNow(known) });
  if (ballot.next === null) return [known, reply];
  const [after, effects] = decideVote(config, known, { ...ballot.next, at });
  return [after, [...reply, ...effects]];
}

function resignReply(
  state: Follower,
  ballot: Ballot,
  what: { readonly held: Position | undefined; readonly unfit: string | null },
): readonly Effect[] {
  if (ballot.asked.kind !== "resign" || ballot.request === null) return [];
  const { term } = ballot.asked;
  const held = what.held ?? state.server.held;
  const { unapplied } = state.server;
  const message = { kind: "resignReply", term, held, unapplied, unfit: what.unfit } as const;
  return [{ kind: "reply", request: ballot.request, message }];
}

/** The server could not be frozen: no vote, and nothing known. */
function answerUnfrozen(
  state: Follower,
  ballot: Ballot,
  reason: string,
): Step {
  const because = `I could not freeze my server: ${reason}`;
  const effects: Effect[] = [...resignReply(state, ballot, { held: undefined, unfit: because })];
  const { asked, request, next } = ballot;
  const first = asked.kind === "vote" && request !== null ? { vote: asked.vote, request } : null;
  for (const ask of [first, next]) {
    if (ask === null) continue;
    const no = { request: ask.request, term: ask.vote.term, refused: because };
    effects.push(refuseVote(state, no));
  }
  return [withWhy(state, because), effects];
}
