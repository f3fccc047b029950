/**
 * What an operator asks of a server that has nothing to do with who leads: accounts, settings, and the
 * binary logs that nobody needs any more.
 *
 * Changes that commit go over a connection of their own, beside the one queue: such a commit may wait
 * for its acknowledgements, and nothing of a failover may wait behind it. A fence ends them.
 */

import { type AccountPlan, type AccountWish, planAccount, shownAccount } from "./accounts.ts";
import { missingAcknowledgers } from "./acknowledgers.ts";
import type { Connection, QueryOptions } from "./client.ts";
import type { ServerFacts } from "./facts.ts";
import type { Statement } from "./plan.ts";
import type { BinaryLog } from "./plan_purge.ts";
import { isReplicationAccount } from "./replication_account.ts";
import { flag, integer, rowsOf, text } from "./rows.ts";
import type { Sessions } from "./sessions.ts";
import { StatementRunner } from "./statement_runner.ts";
import { quoteString } from "./text.ts";

/** An account as `getuser` shows it. */
export interface Account {
  readonly user: string;
  readonly host: string;
  /** May do what only administrators may. */
  readonly superior: boolean;
}

export interface AdministrationParts {
  readonly sessions: Sessions;
  readonly statementMs: number;
  /** The name of which those of the replicas' accounts are made. */
  readonly replicationUser: string;
  readonly agentUser: string;
  /** Aborted by the next fence. */
  readonly unfenced: () => AbortSignal;
  /** Runs statements in the one queue of changes. */
  readonly queued: (name: string, statements: readonly Statement[]) => Promise<void>;
  /** Looks at the server; rejects where it does not answer. */
  readonly facts: () => Promise<ServerFacts>;
}

/** A change of an account, its acknowledgement included. */
const changeMs = 8_000;
/** Deleting large files takes a file system long. */
const purgeMs = 20_000;
const accountsMax = 5_000;
/** Files whose beginning is read in one round; the next round goes on. */
const readMax = 100;
/** A file begins with its format, then says what was before it. */
const firstEvents = 3;

/** One server, as its operator changes it. */
export class Administration {
  readonly #parts: AdministrationParts;

  constructor(parts: AdministrationParts) {
    this.#parts = parts;
  }

  /** All accounts by name and host. */
  async accounts(): Promise<readonly Account[]> {
    const sql = "SELECT User AS user, Host AS host, Super_priv AS superior FROM mysql.user " +
      `ORDER BY User, Host LIMIT ${accountsMax}`;
    return (await this.#ask(sql)).map((row) => ({
      user: text(row, "user"),
      host: text(row, "host"),
      superior: text(row, "superior") === "Y",
    }));
  }

  /**
   * Makes, changes or drops an account on an open server.
   *
   * @throws {Error} with the reason, which never holds the password. An account that could not be given its
   * privileges is dropped again. Nothing is begun while too few replicas are connected to acknowledge it.
   */
  async changeAccount(wish: AccountWish): Promise<void> {
    const plan = await this.#planAccount(wish);
    const signal = AbortSignal.any([this.#parts.unfenced(), AbortSignal.timeout(3 * changeMs)]);
    await using runner = this.#runner(signal);
    await runner.run([plan.first]);
    try {
      await runner.run(plan.rest);
    } catch (error) {
      await runner.run(plan.undo);
      throw error;
    }
  }

  /** Sets global variables, in the queue of changes. */
  async setGlobals(settings: Statement): Promise<void> {
    await this.#parts.queued("set global variables", [settings]);
  }

  /** The binary logs, oldest first; the beginnings of the oldest are read. */
  async binaryLogs(): Promise<readonly BinaryLog[]> {
    const connection = await this.#parts.sessions.fresh();
    try {
      const limits = { deadlineMs: this.#parts.statementMs };
      const rows = rowsOf(await connection.query("SHOW BINARY LOGS", limits));
      const logs: BinaryLog[] = [];
      for (const [index, row] of rows.entries()) {
        const name = text(row, "Log_name");
        const previous = index > 0 && index <= readMax
          ? await previousOf(connection, name, limits)
          : null;
        logs.push({ name, bytes: integer(row, "File_size"), previous });
      }
      return logs;
    } finally {
      this.#parts.sessions.release(connection);
    }
  }

  /** Removes all binary logs before this one. */
  async purge(to: string): Promise<void> {
    const connection = await this.#parts.sessions.fresh();
    const sql = `PURGE BINARY LOGS TO ${quoteString(to)}`;
    try {
      await connection.query(sql, { deadlineMs: purgeMs });
    } finally {
      this.#parts.sessions.release(connection);
    }
  }

  async #planAccount(wish: AccountWish): Promise<AccountPlan & { readonly kind: "run" }> {
    const { agentUser, replicationUser } = this.#parts;
    const isOwn = (user: string) =>
      user === agentUser || isReplicationAccount(replicationUser, user);
    // Names that no server takes are refused before one is asked about them.
    requirePlan(wish, planAccount(wish, { exists: wish.kind !== "create", isOwn }));
    const [row = {}] = await this.#ask(
      "SELECT @@GLOBAL.read_only AS read_only, @@GLOBAL.super_read_only AS super_read_only, " +
        "(SELECT COUNT(*) FROM mysql.user WHERE User = " +
        `${quoteString(wish.user)} AND Host = ${quoteString(wish.host)}) AS found`,
    );
    if (flag(row, "read_only") || flag(row, "super_read_only")) {
      throw new Error(`Cannot change ${shownAccount(wish)}: the server is not open for writes`);
    }
    const plan = requirePlan(
      wish,
      planAccount(wish, { exists: integer(row, "found") > 0, isOwn }),
    );
    const missing = missingAcknowledgers((await this.#parts.facts()).semiSyncSource);
    if (missing !== null) throw new Error(`Cannot change ${shownAccount(wish)}: ${missing}`);
    return plan;
  }

  async #ask(sql: string) {
    const connection = await this.#parts.sessions.fresh();
    try {
      return rowsOf(await connection.query(sql, { deadlineMs: this.#parts.statementMs }));
    } finally {
      this.#parts.sessions.release(connection);
    }
  }

  #runner(signal: AbortSignal): StatementRunner {
    const { sessions, statementMs } = this.#parts;
    return new StatementRunner({
      sessions,
      statementMs,
      signal,
      patience: { kind: "bounded", deadlineMs: changeMs },
      warn: () => {},
    });
  }
}

function requirePlan(
  wish: AccountWish,
  plan: AccountPlan,
): AccountPlan & { readonly kind: "run" } {
  if (plan.kind === "run") return plan;
  throw new Error(`Cannot change ${shownAccount(wish)}: ${plan.because}`);
}

/** What a file says about what was before it: an event of its own near its beginning. */
async function previousOf(
  connection: Connection,
  name: string,
  limits: QueryOptions,
): Promise<string | null> {
  const sql = `SHOW BINLOG EVENTS IN ${quoteString(name)} LIMIT ${firstEvents}`;
  const rows = rowsOf(await connection.query(sql, limits));
  const event = rows.find((row) => text(row, "Event_type", "") === "Previous_gtids");
  return event === undefined ? null : text(event, "Info", "").replaceAll(/\s+/g, "");
}
