/**
 * Statements of ours that keep a server from answering anybody for a moment. Whoever looks at it meanwhile
 * learns nothing about its health.
 *
 * Switching the source half of semi-sync off is one: it waits, with the lock of all variables in its hand,
 * for the thread that reads acknowledgements, which sleeps for up to a second where none arrive.
 */

import { DatabaseError } from "./client_error.ts";

/** Longer than any of them takes on a healthy server, even a loaded one. */
const longestMs = 3_000;

/** Remembers when such a statement last ran. */
export class OwnStalls {
  readonly #now: () => number;
  #running = 0;
  #begunAt = -Infinity;
  #endedAt = -Infinity;

  /** `now` gives monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Runs a statement that may stall the server. */
  async during<T>(run: () => Promise<T>): Promise<T> {
    this.#running++;
    this.#begunAt = this.#now();
    try {
      const result = await run();
      this.#endedAt = this.#now();
      return result;
    } catch (error) {
      // Given up without an answer, it goes on for as long as it takes.
      const answered = error instanceof DatabaseError && error.kind === "sql";
      this.#endedAt = answered ? this.#now() : this.#begunAt + longestMs;
      throw error;
    } finally {
      this.#running--;
    }
  }

  /** Was the server stalled by us at any moment since then? One that takes too long is no excuse. */
  since(at: number): boolean {
    const now = this.#now();
    if (now - this.#begunAt > longestMs) return false;
    return this.#running > 0 || this.#endedAt >= at;
  }
}
