/**
 * What a server needs before others may clone it: the CLONE plugin, loaded in the one queue of
 * changes, and on the leader the account that joiners log in with. Manual:
 * https://dev.mysql.com/doc/refman/9.7/en/clone-plugin-remote.html
 */
import { missingAcknowledgers } from "./acknowledgers.ts";
import type { ServerFacts } from "./facts.ts";
import { flag, rowsOf } from "./rows.ts";
import { type Statement, statement } from "./plan.ts";
import type { Sessions } from "./sessions.ts";
import { StatementRunner } from "./statement_runner.ts";
import { quoteAccount, quoteString } from "./text.ts";

export interface CloningParts {
  readonly sessions: Sessions;
  readonly statementMs: number;
  /** Aborted by the next fence. */
  readonly unfenced: () => AbortSignal;
  /** Runs statements in the one queue of changes. */
  readonly queued: (name: string, statements: readonly Statement[]) => Promise<void>;
  /** Looks at the server; rejects where it does not answer. */
  readonly facts: () => Promise<ServerFacts>;
}

/** A change of an account, its acknowledgement included. */
const admitMs = 8_000;
/** A busy donor is slow, and a copy is in no hurry: the agent's own limit is made for failovers. */
const connectMs = 5_000;
/** The library is loaded already. */
const installedAlready = [1125, 1968];

/** One server, as a donor. */
export class Cloning {
  readonly #parts: CloningParts;

  constructor(parts: CloningParts) {
    this.#parts = parts;
  }

  /** Loads the plugin unless it is there. A closed server is opened for the agent alone meanwhile. */
  async loadPlugin(): Promise<void> {
    const [row = {}] = await this.ask(
      "SELECT @@GLOBAL.super_read_only AS closed, (SELECT COUNT(*) > 0 FROM " +
        "information_schema.PLUGINS WHERE PLUGIN_NAME = 'clone' AND PLUGIN_STATUS = 'ACTIVE') AS loaded",
    );
    if (flag(row, "loaded")) return;
    await this.#parts.queued("load the clone plugin", pluginStatements(flag(row, "closed")));
  }

  /**
   * Creates the account that clones this cluster's servers, or gives it this password again. On the
   * open leader only; the others get it by replication.
   *
   * @throws {Error} with the reason, also while too few replicas are connected to acknowledge it.
   */
  async admit(account: { readonly user: string; readonly password: string }): Promise<void> {
    const { sessions, statementMs, unfenced, facts } = this.#parts;
    const [row = {}] = await this.ask("SELECT @@GLOBAL.read_only AS closed");
    if (flag(row, "closed")) {
      throw new Error("Cannot create the account for copies as this server is not open for writes");
    }
    const missing = missingAcknowledgers((await facts()).semiSyncSource);
    if (missing !== null) throw new Error(`Cannot create the account for copies: ${missing}`);
    const signal = AbortSignal.any([unfenced(), AbortSignal.timeout(3 * admitMs)]);
    await using runner = new StatementRunner({
      sessions,
      statementMs,
      signal,
      patience: { kind: "bounded", deadlineMs: admitMs },
      warn: () => {},
    });
    await runner.run(accountStatements(account));
  }

  /** Runs one query on a connection of its own. */
  async ask(sql: string) {
    const connection = await this.#parts.sessions.fresh(connectMs);
    try {
      return rowsOf(await connection.query(sql, { deadlineMs: this.#parts.statementMs }));
    } finally {
      this.#parts.sessions.release(connection);
    }
  }
}

function pluginStatements(closed: boolean): readonly Statement[] {
  const install = statement(
    "INSTALL PLUGIN clone SONAME 'mysql_clone.so'",
    "load the plugin that copies servers",
    { deadline: "thread", allowedErrors: installedAlready },
  );
  if (!closed) return [install];
  return [
    statement("SET GLOBAL super_read_only = OFF", "admit the agent, clients stay read-only"),
    install,
    statement("SET GLOBAL super_read_only = ON", "close the server again"),
  ];
}

function accountStatements(
  { user, password }: { readonly user: string; readonly password: string },
): readonly Statement[] {
  const account = quoteAccount(user, "%");
  const options = { deadline: "acknowledged", connection: "marker", secret: true } as const;
  const identified = `IDENTIFIED BY ${quoteString(password)}`;
  return [
    statement(`CREATE USER IF NOT EXISTS ${account} ${identified}`, "create its account", options),
    statement(`ALTER USER ${account} ${identified} ACCOUNT UNLOCK`, "set its password", options),
    statement(`GRANT BACKUP_ADMIN ON *.* TO ${account}`, "let it copy servers", options),
  ];
}
