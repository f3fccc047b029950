/**
 * Monotonic time that also counts the time a host was suspended. `performance.now()` stands still
 * during a suspend on Linux, and a leader must notice on its first event that its lease ran out, so
 * the jump between it and the host's uptime is added. The pause of a virtual machine that its guest
 * cannot see at all stays invisible: there the votes protect, not the lease.
 */

/** The uptime file counts hundredths of a second; a smaller jump is only its rounding. */
const JUMP_MS_MIN = 100;

export interface ClockSources {
  /** Milliseconds that do not go back. */
  readonly monotonicMs: () => number;
  /** Milliseconds since the host started, suspended time included; null where unknown. */
  readonly uptimeMs: () => number | null;
}

export interface RealClock {
  /** Monotonic milliseconds since the process started, suspended time included. */
  now(): number;
  /** Calls back once after at least `ms` of waking time; the result cancels it. */
  after(ms: number, call: () => void): () => void;
  /** How much of that the host was suspended. */
  suspendedMs(): number;
}

/** A clock of the host that does not jump; how long the host slept is told apart. */
export function createClock(sources: ClockSources = hostSources): RealClock {
  let suspendedMs = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  const originMs = lagMs(sources);
  function now(): number {
    const awakeMs = sources.monotonicMs();
    const jumpMs = (lagMs(sources) ?? 0) - (originMs ?? 0) - suspendedMs;
    if (originMs !== null && jumpMs >= JUMP_MS_MIN) suspendedMs += jumpMs;
    // The two sources are read one after the other, so a step back by rounding is possible.
    lastMs = Math.max(lastMs, awakeMs + suspendedMs);
    return lastMs;
  }
  return { now, after, suspendedMs: () => suspendedMs };
}

function after(ms: number, call: () => void): () => void {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
}

const hostSources: ClockSources = {
  monotonicMs: () => performance.now(),
  uptimeMs: readUptimeMs,
};

/** How far uptime is ahead of the monotonic clock; it grows only while the host sleeps. */
function lagMs(sources: ClockSources): number | null {
  const uptimeMs = sources.uptimeMs();
  return uptimeMs === null ? null : uptimeMs - sources.monotonicMs();
}

/** Reading it takes some microseconds, see proc_uptime(5). Other systems have no such file. */
function readUptimeMs(): number | null {
  try {
    const seconds = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]);
    return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null;
  } catch {
    // Without it the clock is merely blind to suspends, which the core survives.
    return null;
  }
}
