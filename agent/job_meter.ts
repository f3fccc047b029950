/** How fast a job moves bytes and when it will be done: a smoothed rate over what it reports. Pure. */
import type { CopyProgress } from "../backup/copy_method.ts";
import type { JobProgress } from "./wire_jobs.ts";

export interface Meter {
  readonly at: number;
  readonly bytesDone: number;
  readonly bytesTotal: number | null;
  readonly bytesPerSecond: number;
}

/** The rate follows a change within about this time. */
const smoothingMs = 10_000;
/** Reports that come sooner after one another are summed up. */
const stepMsMin = 500;

/** The next state of the meter; null for a copy that has just begun. */
export function advance(before: Meter | null, progress: CopyProgress, at: number): Meter {
  const { bytesDone, bytesTotal } = progress;
  // A smaller number is another copy: the rate begins anew.
  if (before === null || bytesDone < before.bytesDone) {
    return { at, bytesDone, bytesTotal, bytesPerSecond: 0 };
  }
  const passedMs = at - before.at;
  if (passedMs < stepMsMin) return { ...before, bytesTotal };
  const rate = (bytesDone - before.bytesDone) * 1_000 / passedMs;
  const weight = before.bytesPerSecond === 0 ? 1 : 1 - Math.exp(-passedMs / smoothingMs);
  const bytesPerSecond = before.bytesPerSecond + weight * (rate - before.bytesPerSecond);
  return { at, bytesDone, bytesTotal, bytesPerSecond };
}

/** What an operator is shown; `bytesDone` is the newest report. */
export function shown(meter: Meter, bytesDone: number): JobProgress {
  const { bytesTotal, bytesPerSecond } = meter;
  const left = bytesTotal === null ? null : Math.max(0, bytesTotal - bytesDone);
  const known = left !== null && bytesPerSecond > 0;
  return {
    bytesDone,
    bytesTotal,
    bytesPerSecond: Math.round(bytesPerSecond),
    etaSeconds: known ? Math.ceil(left / bytesPerSecond) : null,
  };
}
