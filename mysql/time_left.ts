/** Monotonic time for the operations on a server: how much of a limit is left, and short pauses. */

/** A limit that began when this was made. */
export class TimeLeft {
  readonly #endsAt: number;

  constructor(deadlineMs: number) {
    this.#endsAt = performance.now() + deadlineMs;
  }

  /** Milliseconds until the limit; 0 when it is over. */
  get leftMs(): number {
    return Math.max(0, this.#endsAt - performance.now());
  }

  get over(): boolean {
    return this.leftMs === 0;
  }
}

/** Waits. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits for the end of `work`, however that is, and no longer than the limit. */
export async function endOf(work: Promise<unknown>, milliseconds: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  try {
    await Promise.race([work, late]);
  } catch {
    // Its error reaches whoever asked for the work.
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Helps work that takes its time, again and again until it is settled, however that is. What `help` throws
 * is left to the work, which then takes as long as it takes.
 */
export async function helpUntil(
  work: Promise<unknown>,
  help: () => Promise<unknown>,
  everyMs: number,
): Promise<void> {
  let over = false;
  const settled = work.then(() => over = true, () => over = true);
  while (!over) {
    await endOf(settled, everyMs);
    if (!over) await Promise.race([settled, help().catch(() => {})]);
  }
}

/** Calls again and again until the result is disposed of. */
export function every(milliseconds: number, call: () => void): Disposable {
  const timer = setInterval(call, milliseconds);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Awaits a promise, or rejects with the error that `late` makes once the time is over. */
export async function within<T>(
  milliseconds: number,
  promise: Promise<T>,
  late: () => Error,
): Promise<T> {
  const { promise: rejected, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), milliseconds);
  try {
    return await Promise.race([promise, rejected]);
  } finally {
    clearTimeout(timer);
  }
}

/** Measures one call in milliseconds. */
export function stopwatch(): () => number {
  const startedAt = performance.now();
  return () => performance.now() - startedAt;
}
