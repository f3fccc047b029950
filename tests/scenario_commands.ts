/** The commands of a story, each one event for the node that it tells about. */
import type { Event, MemberChange } from "../raft/event.ts";
import type { Message } from "../raft/message.ts";
import type { State } from "../raft/state.ts";
import type {
  Incarnation,
  MemberKind,
  Membership,
  NodeId,
  Position,
  ServerView,
  Source,
} from "../raft/types.ts";

/** The words of one command line: `heartbeat 900 from=b term=2`. */
export interface Words {
  readonly name: string;
  readonly at: number;
  readonly given: ReadonlyMap<string, string>;
}

/** Splits a command line. A word without `=` is a flag. */
export function readWords(line: string): Words {
  const [name = "", ...rest] = line.trim().split(/\s+/);
  const at = rest.find((word) => /^\d+$/.test(word));
  const pairs = rest.filter((word) => word !== at).map((word): [string, string] => {
    const [key = "", value = "yes"] = word.split(/=(.*)/s);
    return [key, value];
  });
  return { name, at: Number(at ?? 0), given: new Map(pairs) };
}

/** The event of a command, seen from `state`. Throws a RangeError for a word that is not known. */
export function toEvent(words: Words, state: State): Event {
  const { name, at } = words;
  const op = number(words, "op", state.op);
  const held = position(words, "held");
  const incarnation = run(words);
  switch (name) {
    case "tick":
      return { kind: "tick", at };
    case "server":
      return { kind: "server", at, view: view(words, state) };
    case "gone":
      return { kind: "peerGone", at, peer: id(words, "peer") };
    case "frozen":
    case "closed":
      return { kind: name, at, op, held, incarnation };
    case "promoted":
    case "fenced":
    case "arranged":
      return { kind: name, at, op };
    case "opFailed":
      return {
        kind: name,
        at,
        op,
        because: text(words, "because", "it broke").replaceAll("_", " "),
      };
    case "stand":
    case "disable":
    case "enable":
    case "leave":
      return { kind: name, at, request: number(words, "request", 1) };
    case "add":
    case "remove":
      return {
        kind: "changeMember",
        at,
        request: number(words, "request", 1),
        change: change(words),
      };
    default:
      return received(words, state);
  }
}

/** `a,b,c:witness` becomes a member list of epoch 1 (or `epoch=`). */
export function members(words: Words): Membership {
  const list = text(words, "members", "a,b,c").split(",").map((entry) => {
    const [name = "", kind = "voter"] = entry.split(":");
    return { id: name as NodeId, member: `member-${name}`, kind: kind as MemberKind };
  });
  const told = {
    cluster: "cluster",
    ...(words.given.has("listTerm") ? { term: number(words, "listTerm", 0) } : {}),
    epoch: number(words, "epoch", 1),
    members: list,
  };
  if (!words.given.has("unsettled")) return told;
  const newVoter = text(words, "newVoter", "");
  return { ...told, unsettled: true, ...(newVoter === "" ? {} : { newVoter: newVoter as NodeId }) };
}

export function sourceOf(id: string): Source {
  return { id: id as NodeId, host: id, port: 3306 };
}

export function position(words: Words, key: string): Position {
  return text(words, key, "") as Position;
}

export function number(words: Words, key: string, fallback: number): number {
  return Number(words.given.get(key) ?? fallback);
}

export function text(words: Words, key: string, fallback: string): string {
  return words.given.get(key) ?? fallback;
}

function id(words: Words, key: string): NodeId {
  return text(words, key, "b") as NodeId;
}

function change(words: Words): MemberChange {
  const node = id(words, "id");
  if (words.name === "remove") {
    return { kind: "remove", id: node, onlyIdle: words.given.has("onlyIdle") };
  }
  const member = text(words, "member", `member-${node}`);
  return { kind: "add", id: node, member, idle: words.given.has("idle") };
}

function run(words: Words): Incarnation {
  return { boot: text(words, "boot", "1"), process: text(words, "run", "1") };
}

/** What is left out of a `server` command stays as the node saw it last. */
function view(words: Words, state: State): ServerView {
  const from = words.given.get("receiving");
  const forgets = words.given.has("forgets") ? "relay_log_recovery is ON" : null;
  return {
    health: text(words, "health", "alive") as ServerView["health"],
    incarnation: run(words),
    held: words.given.has("held") ? position(words, "held") : state.server.held,
    errant: words.given.has("errant"),
    origin: text(words, "origin", "a"),
    open: words.given.has("open"),
    writable: words.given.has("open") && !words.given.has("readOnly"),
    unfit: words.given.get("unfit")?.replaceAll("_", " ") ?? null,
    receivingFrom: from === undefined ? null : `${from}:3306`,
    logEnd: words.given.get("logEnd") ?? null,
    logEndAt: number(words, "logEndAt", 0),
    inStep: words.given.has("inStep"),
    unapplied: number(words, "unapplied", 0),
    startForgot: forgets,
    processRestartForgets: null,
    hostRestartForgets: words.given.has("loose") ? "sync_relay_log is not 1" : null,
  };
}

function received(words: Words, state: State): Event {
  const from = id(words, "from");
  const message = toMessage(words, state);
  const isAnswer = /(Reply|verdict)$/.test(message.kind);
  return {
    kind: "received",
    at: words.at,
    request: isAnswer ? null : number(words, "request", 1),
    envelope: {
      cluster: text(words, "cluster", "cluster"),
      from,
      member: text(words, "member", `member-${from}`),
      to: "a" as NodeId,
      message,
    },
  };
}

function toMessage(words: Words, state: State): Message {
  const term = number(words, "term", state.durable.term);
  const held = position(words, "held");
  const refused = words.given.get("refused")?.replaceAll("_", " ") ?? null;
  const from = text(words, "from", "b");
  if (words.name.startsWith("founding")) return foundingStep(words);
  const membership = words.given.has("members") ? members(words) : state.durable.membership;
  const source = sourceOf(from);
  const errant = words.given.has("errant");
  const unapplied = number(words, "unapplied", 0);
  if (membership === null) throw new RangeError("Cannot speak without a member list");
  switch (words.name) {
    case "heartbeat": {
      const base = { position: position(words, "base"), origin: text(words, "origin", from) };
      const opened = words.given.has("opened");
      const said = { term, membership, source, sentAt: words.at, base, opened };
      return { kind: "heartbeat", ...said, logEnd: null, handover: null };
    }
    case "preVote":
      return { kind: "preVote", term, membership, held, unapplied };
    case "vote": {
      const consented = words.given.has("consented");
      return { kind: "vote", term, consented, membership, held, errant, lastLeader: null, source };
    }
    case "resign":
      return { kind: "resign", term };
    case "consent":
      return consent(words, { term, held });
    case "takeover":
      return { kind: "takeover", term };
    default:
      return toAnswer(words, { term, held, refused, source, state });
  }
}

/** A step of a founding: `founding=u1 members=a,b,c`. */
function foundingStep(words: Words): Message {
  const cluster = text(words, "founding", "u1");
  const list = { ...members(words), cluster };
  switch (words.name) {
    case "foundingPromise":
      return {
        kind: words.name,
        founding: {
          cluster,
          founder: id(words, "from"),
          members: list.members.map(({ id }) => id),
        },
      };
    case "foundingRelease":
      return { kind: words.name, cluster };
    case "foundingStore":
      return { kind: words.name, membership: list, begun: words.given.has("begun") };
    case "foundingGo":
      return { kind: words.name, cluster, first: text(words, "first", "a") as NodeId };
    default:
      throw new RangeError(`Cannot read the command ${JSON.stringify(words.name)}`);
  }
}

/** With the word "vote", the old leader's vote for the next term travels along. */
function consent(
  words: Words,
  told: { readonly term: number; readonly held: Position },
): Message {
  const { term, held } = told;
  const vote = {
    kind: "voteReply",
    term: term + 1,
    granted: "yes",
    refused: null,
    termOfVoter: term + 1,
    held,
    membership: null,
    leaderSilentMs: 0,
  } as const;
  const until = position(words, "until");
  const given = words.given.has("vote");
  return { kind: "consent", term, until, vote: given ? vote : null, released: given };
}

/** The list that a voter sends along, where the story names one. */
function listOf(words: Words): Membership | null {
  return words.given.has("members") ? members(words) : null;
}

function toAnswer(
  words: Words,
  told: {
    readonly term: number;
    readonly held: Position;
    readonly refused: string | null;
    readonly source: Source;
    readonly state: State;
  },
): Message {
  const { term, held, refused, source, state } = told;
  const unfit = words.given.get("unfit")?.replaceAll("_", " ") ?? null;
  const ownTerm = words.name === "preVoteReply" ? term - 1 : term;
  const termOfVoter = number(words, "termOfVoter", ownTerm);
  const from = words.given.get("receiving");
  const receivingFrom = from === undefined ? null : `${from}:3306`;
  const unapplied = number(words, "unapplied", 0);
  switch (words.name) {
    case "preVoteReply":
      return { kind: "preVoteReply", term, refused, termOfVoter, membership: listOf(words) };
    case "voteReply": {
      const granted = refused !== null
        ? "no"
        : words.given.has("conditional")
        ? "conditional"
        : "yes";
      const leaderSilentMs = words.given.has("silence") ? number(words, "silence", 0) : null;
      const told = { term, granted, refused, termOfVoter, held, leaderSilentMs } as const;
      return { kind: "voteReply", ...told, membership: listOf(words) };
    }
    case "heartbeatReply": {
      const epoch = number(words, "epoch", state.durable.membership?.epoch ?? 0);
      const listTerm = words.given.has("older")
        ? null
        : number(words, "listTerm", state.durable.membership?.term ?? 0);
      const sentAt = number(words, "sentAt", words.at);
      const errant = words.given.has("errant");
      const stored = { listTerm, epoch };
      const told = { term, sentAt, ...stored, refused, held, errant, unfit, receivingFrom, source };
      const acknowledges = !words.given.has("silent");
      const inStep = words.given.has("inStep");
      return { kind: "heartbeatReply", ...told, inStep, unapplied, acknowledges };
    }
    case "resignReply":
      return { kind: "resignReply", term, held, unapplied, unfit };
    case "verdict": {
      const { member, membership } = state.durable;
      return { kind: "verdict", refused, held, member, membership, founding: null };
    }
    default:
      throw new RangeError(`Cannot read the command ${JSON.stringify(words.name)}`);
  }
}
