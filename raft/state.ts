/** What a node knows, by role. Only a leader has a leader's fields, so a "writable follower" cannot be written down. */
import type {
  Handover,
  Heartbeat,
  HeartbeatReply,
  ResignReply,
  Vote,
  VoteReply,
} from "./message.ts";
import type { Following } from "./effect.ts";
import type {
  Durable,
  Incarnation,
  Membership,
  Millis,
  NodeId,
  Position,
  ServerView,
  Source,
} from "./types.ts";

export type State = Follower | Candidate | Leader | Fencing;

/** Fields that every role has. */
export interface Common {
  readonly durable: Durable;
  readonly server: ServerView;
  readonly seed: number;
  /** Number of the last operation or question; answers with another number are ignored. */
  readonly op: number;
  /** The server is frozen and closed, and holds this; null as soon as it may have changed. */
  readonly frozen: { readonly held: Position; readonly incarnation: Incarnation | null } | null;
  /** What the server was told to replicate from. */
  readonly following: Following | null;
  /** A resigned leader's search for its successor. */
  readonly succession: Succession | null;
  /** Peers whose process refuses connections, with the time of the last refusal. */
  readonly gone: Readonly<Record<NodeId, Millis>>;
  /** When a leader was last heard, or this node was elected; null when never. Survives changes of role. */
  readonly leaderHeardAt: Millis | null;
  /** What an operator (or a stop signal) asked for and has not been answered yet. */
  readonly wish: Wish | null;
  /** The latest reason for not doing more; part of the cycle's sentence. */
  readonly why: string;
}

export interface Follower extends Common {
  readonly role: "follower";
  readonly leader: KnownLeader | null;
  /** Why this copy cannot follow the current leader; null when it can. */
  readonly invalid: Unfollowable | null;
  readonly electionAt: Millis;
  readonly ballot: Ballot | null;
}

/**
 * extra: transactions that the leader lacks. lost: transactions that only the leader has and replication
 * never brings, see lost.ts.
 */
export interface Unfollowable {
  readonly kind: "extra" | "lost";
  readonly set: Position;
}

export interface KnownLeader {
  readonly id: NodeId;
  readonly term: number;
  readonly source: Source;
  readonly base: Heartbeat["base"];
  readonly logEnd: string | null;
  readonly opened: boolean;
  readonly handover: Handover | null;
}

/** A question that waits for the frozen server: a vote, or a resigned leader's "what do you hold?". */
export interface Ballot {
  readonly op: number;
  readonly request: number | null;
  readonly asked:
    | { readonly kind: "vote"; readonly from: NodeId; readonly vote: Vote }
    | { readonly kind: "resign"; readonly term: number }
    | { readonly kind: "follow"; readonly heartbeat: Heartbeat; readonly from: NodeId };
  /** A vote that came in while a resigned leader's question was being answered. */
  readonly next: { readonly request: number; readonly from: NodeId; readonly vote: Vote } | null;
}

export interface Candidate extends Common {
  readonly role: "candidate";
  /** asking: pre-vote. freezing: own server. voting: durable vote for itself, others are asked. */
  readonly phase: "asking" | "freezing" | "voting";
  /** The term asked for; equal to durable.term only while voting. */
  readonly term: number;
  readonly askOp: number;
  /** Transactions still to apply, as its pre-votes tell: rivals compare what both of them know. */
  readonly unapplied: number;
  readonly willing: readonly NodeId[];
  readonly votes: Readonly<Record<NodeId, VoteReply>>;
  readonly giveUpAt: Millis;
  /** When the votes were asked for: a new leader's lease runs from there. */
  readonly askedAt: Millis;
  /** The old leader named this node: others that still hear it need not wait. */
  readonly consented: boolean;
  /** The old leader said that its server is closed. */
  readonly released: boolean;
}

export interface Leader extends Common {
  readonly role: "leader";
  readonly stage: "promoting" | "leading";
  readonly since: Millis;
  /** Number of the running promotion. */
  readonly promoteOp: number;
  readonly base: Heartbeat["base"];
  readonly heartbeatAt: Millis;
  /** Sending time of the last round that each member answered. */
  readonly acks: Readonly<Record<NodeId, Millis>>;
  /** The last answer of each member. */
  readonly replies: Readonly<Record<NodeId, HeartbeatReply>>;
  /** Since when commits wait and a quorum of voters cannot receive from this server; null when fine. */
  readonly deafSince: Millis | null;
  readonly handover: LeaderHandover | null;
  readonly change: LeaderChange | null;
  /** The lists before the present one, back to the last that was stored, while this leader knows them. */
  readonly previous: readonly Membership[];
}

/** A planned hand-over, before its point of no return (the sending of the consent). */
export interface LeaderHandover {
  readonly candidate: NodeId;
  readonly stage: "pointing" | "closing";
  readonly repointed: readonly NodeId[];
  readonly giveUpAt: Millis;
  readonly closeOp: number;
  /** The candidate's takeover, answered with a verdict; null when this node itself wants to leave. */
  readonly takeover: number | null;
}

/**
 * One step of a membership change. Which step comes next is read from the member list itself, so a
 * new leader goes on where the old one stopped.
 */
export interface LeaderChange {
  readonly target: NodeId;
  /** storing: a list is on its way to the voters. arranging: before a vote moves. settling: after. */
  readonly stage: "storing" | "arranging" | "settling";
  readonly arrangeOp: number;
  /** Operator's request, answered when the wished-for list is stored. */
  readonly request: number | null;
}

/** Closing the server. Answers nothing that could promise anything until it is done. */
export interface Fencing extends Common {
  readonly role: "fencing";
  readonly fenceOp: number;
  /** The virtual address is off this host. */
  readonly released: boolean;
  readonly because: string;
}

export interface Wish {
  /** disable: hand over first, then neither vote nor acknowledge. */
  readonly kind: "stand" | "leave" | "disable";
  readonly request: number;
  readonly giveUpAt: Millis;
}

export interface Succession {
  readonly term: number;
  readonly replies: Readonly<Record<NodeId, ResignReply>>;
  readonly decideAt: Millis;
  /** Voters that had not answered for a lease when this leader gave up. */
  readonly silent: readonly NodeId[];
}
