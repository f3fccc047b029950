/** How fast a job moves bytes and when it will be done: a smoothed rate over what it reports. Pure. */
import type { CopyProgress } from "../backup/copy_method.ts";
import type { JobProgress } from "./wire_jobs.ts";

export interface Meter {
  readonly at: number;
  readonly bytesDone: number;
  readonly bytesTotal: number | null;
  readonly bytesPerSecond: number;
  /** When the first bytes came: a tool may prepare itself for long before them. Null until then. */
  readonly movingSince: number | null;
}

/** The rate follows a change within about this time. */
const smoothingMs = 10_000;
/** Reports that come sooner after one another are summed up. */
const stepMsMin = 500;
/** An end is foretold only out of so much: the first moments of a copy say nothing about the rest. */
const settledMs = 5_000;
const settledBytes = 16 * 1_048_576;

/** The next state of the meter; null for a copy that has just begun. */
export function advance(before: Meter | null, progress: CopyProgress, at: number): Meter {
  const { bytesDone, bytesTotal } = progress;
  // A smaller number is another copy: the rate begins anew.
  if (before === null || bytesDone < before.bytesDone) {
    return { at, bytesDone, bytesTotal, bytesPerSecond: 0, movingSince: null };
  }
  const passedMs = at - before.at;
  if (passedMs < stepMsMin) return { ...before, bytesTotal };
  if (before.movingSince === null) {
    // What came in one go with the first bytes is no rate yet.
    const movingSince = bytesDone > 0 ? at : null;
    return { at, bytesDone, bytesTotal, bytesPerSecond: 0, movingSince };
  }
  const rate = (bytesDone - before.bytesDone) * 1_000 / passedMs;
  // The mean of everything at first; later the last moments count more.
  const weight = Math.max(
    passedMs / (at - before.movingSince),
    1 - Math.exp(-passedMs / smoothingMs),
  );
  const bytesPerSecond = before.bytesPerSecond + weight * (rate - before.bytesPerSecond);
  return { ...before, at, bytesDone, bytesTotal, bytesPerSecond };
}

/** What an operator is shown; `bytesDone` is the newest report. */
export function shown(meter: Meter, bytesDone: number): JobProgress {
  const { at, bytesTotal, bytesPerSecond, movingSince } = meter;
  const left = bytesTotal === null ? null : Math.max(0, bytesTotal - bytesDone);
  const settled = movingSince !== null && at - movingSince >= settledMs &&
    bytesDone >= settledBytes;
  // Of a copy that has arrived everything is known.
  const known = left === 0 || (left !== null && bytesPerSecond > 0 && settled);
  return {
    bytesDone,
    bytesTotal,
    bytesPerSecond: Math.round(bytesPerSecond),
    etaSeconds: known ? Math.ceil(left / Math.max(1, bytesPerSecond)) : null,
  };
}
