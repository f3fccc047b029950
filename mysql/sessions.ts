/**
 * The connections of one agent to its server: opened before they are needed, and known by their ids.
 *
 * A connection that was given up while a statement ran leaves a stray: a session that may still act on
 * the server. Strays are remembered until somebody has seen them gone.
 */

import { Connection, type Endpoint } from "./client.ts";
import { DatabaseError } from "./client_error.ts";
import { OwnStalls } from "./own_stalls.ts";

/**
 * "look" reads facts, "log" the one that waits for writes to the binary log. "work" runs the one queue of
 * changes. "request" carries the request for super_read_only, which may hang, "release" the end of
 * semi-sync, which may take long, and "fence" the kills and looks meanwhile.
 */
export type SessionName = "look" | "log" | "work" | "request" | "release" | "fence";

export interface SessionSettings {
  readonly endpoint: Endpoint;
  /** For "request", "release" and "fence", such as an admin_port that is free when max_connections is used up. */
  readonly adminEndpoint?: Endpoint;
  /** Limit for connecting and logging in together. */
  readonly connectMs: number;
  /** A kept connection was closed by the other side: the first sign of a server that goes down. */
  readonly lost?: () => void;
}

/** How the server shows our sessions: the attribute program_name. */
export const programName = "xenon";

const names: readonly SessionName[] = ["fence", "request", "release", "work", "look", "log"];
/** More of them at a time mean that somebody forgot to release one. */
const freshMax = 8;
/** The patience with a slow login grows to so many times the limit. */
const slowLoginsMax = 8;
/** The oldest strays of a server that never lets go of them are forgotten. */
const straysMax = 64;

/** Keeps the connections of one agent. */
export class Sessions implements AsyncDisposable {
  /** What the statements of these sessions keep others from. */
  readonly stalls = new OwnStalls(() => performance.now());
  readonly #settings: SessionSettings;
  readonly #kept = new Map<SessionName, Connection>();
  readonly #opening = new Map<SessionName, Promise<Connection>>();
  readonly #fresh = new Set<Connection>();
  readonly #closing = new Set<Promise<void>>();
  readonly #strays = new Set<number>();
  readonly #waiting = new Set<number>();
  #grants: readonly string[] = [];
  #disposed = false;
  /** How long the next connection for looks may take. */
  #lookConnectMs: number;

  constructor(settings: SessionSettings) {
    this.#settings = settings;
    this.#lookConnectMs = settings.connectMs;
  }

  /** The server's numbers of all sessions that are ours now. */
  get ids(): ReadonlySet<number> {
    const living = [...this.#kept.values(), ...this.#fresh].filter(({ usable }) => usable);
    return new Set(living.map(({ id }) => id));
  }

  /** What the account of "fence" was granted when that was opened, as SHOW GRANTS says it; empty before. */
  get grants(): readonly string[] {
    return this.#grants;
  }

  /** Sessions of ours that were given up and not yet seen gone. */
  get strays(): ReadonlySet<number> {
    return this.#strays;
  }

  /** Strays whose commit waits for acknowledgements: no KILL ends them, only a fence releases them. */
  get waiting(): ReadonlySet<number> {
    return this.#waiting;
  }

  /** A kept connection, opened now where it is missing or was lost. */
  get(name: SessionName): Promise<Connection> {
    const kept = this.#kept.get(name);
    if (kept?.usable === true) return Promise.resolve(kept);
    const opening = this.#opening.get(name) ?? this.#open(name);
    this.#opening.set(name, opening);
    return opening;
  }

  /** Opens what is missing in the background; the next call tries again what failed. */
  warm(): void {
    for (const name of names) {
      // Whoever needs the connection gets the error then, with a caller to tell it to.
      this.get(name).catch(() => {});
    }
  }

  /** Opens all kept connections and waits for them. */
  async open(): Promise<void> {
    await Promise.all(names.map((name) => this.get(name)));
  }

  /** A connection of its own for one purpose, which may have more patience; see `release`. */
  async fresh(connectMs = this.#settings.connectMs): Promise<Connection> {
    if (this.#fresh.size >= freshMax) {
      throw new RangeError(`Cannot open another connection as ${freshMax} are in use`);
    }
    const connection = await this.#connect(this.#settings.endpoint, connectMs);
    this.#fresh.add(connection);
    return connection;
  }

  /** Ends a fresh connection that is idle. The goodbye has a limit and nobody needs to wait for it. */
  release(connection: Connection): void {
    this.#fresh.delete(connection);
    const closing = connection.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** Closes the socket of a connection whose statement may still run, or wait for acknowledgements. */
  abandon(connection: Connection, how: "runs" | "waits" = "runs"): void {
    connection.destroy();
    this.#fresh.delete(connection);
    for (const [name, kept] of this.#kept) {
      if (kept === connection) this.#kept.delete(name);
    }
    const strays = how === "waits" ? this.#waiting : this.#strays;
    strays.add(connection.id);
    const oldest = [...strays][0];
    if (strays.size > straysMax && oldest !== undefined) strays.delete(oldest);
  }

  /** Abandons the connection of this name, if it is open, and all fresh ones. */
  abandonWork(): void {
    const work = this.#kept.get("work");
    if (work !== undefined) this.abandon(work);
    this.abandonFresh();
  }

  /** Abandons all fresh connections: what they wait for is no longer wanted. */
  abandonFresh(): void {
    for (const connection of [...this.#fresh]) this.abandon(connection, "waits");
  }

  /** Closes all kept connections; whoever needs one opens it anew. */
  async letGo(): Promise<void> {
    const all = [...this.#kept.values()];
    this.#kept.clear();
    await Promise.all(all.map((connection) => connection.close()));
  }

  /** These strays were seen gone. */
  forget(ids: Iterable<number>): void {
    for (const id of [...ids]) {
      this.#strays.delete(id);
      this.#waiting.delete(id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const all = [...this.#kept.values(), ...this.#fresh];
    this.#kept.clear();
    this.#fresh.clear();
    await Promise.allSettled([...this.#opening.values()]);
    await Promise.all([...all.map((connection) => connection.close()), ...this.#closing]);
  }

  async #open(name: SessionName): Promise<Connection> {
    try {
      const { endpoint, adminEndpoint } = this.#settings;
      const apart = !["look", "log", "work"].includes(name);
      const connection = name === "look"
        ? await this.#connectPatiently(endpoint)
        : await this.#connect(apart ? adminEndpoint ?? endpoint : endpoint);
      // Asked now, as it waits behind a change of accounts that waits for its acknowledgement.
      if (name === "fence") this.#grants = await grantsOf(connection, this.#settings.connectMs);
      this.#kept.set(name, connection);
      connection.closed.then(() => {
        if (!this.#disposed && this.#kept.get(name) === connection) this.#settings.lost?.();
      });
      return connection;
    } finally {
      this.#opening.delete(name);
    }
  }

  /**
   * The first login after a restart of the server is the slow one, and on a busy machine slower than any
   * fixed limit: cut off each time, the server would never be seen again. Later logins are quick.
   */
  async #connectPatiently(endpoint: Endpoint): Promise<Connection> {
    const { connectMs } = this.#settings;
    try {
      const connection = await this.#connect(endpoint, this.#lookConnectMs);
      this.#lookConnectMs = connectMs;
      return connection;
    } catch (error) {
      if (error instanceof DatabaseError && error.kind === "timeout") {
        this.#lookConnectMs = Math.min(2 * this.#lookConnectMs, slowLoginsMax * connectMs);
      }
      throw error;
    }
  }

  async #connect(
    endpoint: Endpoint,
    connectMs = this.#settings.connectMs,
  ): Promise<Connection> {
    if (this.#disposed) throw new Error("Cannot connect as the connections were closed for good");
    const connection = await Connection.connect({ ...endpoint, connectMs, programName });
    await plainMode(connection, connectMs);
    if (!this.#disposed) return connection;
    await connection.close();
    throw new Error("Cannot connect as the connections were closed for good");
  }
}

/**
 * A server's defaults for everybody are not for our sessions. Under NO_BACKSLASH_ESCAPES a backslash in a
 * name or a password would arrive twice; a marker would not commit, or end its session; looks would be cut
 * short, refused or cut off.
 */
const plainSettings = [
  "sql_mode = 'NO_ENGINE_SUBSTITUTION'",
  "completion_type = 'NO_CHAIN'",
  "autocommit = 1",
  "max_execution_time = 0",
  "sql_select_limit = 18446744073709551615",
  "max_join_size = 18446744073709551615",
  "sql_big_selects = 1",
];
/** Before 5.7.20 this variable has another name, and the server takes it for a comment. */
const plainSql = `SET SESSION ${
  plainSettings.join(", ")
} /*!50720 , transaction_read_only = OFF */`;

async function plainMode(connection: Connection, deadlineMs: number): Promise<void> {
  try {
    await connection.query(plainSql, { deadlineMs });
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

/** What the server refuses to say is empty: without grant tables everything is allowed. */
async function grantsOf(connection: Connection, deadlineMs: number): Promise<readonly string[]> {
  try {
    const rows = await connection.query("SHOW GRANTS", { deadlineMs });
    return rows.flatMap((row) => Object.values(row)).filter((value) => typeof value === "string");
  } catch (error) {
    if (error instanceof DatabaseError && error.kind === "sql") return [];
    connection.destroy();
    throw error;
  }
}
