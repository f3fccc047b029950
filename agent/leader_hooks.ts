/**
 * When the operator's commands run: one at a time, in the order of what they announce, the stop once
 * for each leadership. A slow stop of an old leadership never ends after the start of a new one.
 */
import type { Clock, Hooks, Log } from "./ports.ts";
import { messageOf } from "../mysql/message_of.ts";

type Environment = Readonly<Record<string, string>>;

export interface LeaderHooksOptions {
  readonly hooks: Hooks;
  readonly clock: Clock;
  readonly log: Log;
  /** The facts for a command. */
  readonly environment: (role: "leader" | "follower") => Environment;
  /** Can clients write here? */
  readonly isOpen: () => Promise<boolean>;
}

/** A start that failed after a close was given up is tried again so much later. */
const startAgainMs = 1_000;

/** One for each node. */
export class LeaderHooks {
  readonly #options: LeaderHooksOptions;
  /** Fulfilled when the last command that was asked for is over. */
  #last: Promise<void> = Promise.resolve();
  /** Number of the present leadership; a stop is wanted at the start of the agent too. */
  #leadership = 0;
  /** The leadership whose stop runs or has succeeded. */
  #stopped = -1;
  #resuming = new AbortController();

  constructor(options: LeaderHooksOptions) {
    this.#options = options;
  }

  /** A leadership begins here: its end wants a stop. */
  begin(): void {
    this.#leadership++;
  }

  /** Runs the start when all before is over; rejected at once when the leadership is over. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { hooks, environment } = this.#options;
    const over = Promise.withResolvers<never>();
    const giveUp = () => over.reject(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      await Promise.race([
        over.promise,
        this.#inTurn(async () => {
          signal.throwIfAborted();
          await hooks.leaderStart(environment("leader"), { signal });
        }),
      ]);
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  /** Runs beside the closing and never delays it; one that failed runs again when asked again. */
  stop(): void {
    const { hooks, log, environment } = this.#options;
    this.#resuming.abort(new Error("the server is being closed"));
    if (this.#stopped === this.#leadership) return;
    const leadership = this.#leadership;
    this.#stopped = leadership;
    // The facts are those of now: a later leadership has another term.
    const facts = environment("follower");
    this.#inTurn(() => hooks.leaderStop(facts)).catch((error) => {
      if (this.#stopped === leadership) this.#stopped = leadership - 1;
      log.write("warning", `The leader-stop-command failed: ${messageOf(error)}`, {});
    });
  }

  /**
   * A close was given up and this node goes on leading: what the stop took away comes back as soon as
   * the server is seen open. Tried until it succeeds or the next closing begins.
   */
  resume(leadership: AbortSignal): void {
    this.begin();
    this.#resuming = new AbortController();
    void this.#resume(AbortSignal.any([leadership, this.#resuming.signal]));
  }

  async #resume(signal: AbortSignal): Promise<void> {
    const { log, clock, isOpen } = this.#options;
    while (!signal.aborted) {
      try {
        if (await isOpen()) {
          log.write("info", "Running the leader-start-command again, as I go on leading", {});
          return await this.start(signal);
        }
      } catch (error) {
        if (signal.aborted) return;
        log.write("warning", `I lead, and may have no clients: ${messageOf(error)}`, {});
      }
      await new Promise<void>((resolve) => clock.after(startAgainMs, resolve));
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(ignore);
    return done;
  }
}

/** Who asked for the command is told; the next one runs all the same. */
function ignore(): void {}
