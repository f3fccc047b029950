/** One line for a state, an event, an effect. Logs, status and scenarios share these words. */
import type { Effect } from "./effect.ts";
import type { Event } from "./event.ts";
import type { Message } from "./message.ts";
import type { Leader, State, Unfollowable } from "./state.ts";
import type { Config, NodeId, Replica } from "./types.ts";
import { replicates } from "./answers.ts";
import { counted, memberOf, otherVoters, quorum, voters } from "./quorum.ts";

/** The cycle's sentence: who I am, what I do, why not more. */
export function describe(config: Config, state: State): string {
  const because = state.why === "" ? "" : `: ${state.why}`;
  const { term, membership } = state.durable;
  if (membership === null) return `In no cluster yet: waiting for "xenon cluster add"`;
  switch (state.role) {
    case "leader":
      return describeLeader(config, state) + because;
    case "candidate":
      return `Standing for term ${state.term}, ${state.phase}${because}`;
    case "fencing":
      return `Closing my server: ${state.because}`;
    case "follower": {
      const uncertain = state.durable.uncertain;
      if (state.durable.disabled) return "Disabled by an operator: I neither vote nor acknowledge";
      if (state.invalid !== null) {
        return `Not following ${state.leader?.id ?? "anybody"}: ${unfollowable(state.invalid)}; ` +
          "this copy must be replaced: xenon mysql rebuildme";
      }
      if (state.leader === null) return `No leader in term ${term}${because}`;
      if (uncertain !== null) return `Following ${state.leader.id}, uncertain: ${uncertain}`;
      return `Following ${state.leader.id} in term ${state.leader.term}${because}`;
    }
  }
}

function unfollowable({ kind, set }: Unfollowable): string {
  return kind === "extra"
    ? `only here are ${set}`
    : `my server lacks ${set}, written under its own server_id, which replication never brings back`;
}

/** A leader names who is with it, and, while it cannot open, who keeps it waiting and why. */
function describeLeader(config: Config, state: Leader): string {
  const { term, membership } = state.durable;
  if (membership === null) return `Leading term ${term}`;
  const { n, k } = quorum(membership);
  const doing = state.stage === "leading" ? "Leading" : "Opening the server for";
  const present = answering(config, state);
  const said = `${doing} term ${term}, ${present.length + 1} of ${n} voters with me`;
  if (state.server.health !== "blocked") return said;
  const others = otherVoters(membership, config.id);
  const unable = others.flatMap((id) => {
    const because = present.includes(id) ? hindrance(config, state, id) : "it does not answer";
    return because === null ? [] : [`${id}: ${because}`];
  });
  return [`${said}, writes wait for ${counted(k, "acknowledgement")}`, ...unable].join("; ");
}

/** Why a voter that answers does not acknowledge; null for one that seems to, and for a witness. */
function hindrance(config: Config, state: Leader, id: NodeId): string | null {
  if (memberOf(state.durable.membership, id)?.kind === "witness") return null;
  const reply = state.replies[id];
  if (reply === undefined || reply.unfit !== null) return reply?.unfit ?? null;
  return replicates(config, state, id) ? null : "it does not replicate from me";
}

/** The other voters that answered a recent heartbeat. */
export function answering(config: Config, state: Leader): readonly NodeId[] {
  const { membership } = state.durable;
  if (membership === null) return [];
  const lastSentAt = state.heartbeatAt - config.heartbeatMs;
  return voters(membership).map((voter) => voter.id).filter((id) =>
    id !== config.id && lastSentAt - (state.acks[id] ?? -Infinity) < config.leaseMs
  );
}

/** A state as scenarios print it. */
export function describeState(config: Config, state: State): string {
  const { term, votedFor } = state.durable;
  const where = state.role === "leader"
    ? ` ${state.stage}`
    : state.role === "candidate"
    ? ` ${state.phase}`
    : "";
  return `${state.role}${where} term=${term} voted=${votedFor ?? "-"} (${describe(config, state)})`;
}

/** An event in one line. */
export function describeEvent(event: Event): string {
  switch (event.kind) {
    case "received":
      return `received ${describeMessage(event.envelope.message)} from=${event.envelope.from}`;
    case "server":
      return `server ${event.view.health} held=${event.view.held} open=${event.view.open}`;
    default:
      return Object.entries(event).filter(([key]) => key !== "kind")
        .reduce((line, [key, value]) => `${line} ${key}=${text(value)}`, event.kind as string);
  }
}

/** An effect in one line. */
export function describeEffect(effect: Effect): string {
  switch (effect.kind) {
    case "persist": {
      const { term, votedFor, promised, membership, lastLeader } = effect.durable;
      const { disabled, resigned, uncertain, forgets } = effect.durable;
      const last = lastLeader === null ? "-" : `${lastLeader.id}/${lastLeader.term}`;
      return `persist term=${term} votedFor=${votedFor ?? "-"} promised=${promised || "-"} ` +
        `epoch=${membership?.epoch ?? 0}${membership?.unsettled ? "?" : ""} lastLeader=${last}` +
        (resigned > 0 ? ` resigned=${resigned}` : "") + (disabled ? " disabled" : "") +
        (uncertain === null ? "" : " uncertain") +
        (forgets.process === null && forgets.host === null ? "" : " loose");
    }
    case "send":
      return `send ${effect.to} ${describeMessage(effect.message)}`;
    case "reply":
      return `reply ${effect.request} ${describeMessage(effect.message)}`;
    case "follow": {
      const { following } = effect;
      if (following === null) return "follow nobody";
      const half = following.acknowledge ? "acknowledging" : "silently";
      const { source, term, replica } = following;
      return `follow ${source.id} term=${term} ${half}${sinceOf(replica)}`;
    }
    case "arrange": {
      const { op, k, cutOff, term } = effect;
      const whom = cutOff === null ? "-" : `${cutOff.id}${sinceOf(cutOff)}`;
      return `arrange op=${op} k=${k} cutOff=${whom} term=${term}`;
    }
    case "log":
      return `log ${effect.sentence}`;
    default:
      return Object.entries(effect).filter(([key]) => key !== "kind")
        .reduce((line, [key, value]) => `${line} ${key}=${text(value)}`, effect.kind as string);
  }
}

function sinceOf({ since }: Replica): string {
  return since === 0 ? "" : ` since=${since}`;
}

/** A message in one line: kind, term and what decides. */
function describeMessage(message: Message): string {
  const shown = Object.entries(message).filter(([key, value]) =>
    key !== "kind" && (typeof value !== "object" || value === null) &&
    (!["errant", "consented"].includes(key) || value === true) &&
    (key !== "unapplied" || value !== 0)
  );
  const words = shown.map(([key, value]) => `${key}=${text(value)}`);
  return [message.kind, ...words].join(" ");
}

function text(value: unknown): string {
  if (value === null || value === "") return "-";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
