/**
 * Names and values that the whole protocol shares. Nothing here knows MySQL: a data position is an
 * opaque text, and the few questions about positions come in as functions.
 */

/** `host:port` of an agent's RPC endpoint; the identity of a node inside a cluster. */
export type NodeId = string & { readonly brand: "NodeId" };

/** Monotonic milliseconds of one process. Values of two processes are never compared. */
export type Millis = number;

/** A set of transactions. Sets are only partly ordered, so positions are never compared with `<`. */
export type Position = string & { readonly brand: "Position" };

/** Position without a single transaction. */
export const EMPTY_POSITION = "" as Position;

/** The questions that the protocol asks about positions. All of them are pure. */
export interface Positions {
  /** Is every transaction of `part` also in `whole`? */
  contains(whole: Position, part: Position): boolean;
  union(left: Position, right: Position): Position;
  /** What `whole` has and `part` lacks; empty when nothing. Shown to operators. */
  subtract(whole: Position, part: Position): Position;
  /** Number of the highest term marker of `cluster` in the position; 0 when it holds none. */
  markerTerm(position: Position, cluster: string): number;
  /** Leaves out everything that `origin` (a server) or the cluster's markers created. */
  withoutOrigin(position: Position, origin: string, cluster: string): Position;
  /** Only what `origin` (a server) created. */
  ofOrigin(position: Position, origin: string): Position;
}

/**
 * What a member is allowed to do.
 * voter: votes, stands, acknowledges. witness: votes only, has no MySQL. leaving: still votes, but
 * no longer acknowledges, because its removal has begun. learner and idle: replicate only.
 */
export type MemberKind = "voter" | "witness" | "leaving" | "learner" | "idle";

export interface Member {
  readonly id: NodeId;
  /** Drawn when the state file was created: a node that lost its file is another member. */
  readonly member: string;
  readonly kind: MemberKind;
  /** Number of the list that made it a member; left out for those of the founding. See `Replica`. */
  readonly since?: number;
}

/**
 * One membership of a node, as the servers know it: the replication account is made for it and ends
 * with it, so that nobody gets in with what he knew of an earlier one.
 */
export interface Replica {
  readonly id: NodeId;
  /** 0 for the founding. */
  readonly since: number;
}

/** The member list. A newer one (`list_version.ts`) replaces an older one, never the other way round. */
export interface Membership {
  /** UUID of the cluster; term markers are `CLUSTER:TERM`. */
  readonly cluster: string;
  /** Of the leader that wrote it; left out for the founding. */
  readonly term?: number;
  /** 1 for the founding; every change adds one. */
  readonly epoch: number;
  /** Sorted by id. */
  readonly members: readonly Member[];
  /**
   * Somebody got or lost a vote by it, and its leader has not yet seen enough voters store it: one may
   * still be elected, and acknowledge, under the list before. Left out once it is settled.
   */
  readonly unsettled?: boolean;
  /**
   * Who got its vote by a list that is not settled. It acknowledges nothing before: an election under the
   * list before need not meet it.
   */
  readonly newVoter?: NodeId;
}

/** Where a leader's data can be replicated from. */
export interface Source {
  readonly id: NodeId;
  readonly host: string;
  readonly port: number;
}

/** `host:port` of a server, as `ServerView.receivingFrom` spells it. */
export function addressOf(source: { readonly host: string; readonly port: number }): string {
  return `${source.host}:${source.port}`;
}

/** Settings of one node. Relations between them are checked when the configuration is loaded. */
export interface Config {
  readonly id: NodeId;
  /** Where others replicate from when this node leads. */
  readonly source: Source;
  readonly heartbeatMs: Millis;
  /** Election timers are drawn from [electionMs, 1.5 * electionMs). */
  readonly electionMs: Millis;
  /** A leader that no quorum answered for this long closes its server; leaseMs < electionMs - fenceMs. */
  readonly leaseMs: Millis;
  /** A handover that takes longer than this is given up, and the old leader goes on. */
  readonly handoverMs: Millis;
  readonly witness: boolean;
  readonly positions: Positions;
}

/** One run of one server process; promises are only comparable within one. */
export interface Incarnation {
  /** Boot id of the host. */
  readonly boot: string;
  /** Process id and start time. */
  readonly process: string;
}

/** What the agent last saw of the MySQL beside it, reduced to what the protocol needs. */
export interface ServerView {
  /** blocked: commits wait for acknowledgements; hung: no answer although the process exists. */
  readonly health: "unknown" | "alive" | "blocked" | "hung" | "dead";
  readonly incarnation: Incarnation | null;
  /** executed ∪ received, without known errant transactions. True only while nobody commits here. */
  readonly held: Position;
  /** There are errant transactions, which `held` leaves out; whoever replicates from here gets them. */
  readonly errant: boolean;
  /** UUID of the server: its own transactions carry it. */
  readonly origin: string;
  /** Somebody could commit here: super_read_only is off. */
  readonly open: boolean;
  /** Every client could: read_only and offline_mode are off too. */
  readonly writable: boolean;
  /** Why this server could not lead now; null when it could. */
  readonly unfit: string | null;
  /** Source whose transactions the running receiver gets, as `host:port` of its MySQL; null when none. */
  readonly receivingFrom: string | null;
  /** End of the own binary log, opaque; null when unknown. Followers compare what they received. */
  readonly logEnd: string | null;
  /** When that was looked up, or earlier. */
  readonly logEndAt: Millis;
  /** The receiver got everything up to the leader's binary log end, read after it reconnected. */
  readonly inStep: boolean;
  /** Transactions that were received and are not applied yet: a new leader applies them first. */
  readonly unapplied: number;
  /** Why the start of this run threw received transactions away; null when it kept them. */
  readonly startForgot: string | null;
  /** Why the end of this process, as it is set now, would lose received transactions; null when not. */
  readonly processRestartForgets: string | null;
  /** The same for an end of the host. */
  readonly hostRestartForgets: string | null;
}

/** What a restart of the server costs, of its process alone or with its host; null: nothing. */
export interface Forgets {
  readonly process: string | null;
  readonly host: string | null;
}

/** What must survive a crash: written before any word that depends on it is spoken. */
export interface Durable {
  readonly term: number;
  readonly votedFor: NodeId | null;
  readonly membership: Membership | null;
  /** Drawn once, with the state file. */
  readonly member: string;
  /** Everything that this node's server may have acknowledged; shrinks only through a rebuild. */
  readonly promised: Position;
  /** The leader that the receiver was last pointed at for its term; null while that is ambiguous. */
  readonly lastLeader: { readonly term: number; readonly id: NodeId } | null;
  /** The last term in which this node led and gave up for good. */
  readonly resigned: number;
  /** Switched off by an operator: neither votes nor acknowledges. */
  readonly disabled: boolean;
  /** Why received transactions may be missing here; null when certain. */
  readonly uncertain: string | null;
  readonly incarnation: Incarnation | null;
  /** What its next restart costs, as it was seen at its loosest since its process or its host began. */
  readonly forgets: Forgets;
  /** UUID of the server that the promise is about; another one means that its data was replaced. */
  readonly origin: string;
  /** A founding that this fresh node promised itself to. */
  readonly founding: Founding | null;
}

/** A founding in progress: one list of members, one cluster UUID, one node that carries it out. */
export interface Founding {
  readonly cluster: string;
  readonly founder: NodeId;
  readonly members: readonly NodeId[];
}

/** State of a node that was never started before. `member` must be unique in the world. */
export function freshDurable(member: string): Durable {
  return {
    term: 0,
    votedFor: null,
    membership: null,
    member,
    promised: EMPTY_POSITION,
    lastLeader: null,
    resigned: 0,
    disabled: false,
    uncertain: null,
    incarnation: null,
    forgets: { process: null, host: null },
    origin: "",
    founding: null,
  };
}

/** A leader's heartbeat tells no end of its binary log that was looked up longer ago. */
export const LOG_END_MS = 1_000;

/** The view before the first look at the server. */
export const UNSEEN_SERVER: ServerView = {
  health: "unknown",
  incarnation: null,
  held: EMPTY_POSITION,
  errant: false,
  origin: "",
  open: false,
  writable: false,
  unfit: "the server has not been seen yet",
  receivingFrom: null,
  logEnd: null,
  logEndAt: -Infinity,
  inStep: false,
  unapplied: 0,
  startForgot: null,
  processRestartForgets: null,
  hostRestartForgets: null,
};
