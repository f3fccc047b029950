/**
 * One event at a time: the only caller of `step`. Left of it everything is a value; right of it
 * everything may fail, wait or lie, and comes back as another event of the same queue.
 */
import type { Effect } from "../raft/effect.ts";
import type { Event } from "../raft/event.ts";
import type { State } from "../raft/state.ts";
import { nextDeadline, start, step } from "../raft/step.ts";
import type { Config, Durable } from "../raft/types.ts";
import type { Clock } from "./ports.ts";

/** More waiting events than this mean that the disk stands still; then the newest is dropped, if it may be. */
const queueMax = 1_024;

/**
 * Ends of what effects began come once. There are no more of them than effects, of which none begins while
 * the disk stands still. Looks and messages come again, and whoever asks has a limit.
 */
const neverDropped: ReadonlySet<Event["kind"]> = new Set(
  ["frozen", "promoted", "fenced", "released", "closed", "arranged", "opFailed"] as const,
);

export interface LoopOptions {
  readonly config: Config;
  readonly durable: Durable;
  readonly seed: number;
  readonly clock: Clock;
  /** Resolves when the effect is done, or, for an operation, when it has begun. */
  readonly interpret: (effect: Effect) => Promise<void> | void;
  /** After every event, before its effects. */
  readonly changed: (state: State) => void;
  /** The queue is full: something was dropped. */
  readonly dropped: (event: Event) => void;
}

/** Runs a node's protocol until it is stopped or an invariant breaks. */
export class Loop {
  readonly #options: LoopOptions;
  readonly #queue: Event[] = [];
  #state: State;
  #first: readonly Effect[];
  #wake: () => void = () => {};
  #stopped = false;

  constructor(options: LoopOptions) {
    this.#options = options;
    const begin = { at: options.clock.now(), seed: options.seed };
    [this.#state, this.#first] = start(options.config, options.durable, begin);
  }

  get state(): State {
    return this.#state;
  }

  /** Hands an event in. When the queue is full it is dropped, unless it is the end of an operation. */
  post(event: Event): void {
    if (this.#stopped) return;
    const full = this.#queue.length >= queueMax;
    if (full && !neverDropped.has(event.kind)) return this.#options.dropped(event);
    this.#queue.push(event);
    this.#wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Ends with `stop()`; rejects when the protocol's promises or the disk broke. */
  async run(): Promise<void> {
    this.#options.changed(this.#state);
    await this.#perform(this.#first);
    while (!this.#stopped) {
      const event = this.#queue.shift() ?? await this.#nothingWaits();
      if (event === null) continue;
      const [next, effects] = step(this.#options.config, this.#state, event);
      this.#state = next;
      this.#options.changed(next);
      await this.#perform(effects);
    }
  }

  /** In order: what must be on disk is there before the next word is spoken. */
  async #perform(effects: readonly Effect[]): Promise<void> {
    for (const effect of effects) await this.#options.interpret(effect);
  }

  /** Sleeps until something happens or the next deadline is there; then it is time for a tick. */
  async #nothingWaits(): Promise<Event | null> {
    const { clock, config } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waitMs = Math.max(0, nextDeadline(config, this.#state) - clock.now());
    const cancel = Number.isFinite(waitMs) ? clock.after(waitMs, resolve) : () => {};
    this.#wake = resolve;
    await promise;
    cancel();
    this.#wake = () => {};
    if (this.#queue.length > 0 || this.#stopped) return null;
    return { kind: "tick", at: clock.now() };
  }
}
