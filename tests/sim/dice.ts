/** All randomness of a simulated run. It comes from the seed alone, so a seed is a whole story. */
import { next } from "../../raft/prng.ts";

export class Dice {
  #seed: number;

  constructor(seed: number) {
    // Neighbouring seeds must not begin alike: multiply by an odd constant, then warm up.
    this.#seed = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
    for (let round = 0; round < 4; round++) this.#seed = next(this.#seed);
  }

  /** Uniform in [0, 1). */
  unit(): number {
    this.#seed = next(this.#seed);
    return this.#seed / 2 ** 32;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + this.unit() * (high - low);
  }

  /** Uniform among the integers [0, limit). */
  below(limit: number): number {
    return Math.floor(this.unit() * limit);
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(list: readonly T[]): T {
    const picked = list[this.below(list.length)];
    if (picked === undefined) throw new RangeError("Cannot pick from an empty list");
    return picked;
  }

  /**
   * A source for a part of the model that was added later: the others draw what they drew before, so
   * the seeds from before keep their stories.
   */
  static aside(seed: number, part: number): Dice {
    return new Dice((Math.imul(seed, 31) + part) ^ 0x5bd1e995);
  }

  /** An independent source; drawing from it leaves this one alone. */
  fork(): Dice {
    return new Dice(this.below(2 ** 31));
  }
}
