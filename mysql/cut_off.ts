/** Ends the connection over which one replica reads, so that it acknowledges nothing more. */

import type { Connection } from "./client.ts";
import type { Dialect } from "./dialect.ts";
import { killSessions } from "./other_sessions.ts";
import { integer, rowsOf, text } from "./rows.ts";
import { pause, TimeLeft } from "./time_left.ts";
import { atLeast } from "./version.ts";

/** A replica that reads from this server. */
export interface ReaderSeen {
  readonly sessionId: number;
  readonly uuid: string;
  /** The address that the replica reports, "" where it reports none. */
  readonly reportedHost: string;
  readonly port: number;
  /** The address that its connection comes from. */
  readonly clientHost: string;
}

const pollMs = 5;
/** The last look may take so long after the time is over. */
const graceMs = 100;

/**
 * Kills the dump threads of one replica and sees them gone. A replica that does not read is cut off already.
 * It may connect again: whoever cuts it off has told its agent before, or locked its account.
 *
 * @param replica host:port of its MySQL, or its server UUID
 * @throws {Error} when it cannot be told apart from others, or does not end in time.
 */
export async function cutOff(
  connection: Connection,
  replica: string,
  options: { readonly dialect: Dialect; readonly deadlineMs: number },
): Promise<void> {
  const time = new TimeLeft(options.deadlineMs);
  const look = () => readersOf(connection, options.dialect, time.leftMs + graceMs);
  const chosen = chooseReaders(await look(), replica).map(({ sessionId }) => sessionId);
  await killSessions(connection, chosen, { deadlineMs: time.leftMs + graceMs });
  while ((await look()).some(({ sessionId }) => chosen.includes(sessionId))) {
    if (time.over) {
      throw new Error(
        `Cannot cut off replica "${replica}" as it still reads after ${options.deadlineMs} ms`,
      );
    }
    await pause(pollMs);
  }
}

/**
 * The dump threads of a replica, by its UUID or its address.
 *
 * @throws {Error} when the address fits several replicas of which none reports its host.
 */
export function chooseReaders(
  readers: readonly ReaderSeen[],
  replica: string,
): readonly ReaderSeen[] {
  const byUuid = readers.filter(({ uuid }) => uuid !== "" && uuid === replica.toLowerCase());
  if (byUuid.length > 0) return byUuid;
  const at = replica.lastIndexOf(":");
  const host = replica.slice(0, at).replaceAll(/[[\]]/g, "");
  const samePort = readers.filter(({ port }) => port === Number(replica.slice(at + 1)));
  const exact = samePort.filter((reader) =>
    reader.reportedHost === host || reader.clientHost === host
  );
  if (exact.length > 0) return exact;
  const silent = samePort.filter(({ reportedHost }) => reportedHost === "");
  if (new Set(silent.map(({ uuid }) => uuid)).size > 1) {
    throw new Error(
      `Cannot tell which replica is "${replica}" as several with this port report no host: ` +
        "set report_host on them",
    );
  }
  return silent;
}

async function readersOf(
  connection: Connection,
  dialect: Dialect,
  deadlineMs: number,
): Promise<readonly ReaderSeen[]> {
  const newWords = atLeast(dialect.version, 8, 0, 22);
  const [registered, threads] = await Promise.all([
    connection.query(newWords ? "SHOW REPLICAS" : "SHOW SLAVE HOSTS", { deadlineMs }),
    connection.query(dumpThreads, { deadlineMs }),
  ]);
  const byUuid = new Map(
    rowsOf(registered).map((row) => [
      text(row, newWords ? "Replica_UUID" : "Slave_UUID", "").toLowerCase(),
      { reportedHost: text(row, "Host", ""), port: integer(row, "Port") },
    ]),
  );
  return rowsOf(threads).map((row) => {
    const uuid = text(row, "uuid", "").toLowerCase();
    const known = byUuid.get(uuid) ?? { reportedHost: "", port: 0 };
    return { ...known, uuid, sessionId: integer(row, "id"), clientHost: text(row, "host", "") };
  });
}

/** A receiver introduces itself by a variable of its session. */
const dumpThreads = "SELECT thread.PROCESSLIST_ID AS id, thread.PROCESSLIST_HOST AS host, " +
  "MAX(CONVERT(variable.VARIABLE_VALUE USING utf8mb4)) AS uuid " +
  "FROM performance_schema.threads AS thread LEFT JOIN " +
  "performance_schema.user_variables_by_thread AS variable ON " +
  "variable.THREAD_ID = thread.THREAD_ID AND " +
  "variable.VARIABLE_NAME IN ('replica_uuid', 'slave_uuid') " +
  "WHERE thread.PROCESSLIST_COMMAND LIKE 'Binlog Dump%' " +
  "GROUP BY thread.PROCESSLIST_ID, thread.PROCESSLIST_HOST";
