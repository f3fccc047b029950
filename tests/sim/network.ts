/** Links between hosts. Each direction has its own delay and may be cut alone. */
import type { Dice } from "./dice.ts";

/** How bad a network is in general; drawn once a run. */
export interface NetworkMood {
  readonly delayMs: number;
  /** The longest extra delay; it reorders. */
  readonly jitterMs: number;
  readonly loss: number;
  readonly duplication: number;
}

export class Network {
  mood: NetworkMood;
  /** Number of faults that slow everything down now. */
  slowness = 0;
  readonly #dice: Dice;
  /** Number of faults that cut the way from one host to another now. */
  readonly #cuts = new Map<number, number>();
  readonly #wordCuts = new Map<number, number>();

  constructor(mood: NetworkMood, dice: Dice) {
    this.mood = mood;
    this.#dice = dice;
  }

  /** Cuts one way for everybody, or only for what agents say to each other. */
  cut(from: number, to: number, what: "all" | "words"): void {
    const cuts = what === "all" ? this.#cuts : this.#wordCuts;
    cuts.set(key(from, to), (cuts.get(key(from, to)) ?? 0) + 1);
  }

  mend(from: number, to: number, what: "all" | "words"): void {
    const cuts = what === "all" ? this.#cuts : this.#wordCuts;
    cuts.set(key(from, to), Math.max(0, (cuts.get(key(from, to)) ?? 0) - 1));
  }

  /** Ends every fault; from now on nothing is lost. */
  heal(): void {
    this.#cuts.clear();
    this.#wordCuts.clear();
    this.slowness = 0;
    this.mood = { ...this.mood, loss: 0 };
  }

  isCut(from: number, to: number): boolean {
    return from !== to && (this.#cuts.get(key(from, to)) ?? 0) > 0;
  }

  /** Delays in milliseconds at which copies of one message arrive; empty when it is lost. */
  arrivals(from: number, to: number): readonly number[] {
    const silenced = this.isCut(from, to) || (this.#wordCuts.get(key(from, to)) ?? 0) > 0;
    if (silenced || this.#dice.chance(this.mood.loss)) return [];
    const first = this.delay(from, to);
    return this.#dice.chance(this.mood.duplication)
      ? [first, first + this.delay(from, to)]
      : [first];
  }

  /** Delay of one packet of a stream that is not cut; streams repeat what is lost. */
  delay(from: number, to: number): number {
    if (from === to) return 0.1;
    const { delayMs, jitterMs } = this.mood;
    const slow = this.slowness > 0;
    const extra = this.#dice.chance(0.2) ? this.#dice.between(0, slow ? 150 : jitterMs) : 0;
    return (slow ? 10 : 1) * delayMs * this.#dice.between(0.5, 1.5) + extra;
  }
}

function key(from: number, to: number): number {
  return from * 64 + to;
}
