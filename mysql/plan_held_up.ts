/**
 * Which client sessions hold a promotion up: `FLUSH TABLES WITH READ LOCK`, a backup, a dump whose open
 * transaction keeps an ALTER waiting. A client that holds a lock may take hours, and a leader comes first.
 *
 * Two questions. Behind a standstill: does the applier, or a statement of ours, wait for a lock? A long
 * transaction is none: it works. And before the applier is stopped: does a client hold a lock of the whole
 * server? Under that of a backup STOP REPLICA is refused, and under a global read lock, which lets the
 * marker through, the leader would open and every write of a client would wait.
 */

import { clientSessions, isSystem, type Session } from "./plan_fence.ts";
import { atLeast, type Version } from "./version.ts";
import { counted } from "./counted.ts";

/** A session with what it does at the moment, as SHOW PROCESSLIST words it. */
export interface BusySession extends Session {
  readonly state: string;
}

/** The sessions of a server, and which of them are ours. */
export interface SessionsSeen {
  readonly sessions: readonly BusySession[];
  readonly agentConnectionIds: ReadonlySet<number>;
}

/** One session waits for a row that another one has locked. */
export interface RowWait {
  readonly waiter: number;
  readonly blocker: number;
}

/** One session holds, or is about to get, a lock of the whole server. */
export interface ServerLock {
  readonly id: number;
  /** As performance_schema words it: "GLOBAL", "COMMIT" or "BACKUP LOCK". */
  readonly type: string;
}

/** Sessions to end, and by what they hold the promotion up. */
export interface HoldUp {
  readonly ids: readonly number[];
  readonly by: string;
}

/**
 * Metadata locks, the global read lock, the backup lock and locks of whole tables have such states. What an
 * applier waits for otherwise (an event, a preceding transaction, an acknowledgement) has others.
 */
const lockWait = /^Waiting for (?:.+ lock|table flush)$/;

/**
 * Whom a standstill is owed to, or null. Who holds a metadata lock cannot be seen on every server, and
 * sessions wait for one another in chains: so all clients are named, as a fence would end them.
 */
export function waitsForClients(
  seen: SessionsSeen & { readonly rowWaits: readonly RowWait[] },
): HoldUp | null {
  const clients = clientSessions(seen).filter(({ command }) => command !== "Killed");
  const held = seen.sessions.filter((session) =>
    isSystem(session) || seen.agentConnectionIds.has(session.id)
  );
  const waiting = held.find(({ state }) => lockWait.test(state));
  if (waiting !== undefined) return holdUp(clients, `a lock ("${waiting.state}")`);
  const heldIds = new Set(held.map(({ id }) => id));
  const blockers = new Set(
    seen.rowWaits.filter(({ waiter }) => heldIds.has(waiter)).map(({ blocker }) => blocker),
  );
  return holdUp(clients.filter(({ id }) => blockers.has(id)), "locked rows");
}

/** The clients that hold a lock of the whole server, or null. */
export function serverLockHolders(
  seen: SessionsSeen & { readonly locks: readonly ServerLock[] },
): HoldUp | null {
  const holders = new Set(seen.locks.map(({ id }) => id));
  // One that is told to end holds its lock until it does.
  const chosen = clientSessions(seen).filter(({ id }) => holders.has(id));
  const ids = new Set(chosen.map(({ id }) => id));
  const global = seen.locks.some(({ id, type }) => ids.has(id) && type !== "BACKUP LOCK");
  const what = global ? "a global read lock (FLUSH TABLES WITH READ LOCK)" : "a backup lock";
  return holdUp(chosen, what);
}

/** One sentence for the log. */
export function endedSentence({ ids, by }: HoldUp): string {
  const who = counted(ids.length, "client session: it", "client sessions: they");
  return `ended ${who} held the promotion up by ${by}`;
}

/** Locks of the whole server; nothing where its instrument is off, as in 5.7 by default. */
export const serverLocksQuery = "SELECT t.PROCESSLIST_ID AS id, m.OBJECT_TYPE AS type " +
  "FROM performance_schema.metadata_locks AS m JOIN performance_schema.threads AS t " +
  "ON t.THREAD_ID = m.OWNER_THREAD_ID WHERE m.OBJECT_TYPE IN ('GLOBAL', 'COMMIT', 'BACKUP LOCK') " +
  "AND m.LOCK_TYPE = 'SHARED' AND t.PROCESSLIST_ID IS NOT NULL";

/** Who waits for whose rows. */
export function rowWaitsQuery(version: Version): string {
  if (!atLeast(version, 8, 0, 1)) {
    return "SELECT r.trx_mysql_thread_id AS waiter, b.trx_mysql_thread_id AS blocker " +
      "FROM information_schema.INNODB_LOCK_WAITS AS w " +
      "JOIN information_schema.INNODB_TRX AS r ON r.trx_id = w.requesting_trx_id " +
      "JOIN information_schema.INNODB_TRX AS b ON b.trx_id = w.blocking_trx_id";
  }
  return "SELECT r.PROCESSLIST_ID AS waiter, b.PROCESSLIST_ID AS blocker " +
    "FROM performance_schema.data_lock_waits AS w " +
    "JOIN performance_schema.threads AS r ON r.THREAD_ID = w.REQUESTING_THREAD_ID " +
    "JOIN performance_schema.threads AS b ON b.THREAD_ID = w.BLOCKING_THREAD_ID " +
    "WHERE r.PROCESSLIST_ID IS NOT NULL AND b.PROCESSLIST_ID IS NOT NULL";
}

function holdUp(clients: readonly Session[], by: string): HoldUp | null {
  return clients.length === 0 ? null : { ids: clients.map(({ id }) => id), by };
}
