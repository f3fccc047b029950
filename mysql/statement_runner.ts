/**
 * Runs the statements of plans: the right connection, its deadline, and an end at once when whoever
 * asked for them is no longer entitled to.
 */

import type { Connection } from "./client.ts";
import { DatabaseError, secretReason } from "./client_error.ts";
import { type Deadline, deadlinesMs, type Statement, waitSliceSeconds } from "./plan.ts";
import type { Sessions } from "./sessions.ts";
import { every, stopwatch } from "./time_left.ts";

/** How long a commit may wait for its acknowledgements. */
export type Patience =
  /** Until the signal is aborted; `progress` hears a sentence each second. */
  | { readonly kind: "unbounded"; readonly progress: (sentence: string) => void }
  /** It is left alone after so long, still waiting, and the error says so. */
  | { readonly kind: "bounded"; readonly deadlineMs: number };

export interface RunnerOptions {
  readonly sessions: Sessions;
  /** Aborted when the operation is over: nothing more is sent, what runs is abandoned. */
  readonly signal: AbortSignal;
  /** Asked right before each statement; false ends the operation. */
  readonly entitled?: () => boolean;
  /** Limit of a quick statement. */
  readonly statementMs: number;
  readonly patience: Patience;
  /** Hears of a statement that may fail and did. */
  readonly warn: (sentence: string) => void;
  /** Hears the milliseconds of each statement. */
  readonly timing?: (what: string, ms: number) => void;
}

export interface GuardedCall<T> {
  /** Short sentence for the error of a call that came too late. */
  readonly what: string;
  /** True for a commit that may wait for acknowledgements. */
  readonly waits?: boolean;
  readonly run: () => Promise<T>;
}

/** The longest timer there is, 24 days: commits that wait end by acknowledgement or by the signal. */
const longestMs = 2_147_483_647;

/** Runs statements for one operation. */
export class StatementRunner implements AsyncDisposable {
  readonly #options: RunnerOptions;
  #marker: Promise<Connection> | null = null;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Opens the connection of the marker in the background, so that it is there when its turn comes. */
  prepareMarker(): void {
    this.#marker ??= this.#options.sessions.fresh();
    // The error reaches whoever awaits the connection, if anybody does.
    this.#marker.catch(() => {});
  }

  /**
   * Runs statements one after the other.
   *
   * @throws {Error} "Cannot <what the statement is for>: <why>"; what follows it was not sent.
   */
  async run(statements: readonly Statement[]): Promise<void> {
    for (const [index, next] of statements.entries()) {
      await this.#runOne(next);
      const lastOfMarker = statements[index + 1]?.connection !== "marker";
      if (next.connection === "marker" && lastOfMarker) await this.#releaseMarker();
    }
  }

  /** Runs a call on a connection; an abort or a missed deadline abandons that connection. */
  async guarded<T>(connection: Connection, call: GuardedCall<T>): Promise<T> {
    const { sessions, signal, entitled } = this.#options;
    if (signal.aborted || entitled?.() === false) throw overError(call.what, signal);
    const abandon = () => sessions.abandon(connection, call.waits === true ? "waits" : "runs");
    signal.addEventListener("abort", abandon, { once: true });
    try {
      return await call.run();
    } catch (error) {
      if (error instanceof DatabaseError && error.kind !== "sql") abandon();
      if (signal.aborted) throw overError(call.what, signal);
      throw error;
    } finally {
      signal.removeEventListener("abort", abandon);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#releaseMarker();
  }

  async #runOne(next: Statement): Promise<void> {
    const { sessions, signal } = this.#options;
    if (signal.aborted) throw overError(next.what, signal);
    const elapsedMs = stopwatch();
    if (next.connection === "marker") this.prepareMarker();
    try {
      const connection = await (next.connection === "marker" && this.#marker !== null
        ? this.#marker
        : sessions.get(next.connection === "marker" ? "work" : next.connection));
      const waits = next.deadline === "acknowledged";
      const send = () =>
        this.#send(connection, next);
      const run = () => next.stalls ? sessions.stalls.during(send) : send();
      await this.guarded(connection, { what: next.what, waits, run });
    } catch (error) {
      if (next.connection === "marker") await this.#dropMarker(next.deadline === "acknowledged");
      this.#judge(next, error);
    }
    this.#options.timing?.(next.what, elapsedMs());
  }

  async #send(connection: Connection, next: Statement): Promise<void> {
    const { patience } = this.#options;
    if (next.deadline !== "acknowledged" || patience.kind === "bounded") {
      await connection.query(next.sql, { deadlineMs: this.#deadlineMs(next.deadline) });
      return;
    }
    patience.progress(next.what);
    const sliceMs = waitSliceSeconds * 1_000;
    using _slices = every(sliceMs, () => patience.progress(`still waiting: ${next.what}`));
    await connection.query(next.sql, { deadlineMs: longestMs });
  }

  #deadlineMs(deadline: Deadline): number {
    const { patience, statementMs } = this.#options;
    if (deadline === "acknowledged" && patience.kind === "bounded") return patience.deadlineMs;
    return deadline === "quick" ? statementMs : deadlinesMs[deadline];
  }

  #judge(next: Statement, error: unknown): void {
    if (!(error instanceof DatabaseError)) throw error;
    if (next.allowedErrors.includes(error.errno)) return;
    const why = next.secret ? secretReason(error) : error.message;
    const sentence = `Cannot ${next.what}: ${why}`;
    if (!next.mayFail || error.kind !== "sql") {
      throw new Error(sentence, next.secret ? {} : { cause: error });
    }
    this.#options.warn(sentence);
  }

  async #releaseMarker(): Promise<void> {
    const marker = this.#marker;
    this.#marker = null;
    if (marker === null) return;
    const [opened] = await Promise.allSettled([marker]);
    if (opened.status === "rejected" || !opened.value.usable) return;
    this.#options.sessions.release(opened.value);
  }

  /** After a failure its session may still hold a GTID or wait for acknowledgements. */
  async #dropMarker(waits: boolean): Promise<void> {
    const marker = this.#marker;
    this.#marker = null;
    if (marker === null) return;
    const [opened] = await Promise.allSettled([marker]);
    if (opened.status === "rejected") return;
    this.#options.sessions.abandon(opened.value, waits ? "waits" : "runs");
  }
}

function overError(what: string, signal: AbortSignal): Error {
  return new Error(`Cannot ${what}: what it belongs to is over`, { cause: signal.reason });
}
