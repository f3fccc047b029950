/**
 * A follower that misses a heartbeat knocks at the leader's door. "Connection refused" is the word of
 * the leader's host that its agent is gone: then nobody has to wait for the election timer.
 */
import type { State } from "../raft/state.ts";
import type { NodeId } from "../raft/types.ts";
import type { Clock, Peers } from "./ports.ts";

/** How often a silent leader is knocked at; one call at a time. */
const knockEveryMs = 50;
/** A host that does not answer within this is not gone for certain. */
const knockMs = 200;

export interface SilenceOptions {
  readonly clock: Clock;
  readonly peers: Peers;
  readonly heartbeatMs: number;
  readonly state: () => State;
  readonly gone: (peer: NodeId) => void;
}

/** Knocks until `stop`. */
export class SilenceProbe {
  readonly #options: SilenceOptions;
  #cancel: () => void = () => {};
  #stopped = false;

  constructor(options: SilenceOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(knockEveryMs, () => {
      this.#knock().finally(() => this.start());
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async #knock(): Promise<void> {
    const { clock, peers, heartbeatMs, state, gone } = this.#options;
    const now = state();
    if (now.role !== "follower" || now.leader === null || now.leaderHeardAt === null) return;
    if (clock.now() - now.leaderHeardAt < 1.5 * heartbeatMs) return;
    const { id } = now.leader;
    const question = { method: "node.ping", params: {} };
    const answer = await peers.call(id, question, { deadlineMs: knockMs });
    if ("failed" in answer && answer.failed.kind === "refused" && !this.#stopped) gone(id);
  }
}
