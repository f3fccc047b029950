/**
 * What a node can ask for. Effects are an ordered list: one starts only when the ones before it are
 * done, so a `persist` in front of a `send` is on disk before the word is spoken. Operations
 * (freeze, promote, fence, close, arrange) only *start* in order; they end as events with their number.
 */
import type { Message } from "./message.ts";
import type { Durable, Incarnation, Millis, NodeId, Position, Replica, Source } from "./types.ts";

export type Effect =
  | { readonly kind: "persist"; readonly durable: Durable }
  | { readonly kind: "send"; readonly to: NodeId; readonly message: Message }
  | { readonly kind: "reply"; readonly request: number; readonly message: Message }
  /**
   * Ends an operator's request; `refused` is a sentence, null means done. A `passing` refusal is about
   * something that is under way: the same request may be granted a moment later.
   */
  | {
    readonly kind: "answer";
    readonly request: number;
    readonly refused: string | null;
    readonly passing?: boolean;
  }
  /**
   * Wait until `until` is received (bounded), stop the receiver, make sure that the server is
   * closed, read what it holds.
   */
  | { readonly kind: "freeze"; readonly op: number; readonly until: Position }
  /** Run a promotion to its end, inside the scope of this leadership. */
  | { readonly kind: "promote"; readonly op: number; readonly promotion: Promotion }
  /** Close at any price: ends the leadership scope and everything that runs in it. */
  | { readonly kind: "fence"; readonly op: number; readonly why: string }
  /** Close politely for a hand-over: commits that wait get their acknowledgement. */
  | { readonly kind: "close"; readonly op: number }
  /** Leader: wait for k acknowledgements, shut the named node out, prove it with a commit. */
  | {
    readonly kind: "arrange";
    readonly op: number;
    readonly k: number;
    readonly cutOff: Replica | null;
    readonly term: number;
  }
  /** What the server should replicate from now on; null: nothing. Kept up by the agent. */
  | { readonly kind: "follow"; readonly following: Following | null }
  | { readonly kind: "log"; readonly sentence: string };

export interface Promotion {
  readonly term: number;
  readonly cluster: string;
  readonly k: number;
  /** What the voters were told that this server holds; it must have applied all of it. */
  readonly held: Position;
  /** The run of the server that was frozen; another one must not be opened. */
  readonly incarnation: Incarnation | null;
  /** Silence of the old leader, the shortest that a voter saw; null when one of them cannot tell. */
  readonly oldLeaderSilentMs: Millis | null;
  /** The old leader said that its server is closed. */
  readonly released: boolean;
}

export interface Following {
  readonly source: Source;
  readonly term: number;
  /** May this node's acknowledgements count? Off for idle and learner nodes and for the leaving. */
  readonly acknowledge: boolean;
  /** The own membership, of which the account at the source is named. */
  readonly replica: Replica;
}
