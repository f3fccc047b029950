/** The one queue through which an agent changes its server. A fence jumps it and ends what runs. */
import type { Clock } from "./clock.ts";
import { type Outcome, type Procedure, ProcedureFailed } from "./procedures.ts";

export interface Job {
  /** Work of a leadership ends with the fence. */
  readonly scope: "leadership" | "plain";
  /** Number of the operation that the core asked for; null for the agent's own upkeep. */
  readonly op: number | null;
  readonly begin: () => Procedure;
}

/** Thrown by a procedure whose agent has just died under it. */
export class AgentGone extends Error {
  override readonly name = "AgentGone";
}

export interface WorkEnds {
  readonly ended: (op: number | null, outcome: Outcome | null) => void;
  readonly failed: (op: number | null, because: string) => void;
  /** Milliseconds until the frozen agent goes on; 0 when it is not frozen. */
  readonly frozenForMs: () => number;
}

export class Work {
  readonly #clock: Clock;
  readonly #ends: WorkEnds;
  #queue: Job[] = [];
  #current: { readonly job: Job; readonly procedure: Procedure } | null = null;
  #stopped = false;

  constructor(clock: Clock, ends: WorkEnds) {
    this.#clock = clock;
    this.#ends = ends;
  }

  get busy(): boolean {
    return this.#current !== null || this.#queue.length > 0;
  }

  add(job: Job): void {
    this.#queue.push(job);
    this.#beginNext();
  }

  /** Aborts what runs, drops what belongs to a leadership, and runs `job` before everything else. */
  preempt(job: Job, keepScope: boolean): void {
    if (!keepScope) {
      const ended = this.#queue.filter((waiting) => waiting.scope === "leadership");
      this.#queue = this.#queue.filter((waiting) => waiting.scope === "plain");
      const running = this.#current;
      this.#current = null;
      for (const { op } of running ? [running.job, ...ended] : ended) {
        if (op !== null) this.#ends.failed(op, "a fence ended it");
      }
    }
    this.#queue.unshift(job);
    this.#beginNext();
  }

  /** The agent died. */
  stop(): void {
    this.#stopped = true;
    this.#queue = [];
    this.#current = null;
  }

  #beginNext(): void {
    if (this.#current !== null || this.#stopped) return;
    const job = this.#queue.shift();
    if (!job) return;
    const current = { job, procedure: job.begin() };
    this.#current = current;
    // Never at once: the core's other effects of the same step come first.
    this.#clock.after(0.05, () => this.#advance(current));
  }

  #advance(current: { readonly job: Job; readonly procedure: Procedure }): void {
    if (this.#current !== current) return;
    const frozenMs = this.#ends.frozenForMs();
    if (frozenMs > 0) return this.#clock.after(frozenMs, () => this.#advance(current));
    try {
      const { done, value } = current.procedure.next();
      if (!done) return this.#clock.after(value, () => this.#advance(current));
      this.#finish(current, () => this.#ends.ended(current.job.op, value));
    } catch (error) {
      if (error instanceof AgentGone) return;
      if (!(error instanceof ProcedureFailed)) throw error;
      this.#finish(current, () => this.#ends.failed(current.job.op, error.message));
    }
  }

  #finish(current: unknown, tell: () => void): void {
    if (this.#current !== current) return;
    this.#current = null;
    tell();
    this.#beginNext();
  }
}
