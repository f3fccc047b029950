/**
 * One connection to a MySQL server, with a deadline on everything.
 *
 * A statement that gets no answer in time closes the socket the hard way: only then does its
 * promise end and nothing keeps the process alive. The server may go on with such a statement, so
 * whoever cares ends it from a second connection and sees it gone (`killAndVerify`).
 */

import { connect as connectSocket, type Socket } from "node:net";
import type { Connection as WireConnection, QueryError } from "mysql2";
import { DatabaseError, detailsOf, shownMessage, shownSql } from "./client_error.ts";
import { pause } from "./time_left.ts";

export interface Endpoint {
  readonly user: string;
  readonly password: string;
  /** Path of a Unix socket; it goes before host and port. */
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: number;
}

export interface ConnectOptions extends Endpoint {
  /** Limit for connecting and logging in together. */
  readonly connectMs: number;
  /** Shown by the server as the attribute program_name of this session. */
  readonly programName?: string;
}

export interface QueryOptions {
  /** Limit from the call to the whole answer, the wait behind other statements included. */
  readonly deadlineMs: number;
  /** Values for the question marks in the statement. */
  readonly values?: readonly Value[];
}

export type Value = string | number | bigint | boolean | null | Uint8Array;

/**
 * One row: column name to value. BIGINT and DECIMAL columns are texts whatever their value, and so
 * are numeric system variables, dates and JSON; smaller numbers are numbers; binary ones are bytes.
 */
export type Row = Readonly<Record<string, string | number | null | Uint8Array>>;

export interface ChangeResult {
  readonly affectedRows: number;
}

/** More statements than this waiting on one connection mean that somebody forgot to wait. */
const queueMax = 32;
/** A polite goodbye may take this long, then the socket is closed anyway. */
const closeMs = 200;
const portDefault = 3306;

/** A connection to one server. It runs one statement at a time, in the order of the calls. */
export class Connection implements AsyncDisposable {
  /** The server's number for this session, as in SHOW PROCESSLIST and KILL. */
  readonly id: number;
  /** Where it leads: a socket path or host:port. */
  readonly target: string;
  /** Settled when the socket is closed, by whichever side. It is never rejected. */
  readonly closed: Promise<void>;
  readonly #wire: WireConnection;
  readonly #socket: Socket;
  readonly #waiting = new Set<(reason: DatabaseError) => void>();

  private constructor(parts: WireParts, target: string) {
    this.#wire = parts.wire;
    this.#socket = parts.socket;
    this.id = parts.wire.threadId ?? 0;
    this.target = target;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#socket.once("close", () => {
      resolve();
      this.#failAll("lost", `Lost the connection to ${target}`);
    });
    if (this.#socket.destroyed) resolve();
  }

  /** Connects and logs in. Rejects with a DatabaseError of kind refused, denied, timeout or lost. */
  static async connect(options: ConnectOptions): Promise<Connection> {
    const target = targetOf(options);
    return new Connection(await openWire(options, target), target);
  }

  /** False once the socket is closed; every later statement is rejected as lost. */
  get usable(): boolean {
    return !this.#socket.destroyed;
  }

  /** Runs a statement and returns its rows; none for a statement that gives no result set. */
  async query(sql: string, options: QueryOptions): Promise<readonly Row[]> {
    const answer = await this.#run(sql, options);
    return Array.isArray(answer) ? answer as readonly Row[] : [];
  }

  /** Runs a statement that changes something and tells how many rows it touched. */
  async change(sql: string, options: QueryOptions): Promise<ChangeResult> {
    const answer = await this.#run(sql, options) as { readonly affectedRows?: number };
    return { affectedRows: answer.affectedRows ?? 0 };
  }

  /** Closes the socket at once. Statements under way are rejected as lost. */
  destroy(): void {
    this.#socket.destroy();
    this.#failAll("lost", `Closed the connection to ${this.target}`);
  }

  /** Says goodbye where the connection is idle, and closes it either way. */
  async close(): Promise<void> {
    if (this.#waiting.size > 0) this.destroy();
    if (!this.usable) return;
    const timer = setTimeout(() => this.destroy(), closeMs);
    this.#wire.end(() => this.#socket.destroy());
    await this.closed;
    clearTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #run(sql: string, options: QueryOptions): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    if (!this.usable) {
      reject(lost(`Cannot run "${shownSql(sql)}" as the connection to ${this.target} is closed`));
      return promise;
    }
    if (this.#waiting.size >= queueMax) {
      const reason = `${queueMax} statements wait already on ${this.target}`;
      reject(new RangeError(`Cannot run "${shownSql(sql)}" as ${reason}`));
      return promise;
    }
    const timer = setTimeout(() => this.#late(sql, options.deadlineMs), options.deadlineMs);
    const fail = (reason: DatabaseError) => {
      clearTimeout(timer);
      this.#waiting.delete(fail);
      reject(reason);
    };
    this.#waiting.add(fail);
    this.#wire.query({ sql, values: [...options.values ?? []] }, (error, answer) => {
      if (error !== null) return fail(this.#failure(sql, error));
      clearTimeout(timer);
      this.#waiting.delete(fail);
      resolve(answer);
    });
    return promise;
  }

  #late(sql: string, deadlineMs: number): void {
    const what = `Cannot run "${shownSql(sql)}" on ${this.target}`;
    this.#socket.destroy();
    this.#failAll("timeout", `${what}: no answer within ${deadlineMs} ms`);
  }

  #failAll(kind: "timeout" | "lost", text: string): void {
    const code = kind === "timeout" ? "ETIMEDOUT" : "PROTOCOL_CONNECTION_LOST";
    for (const fail of [...this.#waiting]) fail(new DatabaseError(text, { kind, code, errno: 0 }));
  }

  #failure(sql: string, error: QueryError): DatabaseError {
    const said = shownMessage(error, sql);
    const details = detailsOf(error);
    // A lost connection cannot be used again, whatever the driver thinks of it.
    if (details.kind !== "sql") this.#socket.destroy();
    return new DatabaseError(`Cannot run "${shownSql(sql)}" on ${this.target}: ${said}`, details);
  }
}

interface WireParts {
  readonly wire: WireConnection;
  readonly socket: Socket;
}

/** The driver is loaded at the first connection, so that commands without one start quickly. */
async function openWire(options: ConnectOptions, target: string): Promise<WireParts> {
  const { createConnection } = await import("mysql2");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = openSocket(options);
  const timer = setTimeout(() => {
    const text = `Cannot connect to ${target}: no answer within ${options.connectMs} ms`;
    reject(new DatabaseError(text, { kind: "timeout", code: "ETIMEDOUT", errno: 0 }));
  }, options.connectMs);
  const wire = createConnection({
    user: options.user,
    password: options.password,
    ...(options.socketPath === undefined ? {} : { socketPath: options.socketPath }),
    // The socket is ours, because closing it hard is the only stop that always works.
    stream: socket,
    connectTimeout: 0,
    charset: "utf8mb4",
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    jsonStrings: true,
    flags: ["-LOCAL_FILES"],
    connectAttributes: { program_name: options.programName ?? "xenon" },
  });
  // Stays for the life of the connection: an error nobody listens to would end the process.
  wire.on("error", (error: unknown) => reject(cannotConnect(target, error)));
  wire.once("connect", () => resolve());
  try {
    await promise;
    return { wire, socket };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function openSocket(endpoint: Endpoint): Socket {
  if (endpoint.socketPath !== undefined) return connectSocket({ path: endpoint.socketPath });
  const socket = connectSocket({
    host: endpoint.host ?? "127.0.0.1",
    port: endpoint.port ?? portDefault,
  });
  return socket.setNoDelay(true);
}

function targetOf(endpoint: Endpoint): string {
  return endpoint.socketPath ??
    `${endpoint.host ?? "127.0.0.1"}:${endpoint.port ?? portDefault}`;
}

function cannotConnect(target: string, error: unknown): DatabaseError {
  return new DatabaseError(`Cannot connect to ${target}: ${shownMessage(error, "")}`, {
    ...detailsOf(error),
  });
}

function lost(text: string): DatabaseError {
  return new DatabaseError(text, { kind: "lost", code: "PROTOCOL_CONNECTION_LOST", errno: 0 });
}

export interface KillRequest {
  /** The session to end, by its connection id. */
  readonly id: number;
  /** End the whole session, or only the statement that it runs. */
  readonly what: "connection" | "query";
  readonly deadlineMs: number;
}

export type KillResult =
  | { readonly kind: "ended"; readonly afterMs: number }
  /** It was told to stop and is still there: a commit that waits for a replica stays, for one. */
  | { readonly kind: "stillThere"; readonly afterMs: number; readonly state: string };

const killPollMs = 10;
const unknownThread = 1094;

/**
 * Ends another session, or its statement, and looks until it is gone. A session that is gone
 * already counts as ended. See KILL in the MySQL reference manual.
 */
export async function killAndVerify(
  connection: Connection,
  request: KillRequest,
): Promise<KillResult> {
  const startedAt = performance.now();
  const leftMs = () => Math.max(1, request.deadlineMs - (performance.now() - startedAt));
  const afterMs = () => Math.round(performance.now() - startedAt);
  const before = await sessionOf(connection, request.id, leftMs());
  if (before === undefined) return { kind: "ended", afterMs: afterMs() };
  await kill(connection, request, leftMs());
  while (true) {
    const now = await sessionOf(connection, request.id, leftMs());
    if (now === undefined || (request.what === "query" && now.statement !== before.statement)) {
      return { kind: "ended", afterMs: afterMs() };
    }
    if (leftMs() <= killPollMs) return { kind: "stillThere", afterMs: afterMs(), state: now.state };
    await pause(killPollMs);
  }
}

async function kill(connection: Connection, request: KillRequest, leftMs: number): Promise<void> {
  try {
    const verb = request.what === "query" ? "KILL QUERY" : "KILL CONNECTION";
    await connection.query(`${verb} ${BigInt(request.id)}`, { deadlineMs: leftMs });
  } catch (error) {
    // It ended between the look and the kill, which is what was wanted.
    if (error instanceof DatabaseError && error.errno === unknownThread) return;
    throw error;
  }
}

interface SessionSeen {
  readonly state: string;
  /** Tells one statement of the session from the next; empty while it runs none. */
  readonly statement: string;
}

async function sessionOf(
  connection: Connection,
  id: number,
  leftMs: number,
): Promise<SessionSeen | undefined> {
  const sql = "SELECT STATE AS state, LEFT(INFO, 1000) AS statement, COMMAND AS command" +
    " FROM information_schema.PROCESSLIST WHERE ID = ?";
  const [row] = await connection.query(sql, { deadlineMs: leftMs, values: [id] });
  if (row === undefined) return undefined;
  return {
    state: `${row.command ?? ""}: ${row.state ?? ""}`,
    statement: String(row.statement ?? ""),
  };
}
