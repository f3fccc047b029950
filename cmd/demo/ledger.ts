/**
 * What the writers were told about each integer. The ledger outlives the writers, so that a write
 * acknowledged before one fault is still looked for after the next. Times are monotonic
 * milliseconds of this process.
 */

/** One write that a server acknowledged. */
export interface Acknowledgement {
  readonly integer: number;
  readonly sentAt: number;
  readonly at: number;
  /** `host:port` of the server. */
  readonly server: string;
}

/** A ledger keeps no more than this; a bench that reaches it has run for many hours. */
const entriesMax = 5_000_000;

/** Every write of a workload with its outcome. */
export class Ledger {
  readonly acknowledged: Acknowledgement[] = [];
  /** The server refused them: they must not be there, and nobody was promised anything. */
  readonly failed: number[] = [];
  /** The connection broke or the answer was late: they may be there or not. Never used again. */
  readonly unknown: number[] = [];
  #next = 1;

  /** A number that was never used before. */
  draw(): number {
    if (this.#next > entriesMax) throw new RangeError(`Cannot write more than ${entriesMax} rows`);
    return this.#next++;
  }
}

/** A stretch of time without an acknowledged write. */
export interface Gap {
  readonly fromAt: number;
  readonly untilAt: number;
  readonly ms: number;
}

/** The longest time without an acknowledgement that touches the window. */
export function longestGap(
  acknowledged: readonly Acknowledgement[],
  window: { readonly fromAt: number; readonly untilAt: number },
): Gap {
  const times = acknowledged.map(({ at }) => at).sort((left, right) => left - right);
  // The last one before the window begins the first gap.
  const before = times.filter((at) => at <= window.fromAt).at(-1) ?? window.fromAt;
  const inside = times.filter((at) => at > window.fromAt && at <= window.untilAt);
  let longest: Gap = { fromAt: before, untilAt: before, ms: 0 };
  let previous = before;
  for (const at of [...inside, window.untilAt]) {
    if (at - previous > longest.ms) {
      longest = { fromAt: previous, untilAt: at, ms: at - previous };
    }
    previous = at;
  }
  return longest;
}

export interface Run {
  readonly fromAt: number;
  readonly untilAt: number;
}

/** Joins moments that lie at most `gapMaxMs` apart to stretches of time. */
export function runsOf(moments: readonly number[], gapMaxMs: number): readonly Run[] {
  const runs: { fromAt: number; untilAt: number }[] = [];
  for (const at of [...moments].sort((left, right) => left - right)) {
    const last = runs.at(-1);
    if (last !== undefined && at - last.untilAt <= gapMaxMs) last.untilAt = at;
    else runs.push({ fromAt: at, untilAt: at });
  }
  return runs;
}

/** How long stretches of at least two of the series overlap, in milliseconds. */
export function overlapMs(series: readonly (readonly Run[])[]): number {
  const edges = series.flat().flatMap(({ fromAt, untilAt }) =>
    [{ at: fromAt, change: 1 }, { at: untilAt, change: -1 }] as const
  ).sort((left, right) => left.at - right.at || left.change - right.change);
  let [open, since, total] = [0, 0, 0];
  for (const { at, change } of edges) {
    if (open >= 2) total += at - since;
    open += change;
    since = at;
  }
  return total;
}

/** The middle value; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
