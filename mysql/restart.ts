/**
 * When to start a server again that died: at once the first time, later and later when it keeps
 * dying, because a server that fails at every start needs a person and not a busy loop.
 */

export interface RestartHistory {
  /** Starts in a row after which the server did not stay up. */
  readonly failures: number;
  /** Monotonic milliseconds of the last start, or null when none was tried. */
  readonly startedAt: number | null;
}

export const noRestarts: RestartHistory = { failures: 0, startedAt: null };

/** A server that stayed up this long has recovered; its next death counts as the first. */
const stableMs = 60_000;
const firstWaitMs = 1_000;
const waitMsMax = 60_000;

/** Notes that the server is being started at `at` (monotonic milliseconds). */
export function noteStart(history: RestartHistory, at: number): RestartHistory {
  const recovered = history.startedAt !== null && at - history.startedAt >= stableMs;
  return { failures: recovered ? 1 : history.failures + 1, startedAt: at };
}

/** How long to wait from `at` until the next start may be tried; 0 means now. */
export function restartWaitMs(history: RestartHistory, at: number): number {
  if (history.startedAt === null || history.failures === 0) return 0;
  const ageMs = at - history.startedAt;
  if (ageMs >= stableMs) return 0;
  const doublings = Math.min(history.failures - 1, 16);
  const waitMs = Math.min(firstWaitMs * 2 ** doublings, waitMsMax);
  return Math.max(0, waitMs - ageMs);
}
