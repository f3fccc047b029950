/**
 * Ends the connection over which one replica reads, and makes sure that it acknowledges nothing more. A
 * replica whose agent is dead connects again by itself and would go on acknowledging.
 */

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
  /** It asked for semi-sync when it connected, so its acknowledgements count. */
  readonly acknowledges: boolean;
}

export interface CutOff {
  /** host:port of its MySQL, or its server UUID; null where neither is known. */
  readonly replica: string | null;
  /** The same of those that go on acknowledging; tells the others apart where `replica` is null. */
  readonly staying: readonly string[];
}

const pollMs = 5;
/** The last look may take so long after the time is over. */
const graceMs = 100;
const silencePollMs = 100;

/**
 * Kills the dump threads of one replica, sees them gone, and looks for a while whether one comes back
 * that acknowledges. A replica that does not read is cut off already.
 *
 * @throws {Error} when it cannot be told apart from others, does not end in time, or acknowledges again.
 */
export async function cutOff(
  connection: Connection,
  wish: CutOff,
  options: {
    readonly dialect: Dialect;
    readonly deadlineMs: number;
    /** Longer than a receiver waits before it connects again. */
    readonly silentMs: number;
  },
): Promise<void> {
  const time = new TimeLeft(options.deadlineMs);
  const look = () => readersOf(connection, options.dialect, options.deadlineMs);
  const chosen = leaving(await look(), wish).map(({ sessionId }) => sessionId);
  await killSessions(connection, chosen, { deadlineMs: time.leftMs + graceMs });
  while ((await look()).some(({ sessionId }) => chosen.includes(sessionId))) {
    if (time.over) {
      throw new Error(
        `Cannot cut off ${nameOf(wish)} as it still reads after ${options.deadlineMs} ms`,
      );
    }
    await pause(pollMs);
  }
  const silence = new TimeLeft(options.silentMs);
  while (!silence.over) {
    const back = leaving(await look(), wish).find((reader) => reader.acknowledges);
    if (back !== undefined) {
      throw new Error(
        `Cannot cut off ${nameOf(wish)} as the server at ${back.clientHost} connects again and ` +
          "acknowledges: start its agent, or stop that server",
      );
    }
    await pause(silencePollMs);
  }
}

function nameOf({ replica }: CutOff): string {
  return replica === null ? "replicas that are no voters" : `replica "${replica}"`;
}

/** Whom the wish means. Where its address is unknown: whoever acknowledges and does not stay. */
export function leaving(
  readers: readonly ReaderSeen[],
  { replica, staying }: CutOff,
): readonly ReaderSeen[] {
  if (replica !== null) return chooseReaders(readers, replica);
  const stay = staying.flatMap((one) => chooseReaders(readers, one));
  return readers.filter((reader) => reader.acknowledges && !stay.includes(reader));
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
    return {
      ...known,
      uuid,
      sessionId: integer(row, "id"),
      clientHost: text(row, "host", ""),
      acknowledges: text(row, "semi", "0") === "1",
    };
  });
}

/** A receiver introduces itself, and asks for semi-sync, by variables of its session. */
const dumpThreads = "SELECT thread.PROCESSLIST_ID AS id, thread.PROCESSLIST_HOST AS host, " +
  `${variable("'replica_uuid', 'slave_uuid'")} AS uuid, ` +
  `${variable("'rpl_semi_sync_replica', 'rpl_semi_sync_slave'")} AS semi ` +
  "FROM performance_schema.threads AS thread LEFT JOIN " +
  "performance_schema.user_variables_by_thread AS variable ON " +
  "variable.THREAD_ID = thread.THREAD_ID " +
  "WHERE thread.PROCESSLIST_COMMAND LIKE 'Binlog Dump%' " +
  "GROUP BY thread.PROCESSLIST_ID, thread.PROCESSLIST_HOST";

function variable(names: string): string {
  return `MAX(CASE WHEN variable.VARIABLE_NAME IN (${names}) ` +
    "THEN CONVERT(variable.VARIABLE_VALUE USING utf8mb4) END)";
}
