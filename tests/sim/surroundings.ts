/** What surrounds an agent in the simulation, and what it tells about itself. */
import type { Event } from "../../raft/event.ts";
import type { Envelope } from "../../raft/message.ts";
import type { Config, Durable, NodeId } from "../../raft/types.ts";
import type { HostAddress } from "./address.ts";
import type { SimAgent } from "./agent.ts";
import type { Clock } from "./clock.ts";
import type { Core } from "./core.ts";
import type { Dice } from "./dice.ts";
import type { Site } from "./procedures.ts";

/** What an agent needs from the world around it. */
export interface Surroundings {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly core: Core;
  readonly config: Config;
  readonly site: Omit<Site, "at" | "opened" | "stopServer">;
  readonly address: HostAddress;
  /** Lifetime of the virtual address. */
  readonly addressMs: number;
  readonly indexOf: (id: NodeId) => number;
  /** Number of the request that it answers, for a reply. */
  readonly post: (envelope: Envelope) => void;
  readonly hook: (point: HookPoint, index: number) => void;
  readonly stopServer: (index: number, how: "killed" | "stopped") => void;
  readonly observer: Observer;
  readonly trace: ((index: number, line: () => string) => void) | null;
}

export type HookPoint =
  | "persist"
  | "role"
  | "promoteStep"
  | "fenceStep"
  | "freezeStep"
  | "frozen"
  | "closeStep"
  | "waiting"
  | "address";

/** Sees everything that matters for the promises. */
export interface Observer {
  readonly leads: (index: number, run: number, term: number) => void;
  readonly persisted: (index: number, before: Durable, after: Durable) => void;
  readonly said: (index: number, disk: Durable, envelope: Envelope) => void;
  readonly opened: (index: number, term: number) => void;
  readonly stepped: (agent: SimAgent) => void;
  readonly answered: (index: number, request: number, refused: string | null) => void;
}

/** An event without its time: the agent adds its own clock. */
export type Happening = Event extends infer E ? E extends Event ? Omit<E, "at"> : never : never;
