/**
 * Shuts a replica out for good. Its account is locked first, so that it cannot come back; then its
 * sessions are ended and seen gone. A login that had begun before the lock may still succeed after it, so
 * those are waited for as well.
 */

import type { Connection } from "./client.ts";
import { killSessions } from "./other_sessions.ts";
import {
  type AccountRow,
  accountRows,
  accountsQuery,
  lockAccounts,
  type ReplicaName,
  replicationAccount,
} from "./replication_account.ts";
import { integer, rowsOf, text } from "./rows.ts";
import type { Statement } from "./plan.ts";
import { quoteString } from "./text.ts";
import { pause, TimeLeft } from "./time_left.ts";
import { counted } from "./counted.ts";

export interface CutOff {
  readonly replica: ReplicaName;
  /** Those that go on; enough of them must acknowledge. */
  readonly staying: readonly ReplicaName[];
}

/** A session of a replica, or a login that is not over. */
export interface SessionSeen {
  readonly sessionId: number;
  /** "" before the login is over. */
  readonly user: string;
  /** It asked for semi-sync when it connected, so its acknowledgements count. */
  readonly acknowledges: boolean;
}

export interface CutOffParts {
  readonly connection: Connection;
  /** The configured name of the replication accounts. */
  readonly user: string;
  /** Acknowledgements that commits need. */
  readonly k: number;
  readonly deadlineMs: number;
  readonly run: (statements: readonly Statement[]) => Promise<void>;
}

const pollMs = 5;
/** The last look may take so long after the time is over. */
const graceMs = 100;
/** A login that takes longer is ended. */
const loginMs = 500;

/**
 * Locks the account of a replica, and with it the one that all shared in clusters of an earlier version,
 * and sees that nobody uses them any more. What is so already is left alone.
 *
 * @throws {Error} when a session does not end in time, or too few replicas have accounts of their own.
 */
export async function cutOff(parts: CutOffParts, { replica, staying }: CutOff): Promise<void> {
  const { connection, user, k, deadlineMs } = parts;
  const accounts = [replicationAccount(user, replica), user];
  const rows = accountRows(await connection.query(accountsQuery(accounts), { deadlineMs }));
  const sessions = await sessionsOf(connection, deadlineMs);
  const stay = staying.map((one) => replicationAccount(user, one));
  const because = stillShared({ rows, sessions, user, stay, k });
  if (because !== null) throw new Error(`Cannot remove ${replica.id}: ${because}`);
  await parts.run(lockAccounts(rows));
  await endSessions(parts, accounts);
}

/**
 * Why the account that all shared cannot be locked yet. A server whose agent is of an earlier version, or
 * has not pointed it anew, would be shut out with it.
 */
export function stillShared(seen: {
  readonly rows: readonly AccountRow[];
  readonly sessions: readonly SessionSeen[];
  readonly user: string;
  readonly stay: readonly string[];
  readonly k: number;
}): string | null {
  const { rows, sessions, user, stay, k } = seen;
  if (!rows.some((row) => row.user === user && !row.locked)) return null;
  const own = sessions.filter((one) => one.acknowledges && stay.includes(one.user)).length;
  if (own >= k) return null;
  return `writes need ${
    counted(k, "acknowledgement")
  } and only ${own} of the voters that stay log in with an ` +
    `account of their own, the others with "${user}": run this version on all of them`;
}

async function endSessions(parts: CutOffParts, accounts: readonly string[]): Promise<void> {
  const { connection, deadlineMs } = parts;
  const time = new TimeLeft(deadlineMs);
  const patience = new TimeLeft(loginMs);
  const killed = new Set<number>();
  let logins: ReadonlySet<number> | null = null;
  while (true) {
    const seen = await sessionsOf(connection, time.leftMs + graceMs);
    // Who begins to log in after this meets the lock.
    const early: ReadonlySet<number> = logins ?? new Set(loginsOf(seen));
    logins = early;
    const left = leaving(seen, { accounts, logins: early });
    if (left.length === 0) return;
    if (time.over) {
      const ids = left.map(({ sessionId }) => sessionId).join(", ");
      throw new Error(`Cannot shut ${accounts[0]} out as sessions ${ids} do not end`);
    }
    const ending = left.filter(({ sessionId, user }) =>
      !killed.has(sessionId) && (user !== "" || patience.over)
    ).map(({ sessionId }) => sessionId);
    await killSessions(connection, ending, { deadlineMs: time.leftMs + graceMs });
    for (const id of ending) killed.add(id);
    await pause(pollMs);
  }
}

function loginsOf(sessions: readonly SessionSeen[]): readonly number[] {
  return sessions.filter(({ user }) => user === "").map(({ sessionId }) => sessionId);
}

/** Sessions of these accounts, and logins of that time which may still become one. */
export function leaving(
  sessions: readonly SessionSeen[],
  { accounts, logins }: {
    readonly accounts: readonly string[];
    readonly logins: ReadonlySet<number>;
  },
): readonly SessionSeen[] {
  return sessions.filter(({ user, sessionId }) =>
    accounts.includes(user) || (user === "" && logins.has(sessionId))
  );
}

async function sessionsOf(
  connection: Connection,
  deadlineMs: number,
): Promise<readonly SessionSeen[]> {
  return rowsOf(await connection.query(clientSessions, { deadlineMs })).map((row) => ({
    sessionId: integer(row, "id"),
    user: text(row, "user", ""),
    acknowledges: text(row, "semi", "0") === "1",
  }));
}

/** A receiver asks for semi-sync by a variable of its session. Without a user: not yet logged in. */
const clientSessions = "SELECT thread.PROCESSLIST_ID AS id, thread.PROCESSLIST_USER AS user, " +
  "MAX(CONVERT(variable.VARIABLE_VALUE USING utf8mb4)) AS semi " +
  "FROM performance_schema.threads AS thread LEFT JOIN " +
  "performance_schema.user_variables_by_thread AS variable ON " +
  "variable.THREAD_ID = thread.THREAD_ID " +
  "AND variable.VARIABLE_NAME IN ('rpl_semi_sync_replica', 'rpl_semi_sync_slave') " +
  `WHERE thread.NAME = ${quoteString("thread/sql/one_connection")} ` +
  "GROUP BY thread.PROCESSLIST_ID, thread.PROCESSLIST_USER";
