/** What can happen to a node. Every event carries the monotonic time at which it happened. */
import type { Envelope } from "./message.ts";
import type { Incarnation, Millis, NodeId, Position, ServerView } from "./types.ts";

export type Event =
  | { readonly kind: "tick"; readonly at: Millis }
  /** The agent looked at the server. */
  | { readonly kind: "server"; readonly at: Millis; readonly view: ServerView }
  /** A message came in; `request` numbers the exchange when the sender waits for an answer. */
  | {
    readonly kind: "received";
    readonly at: Millis;
    readonly envelope: Envelope;
    readonly request: number | null;
  }
  /** The process at the other end refuses connections: its agent is gone although the host lives. */
  | { readonly kind: "peerGone"; readonly at: Millis; readonly peer: NodeId }
  | OperationDone
  | OperatorWish;

/** The end (or a step) of something that an effect began. `op` is the number that the effect carried. */
export type OperationDone =
  /** The receiver is stopped, the server is closed, and this is what it holds. */
  | {
    readonly kind: "frozen";
    readonly at: Millis;
    readonly op: number;
    readonly held: Position;
    readonly incarnation: Incarnation | null;
  }
  /** The server is open: marker acknowledged, writable, verified. */
  | { readonly kind: "promoted"; readonly at: Millis; readonly op: number }
  /** Nobody can commit here any more and no commit waits, or the server process is gone. */
  | { readonly kind: "fenced"; readonly at: Millis; readonly op: number }
  /** A fence is under way, and the virtual address is off this host already. */
  | { readonly kind: "released"; readonly at: Millis; readonly op: number }
  /** A planned close: no commit begins or waits, and all that was committed was acknowledged. */
  | {
    readonly kind: "closed";
    readonly at: Millis;
    readonly op: number;
    readonly held: Position;
    readonly incarnation: Incarnation | null;
  }
  /** The acknowledgement settings are in place and a commit under them was acknowledged. */
  | { readonly kind: "arranged"; readonly at: Millis; readonly op: number }
  | {
    readonly kind: "opFailed";
    readonly at: Millis;
    readonly op: number;
    readonly because: string;
  };

/** What an operator (or a stop signal) asks of this node; `request` is answered exactly once. */
export type OperatorWish =
  | { readonly kind: "stand"; readonly at: Millis; readonly request: number }
  | { readonly kind: "disable"; readonly at: Millis; readonly request: number }
  | { readonly kind: "enable"; readonly at: Millis; readonly request: number }
  /** The agent is about to stop: hand over first when leading. */
  | { readonly kind: "leave"; readonly at: Millis; readonly request: number }
  | {
    readonly kind: "changeMember";
    readonly at: Millis;
    readonly request: number;
    readonly change: MemberChange;
  };

export type MemberChange =
  /** Joins as learner, or as idle. A member that is idle and added without `idle` becomes a learner. */
  | { readonly kind: "add"; readonly id: NodeId; readonly member: string; readonly idle: boolean }
  /** `onlyIdle`: never takes a vote away. */
  | { readonly kind: "remove"; readonly id: NodeId; readonly onlyIdle: boolean };
