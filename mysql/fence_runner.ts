/** Drives the hard fence to its end over connections that were opened beforehand. */

import { type ClosingRequest, isClosedAlready, lookAtClosing } from "./closing.ts";
import type { Connection } from "./client.ts";
import { DatabaseError } from "./client_error.ts";
import type { SemiSyncWords } from "./dialect.ts";
import { messageOf } from "./message_of.ts";
import {
  fence,
  type FenceAction,
  type FenceMemory,
  type FenceSeen,
  fenceStart,
} from "./plan_fence.ts";
import { killSessions } from "./other_sessions.ts";
import { seesSessions } from "./privileges.ts";
import type { Sessions } from "./sessions.ts";
import { pause, TimeLeft, within } from "./time_left.ts";

export type FenceResult =
  | { readonly kind: "closed" }
  /** SQL cannot close this server, or not in time: SIGKILL is what remains. */
  | { readonly kind: "mustKill"; readonly because: string };

export interface FenceParts {
  readonly sessions: Sessions;
  readonly request: ClosingRequest;
  readonly deadlineMs: number;
}

/** Switching semi-sync off waits for a thread of the server that wakes up once a second. */
const releaseMs = 3_000;
/** A request that hangs ends by its own, so a look need not be more frequent. */
const pollMs = 3;

const blind =
  "the agent's account lacks PROCESS, so nobody sees the clients that must not hear a commit";

/** Closes the server; see `plan_fence.ts` for the order that keeps the promise. It never throws. */
export async function runFence(parts: FenceParts): Promise<FenceResult> {
  const fenceRun = new FenceRun(parts);
  try {
    return await fenceRun.run();
  } catch (error) {
    return { kind: "mustKill", because: messageOf(error) };
  }
}

class FenceRun {
  readonly #parts: FenceParts;
  #time: TimeLeft;
  readonly #killed = new Set<number>();
  #memory: FenceMemory = fenceStart;
  /** Whether the look before this one showed no session of an abandoned statement. */
  #quiet: boolean;

  constructor(parts: FenceParts) {
    this.#parts = parts;
    this.#time = new TimeLeft(parts.deadlineMs);
    this.#quiet = strayIds(parts.sessions).size === 0;
  }

  async run(): Promise<FenceResult> {
    const { request } = this.#parts;
    request.renew();
    let connection = await this.#connection("fence");
    for (let first = true; this.#time.leftMs > 0; first = false) {
      // It may have been lost, or killed by an operator: another one takes its place.
      if (!connection.usable) connection = await this.#connection("fence");
      const found = await this.#look(connection);
      if (found === null) continue;
      if (first && this.#quiet && isClosedAlready(found.seen)) return { kind: "closed" };
      if (first && !seesSessions(this.#parts.sessions.grants)) {
        return { kind: "mustKill", because: blind };
      }
      const ended = await this.#act(connection, found);
      if (ended !== null) return ended;
    }
    return { kind: "mustKill", because: `it is not closed within ${this.#parts.deadlineMs} ms` };
  }

  async #act(
    connection: Connection,
    found: { readonly seen: FenceSeen; readonly words: SemiSyncWords },
  ): Promise<FenceResult | null> {
    const quietBefore = this.#quiet;
    this.#quiet = this.#strayFree(found.seen);
    const step = fence(this.#memory, found.seen);
    this.#memory = step.memory;
    for (const action of step.actions) {
      if (action.kind === "mustKillServer") return { kind: "mustKill", because: action.because };
      if (action.kind === "done") {
        // A statement that was given up could have changed the switch after it was read.
        if (!this.#quiet || !quietBefore) continue;
        if (!action.admitClients) await this.#keepClientsOut(connection);
        return { kind: "closed" };
      }
      await this.#do(connection, action, found.words);
    }
    return null;
  }

  async #do(connection: Connection, action: FenceAction, words: SemiSyncWords): Promise<void> {
    const { request } = this.#parts;
    switch (action.kind) {
      case "requestSuperReadOnly":
        return request.send(await this.#connection("request"), this.#time.leftMs);
      case "kill":
        await killSessions(connection, action.ids, { deadlineMs: this.#time.leftMs });
        for (const id of action.ids) this.#killed.add(id);
        return;
      case "semiSyncOff":
        return await this.#semiSyncOff(words);
      default: {
        const rest = pause(pollMs);
        await (request.state === "pending" ? Promise.race([request.ended, rest]) : rest);
      }
    }
  }

  /**
   * Switches semi-sync off. Commits that wait end at once, but the statement returns only when the thread
   * that reads acknowledgements wakes up, after up to a second, and nobody can read a variable until then.
   * Killing the dump threads would wake it up, but was seen to break logins of other clients right after.
   */
  async #semiSyncOff(words: SemiSyncWords): Promise<void> {
    // Nobody can be told "committed" any more: the deadline of the fence is kept, the rest is tidying.
    this.#time = new TimeLeft(Math.max(releaseMs, this.#time.leftMs));
    const release = await this.#connection("release");
    const sql = `SET GLOBAL rpl_semi_sync_${words}_enabled = OFF`;
    const run = () => release.query(sql, { deadlineMs: this.#time.leftMs });
    await this.#parts.sessions.stalls.during(run);
  }

  /** Prepared XA transactions wait for somebody, and XA COMMIT ignores super_read_only. */
  async #keepClientsOut(connection: Connection): Promise<void> {
    await connection.query("SET GLOBAL offline_mode = ON", { deadlineMs: this.#time.leftMs });
  }

  #strayFree(seen: FenceSeen): boolean {
    const strays = strayIds(this.#parts.sessions);
    const present = new Set(seen.sessions.map(({ id }) => id).filter((id) => strays.has(id)));
    this.#parts.sessions.forget([...strays].filter((id) => !present.has(id)));
    return present.size === 0;
  }

  /** A look, or null when its connection broke while there is time for another one. */
  async #look(connection: Connection) {
    const { sessions, request } = this.#parts;
    try {
      return await lookAtClosing(connection, {
        deadlineMs: this.#time.leftMs,
        request,
        killedIds: this.#killed,
        agentConnectionIds: sessions.ids,
      });
    } catch (error) {
      if (error instanceof DatabaseError && error.kind === "lost" && this.#time.leftMs > 1) {
        return null;
      }
      throw error;
    }
  }

  #connection(name: "fence" | "request" | "release"): Promise<Connection> {
    const { sessions, deadlineMs } = this.#parts;
    const late = () => new Error(`Cannot connect to the server within ${deadlineMs} ms`);
    return within(this.#time.leftMs, sessions.get(name), late);
  }
}

function strayIds(sessions: Sessions): ReadonlySet<number> {
  return new Set([...sessions.strays, ...sessions.waiting]);
}
