/** What nodes say to each other. Every message travels in an envelope that names cluster and member. */
import type { Durable, Founding, Membership, Millis, NodeId, Position, Source } from "./types.ts";

/** Around every message. A message of another cluster is refused before it is looked at. */
export interface Envelope {
  readonly cluster: string | null;
  readonly from: NodeId;
  readonly member: string;
  readonly to: NodeId;
  readonly message: Message;
}

export type Message =
  | Heartbeat
  | HeartbeatReply
  | PreVote
  | PreVoteReply
  | Vote
  | VoteReply
  | Resign
  | ResignReply
  | Consent
  | Takeover
  | FoundingMessage
  | Verdict;

/** Leader to every member, once per heartbeat. */
export interface Heartbeat {
  readonly kind: "heartbeat";
  readonly term: number;
  readonly membership: Membership;
  readonly source: Source;
  /** The leader's clock; comes back in the reply, so the lease runs from the sending. */
  readonly sentAt: Millis;
  /** What the leader had drained when it was promoted, and the server that writes since then. */
  readonly base: { readonly position: Position; readonly origin: string };
  /** End of the leader's binary log when it was last looked at; opaque to the protocol. */
  readonly logEnd: string | null;
  /** The promotion is complete: marker acknowledged, server writable. */
  readonly opened: boolean;
  /** A planned hand-over is being prepared: these nodes replicate from the candidate meanwhile. */
  readonly handover: Handover | null;
}

export interface Handover {
  readonly candidate: Source;
  readonly repointed: readonly NodeId[];
}

export interface HeartbeatReply {
  readonly kind: "heartbeatReply";
  readonly term: number;
  readonly sentAt: Millis;
  /** The member list that it has stored: the term of its writer, null from an earlier version, and its number. */
  readonly listTerm: number | null;
  readonly epoch: number;
  /** Null when accepted, else why not. */
  readonly refused: string | null;
  readonly held: Position;
  /** It has transactions that `held` leaves out: nobody is pointed at it before it leads. */
  readonly errant: boolean;
  /** Null when this node could lead. */
  readonly unfit: string | null;
  /** The MySQL that the running receiver reads from, as `host:port`. */
  readonly receivingFrom: string | null;
  readonly inStep: boolean;
  /** Transactions that were received and are not applied yet. */
  readonly unapplied: number;
  /** Its receiver was told to acknowledge. */
  readonly acknowledges: boolean;
  /** Where this node's own MySQL can be replicated from. */
  readonly source: Source;
}

/** "Would you vote for me in this term?" Stops nothing and promises nothing. */
export interface PreVote {
  readonly kind: "preVote";
  readonly term: number;
  readonly membership: Membership;
  readonly held: Position;
  /** See `HeartbeatReply`. Of rivals with equal data, the one that has less to apply goes on. */
  readonly unapplied: number;
}

export interface PreVoteReply {
  readonly kind: "preVoteReply";
  readonly term: number;
  readonly refused: string | null;
  /** The voter's own term when it is higher than the one asked for. */
  readonly termOfVoter: number;
  /** A newer member list than the asker's, when the voter has one. */
  readonly membership: Membership | null;
}

export interface Vote {
  readonly kind: "vote";
  readonly term: number;
  /** The leader of the term before closed its server for this candidate. */
  readonly consented: boolean;
  readonly membership: Membership;
  /** Read from the frozen server in this incarnation. */
  readonly held: Position;
  /** See `HeartbeatReply`. */
  readonly errant: boolean;
  readonly lastLeader: Durable["lastLeader"];
  readonly source: Source;
}

export interface VoteReply {
  readonly kind: "voteReply";
  readonly term: number;
  /** conditional: counts only when every voter of the list granted (rule for lost relay logs). */
  readonly granted: "yes" | "conditional" | "no";
  /** Why not; null with a grant. */
  readonly refused: string | null;
  readonly termOfVoter: number;
  readonly held: Position;
  /** A newer member list than the candidate's, when the voter has one. */
  readonly membership: Membership | null;
  /** Silence of the old leader as this voter saw it; null when it never heard one. */
  readonly leaderSilentMs: Millis | null;
}

/** Leader of `term` to all voters: "I have given up for good, durably. Freeze and tell me what you hold." */
export interface Resign {
  readonly kind: "resign";
  readonly term: number;
}

export interface ResignReply {
  readonly kind: "resignReply";
  readonly term: number;
  readonly held: Position;
  /** See `HeartbeatReply`. Of those with equal data, the one that has less to apply is named. */
  readonly unapplied: number;
  readonly unfit: string | null;
}

/**
 * Resigned leader to the named candidate: waives timer and pre-vote for `term` + 1. By itself it is no
 * vote. In a planned hand-over the old leader's server is closed and was read after that, so its
 * vote, already on disk, travels along; it counts once the candidate holds `until`.
 */
export interface Consent {
  readonly kind: "consent";
  readonly term: number;
  /** The candidate stands once it holds this (planned hand-over); empty: at once. */
  readonly until: Position;
  /** Null where the old leader's server is dead: it cannot vote. */
  readonly vote: VoteReply | null;
  /** The old leader's host does not have the virtual address any more. */
  readonly released: boolean;
}

/** Operator's wish, from the wished-for candidate to the leader. */
export interface Takeover {
  readonly kind: "takeover";
  readonly term: number;
}

/**
 * The three steps of a founding, asked of every named node: promise yourself to it, store the list,
 * go. Nobody stands before all have stored the same list. Where one of them did not promise, the
 * founder gives the others their promise back.
 */
export type FoundingMessage =
  | { readonly kind: "foundingPromise"; readonly founding: Founding }
  | { readonly kind: "foundingRelease"; readonly cluster: string }
  /** `begun`: the list is stored on another node already, so no other founding can complete any more. */
  | { readonly kind: "foundingStore"; readonly membership: Membership; readonly begun: boolean }
  | { readonly kind: "foundingGo"; readonly cluster: string; readonly first: NodeId };

/** Answer to a takeover or a founding step. */
export interface Verdict {
  readonly kind: "verdict";
  readonly refused: string | null;
  /** What the node holds and is, for the founder's choice. */
  readonly held: Position;
  readonly member: string;
  readonly membership: Membership | null;
  readonly founding: Founding | null;
}
