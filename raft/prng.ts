/**
 * Randomness as a number in the state: each draw returns the next seed, so a log of events replays
 * a node exactly. The generator is xorshift32 (Marsaglia, "Xorshift RNGs", 2003): every seed but 0
 * lies on one cycle of 2^32 - 1.
 */

/** The next seed; also a uniform integer in [1, 2^32). A seed of 0 is replaced by 1. */
export function next(seed: number): number {
  let mixed = seed >>> 0 || 1;
  mixed ^= mixed << 13;
  mixed ^= mixed >>> 17;
  mixed ^= mixed << 5;
  return mixed >>> 0;
}

/** Draws from [base, base + width). Returns the next seed and the drawn value. */
export function spread(seed: number, base: number, width: number): readonly [number, number] {
  const seedNext = next(seed);
  return [seedNext, base + (seedNext / 2 ** 32) * width];
}
