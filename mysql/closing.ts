/**
 * Closes a server for real: the hard fence, and the planned close of a switchover with its way back.
 *
 * The decisions are those of `plan_fence.ts`; here they meet connections that were opened beforehand.
 */

import { type Connection, killAndVerify } from "./client.ts";
import type { SemiSyncWords } from "./dialect.ts";
import { endStrays } from "./other_sessions.ts";
import { type FenceSeen, fenceSql, plannedClose, reopen, type Session } from "./plan_fence.ts";
import { flag, flagOf, integer, type Row, rowsOf, text } from "./rows.ts";
import type { Sessions } from "./sessions.ts";
import { endOf, TimeLeft } from "./time_left.ts";

/** The request for super_read_only: one at a time, as it may hang behind commits that wait. */
export class ClosingRequest {
  #state: FenceSeen["request"] = "none";
  #ended: Promise<void> = Promise.resolve();
  #sessionId = 0;

  get state(): FenceSeen["request"] {
    return this.#state;
  }

  /** Settled when the present request ends, well or badly; never rejected. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** The session that holds the request. */
  get sessionId(): number {
    return this.#sessionId;
  }

  /** Forgets a request that ended; one that hangs stays and is joined. */
  renew(): void {
    if (this.#state === "completed") this.#state = "none";
  }

  /** Sends the request unless one hangs already, and does not wait for it. */
  send(connection: Connection, deadlineMs: number): void {
    if (this.#state === "pending") return;
    this.#state = "pending";
    this.#sessionId = connection.id;
    this.#ended = connection.query(fenceSql.requestSuperReadOnly, { deadlineMs }).then(
      () => void (this.#state = "completed"),
      // The plan sees that the request is gone, and asks for another one.
      () => void (this.#state = "none"),
    );
  }
}

/** What a fence looks at, with the spelling of the semi-sync names that it found. */
export interface ClosingLook {
  readonly seen: FenceSeen;
  readonly words: SemiSyncWords;
}

/** Exact names are found by their index; a pattern would walk through all variables. */
const semiSyncSource = "SELECT VARIABLE_NAME AS name, VARIABLE_VALUE AS value FROM " +
  "performance_schema.global_variables WHERE VARIABLE_NAME IN " +
  "('rpl_semi_sync_source_enabled', 'rpl_semi_sync_master_enabled')";

export interface LookOptions {
  readonly deadlineMs: number;
  readonly request: ClosingRequest;
  readonly killedIds: ReadonlySet<number>;
  readonly agentConnectionIds: ReadonlySet<number>;
}

/** One look at a server that is being closed; super_read_only is read before the sessions are. */
export async function lookAtClosing(
  connection: Connection,
  options: LookOptions,
): Promise<ClosingLook> {
  const request = options.request.state;
  const limits = { deadlineMs: options.deadlineMs };
  const [flags, list, semiSync, prepared] = await Promise.all([
    connection.query(fenceSql.look, limits),
    connection.query(fenceSql.sessions, limits),
    connection.query(semiSyncSource, limits),
    connection.query(fenceSql.xaRecover, limits),
  ]);
  const row: Row = rowsOf(flags)[0] ?? {};
  const switches = rowsOf(semiSync);
  const older = switches.some((one) => text(one, "name").endsWith("master_enabled"));
  return {
    words: older ? "master" : "source",
    seen: {
      superReadOnly: flag(row, "super_read_only"),
      readOnly: flag(row, "read_only"),
      owned: text(row, "gtid_owned"),
      request,
      sessions: rowsOf(list).map((one) => ({
        ...sessionOf(one),
        state: text(one, "State", ""),
        info: text(one, "Info", ""),
      })),
      killedIds: options.killedIds,
      agentConnectionIds: options.agentConnectionIds,
      semiSyncSourceEnabled: switches.some((one) => flagOf(text(one, "value"))),
      xaPending: prepared.length,
    },
  };
}

/** A row of SHOW PROCESSLIST. */
export function sessionOf(row: Row): Session {
  return {
    id: integer(row, "Id"),
    user: text(row, "User", ""),
    host: text(row, "Host", ""),
    command: text(row, "Command", ""),
  };
}

/** Closed already, with nothing that could still be acknowledged: super_read_only is complete at 1 and 1. */
export function isClosedAlready(seen: FenceSeen): boolean {
  return seen.superReadOnly && seen.readOnly && seen.owned === "" && !seen.semiSyncSourceEnabled &&
    seen.request !== "pending";
}

export interface CloseParts {
  readonly sessions: Sessions;
  readonly request: ClosingRequest;
  readonly signal: AbortSignal;
  /** Does the run of the server that is being closed go on? Another run is never reopened. */
  readonly entitled: () => boolean;
  readonly deadlineMs: number;
}

/** Time for taking a close back: a kill, and two settings. */
const reopenMs = 2_000;
const pollMs = 50;

/**
 * Closes an open server for a switchover and gives its executed set, which is true then, as nobody waits.
 *
 * @throws {Error} when it cannot within the deadline; the sentence says whether it is open again.
 */
export async function closePlanned(parts: CloseParts): Promise<string> {
  const { sessions, request, deadlineMs } = parts;
  const time = new TimeLeft(deadlineMs);
  request.renew();
  const connection = await sessions.get("fence");
  const look = async () =>
    (await lookAtClosing(connection, {
      deadlineMs: time.leftMs + reopenMs,
      request,
      killedIds: new Set(),
      agentConnectionIds: sessions.ids,
    })).seen;
  const first = await look();
  while (true) {
    stopWhenOver(parts);
    // The set is asked for right behind the look, so that it is there when the look says "closed".
    const [seen, executed] = await Promise.all([look(), executedOf(connection)]);
    const action = plannedClose(seen, time.over);
    if (action.kind === "done") return executed;
    if (action.kind === "giveUp") {
      if (first.readOnly) throw new Error(`Cannot close the server: ${action.because}`);
      await takeBack(parts, connection);
      throw new Error(`Cannot close the server: ${action.because}; it is open again`);
    }
    if (action.kind === "requestSuperReadOnly") {
      stopWhenOver(parts);
      request.send(await sessions.get("request"), deadlineMs + reopenMs);
    }
    // Looking on while the request hangs would only keep the look after its end waiting.
    await endOf(request.ended, pollMs);
  }
}

async function executedOf(connection: Connection): Promise<string> {
  const sql = "SELECT @@GLOBAL.gtid_executed AS executed";
  const [row] = await connection.query(sql, { deadlineMs: reopenMs });
  return text(row ?? {}, "executed");
}

async function takeBack(parts: CloseParts, connection: Connection): Promise<void> {
  const { sessions, request } = parts;
  const time = new TimeLeft(reopenMs);
  try {
    while (!time.over) {
      const deadlineMs = time.leftMs;
      const { seen } = await lookAtClosing(connection, {
        deadlineMs,
        request,
        killedIds: new Set(),
        agentConnectionIds: sessions.ids,
      });
      stopWhenOver(parts);
      const action = reopen(seen);
      if (action.kind === "done") return;
      if (action.kind === "run") {
        const work = await sessions.get("work");
        stopWhenOver(parts);
        await work.query(action.sql, { deadlineMs });
      } else {
        const id = request.sessionId;
        const result = await killAndVerify(connection, { id, what: "connection", deadlineMs });
        if (result.kind === "stillThere") throw new Error(`its request does not end`);
        await request.ended;
        await endStrays(sessions, deadlineMs);
      }
    }
    throw new Error(`it took more than ${reopenMs} ms`);
  } catch (cause) {
    throw new Error("Cannot close the server, and could not open it again: fence it", { cause });
  }
}

/** A fence has taken over, or this is another run of the server: neither may be touched any more. */
function stopWhenOver(parts: CloseParts): void {
  if (!parts.entitled()) throw new Error("Cannot close the server as planned: it was restarted");
  if (!parts.signal.aborted) return;
  throw new Error("Cannot close the server as planned: a fence has taken over", {
    cause: parts.signal.reason,
  });
}
