/** Looks at a server: the whole of its facts, and the few that a freeze is in a hurry for. */

import type { BinaryLogEnd } from "./binary_log_end.ts";
import type { Connection } from "./client.ts";
import { DatabaseError } from "./client_error.ts";
import { type Dialect, dialectOf } from "./dialect.ts";
import { factQueries, readFacts, type ServerFacts } from "./facts.ts";
import { parse } from "./gtid.ts";
import { flag, text } from "./rows.ts";
import { parseVersion } from "./version.ts";

/** A connection leads to one version of a server for as long as it lives. */
const dialects = new WeakMap<Connection, Dialect>();

/** Over what a look is taken. */
export interface Viewpoint {
  readonly connection: Connection;
  readonly log: BinaryLogEnd;
}

/** Reads all facts. The end of the binary log is null where the server is late with it or refuses it. */
export async function takeLook(
  { connection, log }: Viewpoint,
  deadlineMs: number,
): Promise<ServerFacts> {
  const dialect = dialects.get(connection) ?? await askDialect(connection, deadlineMs);
  const queries = factQueries(dialect);
  const limits = { deadlineMs };
  // The connection runs them one after the other, without a pause between them.
  const rest = Promise.all([
    connection.query(queries.settings, limits),
    connection.query(queries.semiSync, limits),
    connection.query(queries.replication, limits),
  ]);
  const [[settings, semiSync, replication], binaryLog] = await Promise.all([
    rest,
    log.rows(queries.binaryLog, rest),
  ]);
  const facts = readFacts({ settings, semiSync, replication, binaryLog });
  if (!facts.logBin || facts.binlogEnd !== null) return facts;
  return { ...facts, binlogHeld: await log.held(text(settings[0] ?? {}, "log_bin_basename", "")) };
}

/** What a look that was given up is told as. */
export function lateLook(deadlineMs: number): DatabaseError {
  const sentence = `Cannot look at the server: no answer within ${deadlineMs} ms`;
  return new DatabaseError(sentence, { kind: "timeout", code: "ETIMEDOUT", errno: 0 });
}

async function askDialect(connection: Connection, deadlineMs: number): Promise<Dialect> {
  const sql = "SELECT CONCAT(@@version, ' ', @@version_comment) AS version";
  const [row] = await connection.query(sql, { deadlineMs });
  const read = parseVersion(row === undefined ? "" : text(row, "version"));
  if (!read.ok) throw new SyntaxError(`Cannot manage server: ${read.because}`);
  const dialect = dialectOf(read.version);
  dialects.set(connection, dialect);
  return dialect;
}

const shortLook = "SELECT @@GLOBAL.super_read_only AS super_read_only, " +
  "@@GLOBAL.read_only AS read_only, @@GLOBAL.gtid_executed AS gtid_executed, " +
  "@@GLOBAL.gtid_owned AS gtid_owned, channel.CHANNEL_NAME IS NOT NULL AS configured, " +
  "channel.SERVICE_STATE AS receiver, " +
  "channel.RECEIVED_TRANSACTION_SET AS received FROM (SELECT 1 AS one) AS always LEFT JOIN " +
  "performance_schema.replication_connection_status AS channel ON channel.CHANNEL_NAME = ''";

const receiverWords = { ON: "running", CONNECTING: "connecting", OFF: "stopped" } as const;

/**
 * Brings the parts of `base` up to date that a freeze decides by: closed, positions, receiver. It takes a
 * quarter of the time of a whole look. Where `base` does not fit, as the server was pointed at a source or
 * forgot it since, or commits are under way, it looks anew.
 */
export async function refresh(
  from: Viewpoint,
  base: ServerFacts,
  deadlineMs: number,
): Promise<ServerFacts> {
  const [row] = await from.connection.query(shortLook, { deadlineMs });
  if (row === undefined) throw new SyntaxError("Cannot read facts: no row of positions");
  const owned = text(row, "gtid_owned").replaceAll(/#\d+/g, "");
  const state = receiverWords[text(row, "receiver", "OFF") as keyof typeof receiverWords];
  const fits = flag(row, "configured") === (base.replication !== null);
  if (owned !== "" || state === undefined || !fits) return await takeLook(from, deadlineMs);
  const received = text(row, "received", "");
  const executed = text(row, "gtid_executed");
  for (const set of [received, executed]) parse(set);
  return {
    ...base,
    superReadOnly: flag(row, "super_read_only"),
    readOnly: flag(row, "read_only"),
    executed,
    owned,
    received,
    semiSyncSource: { ...base.semiSyncSource, waitSessions: 0 },
    replication: base.replication === null ? null : { ...base.replication, receiver: state },
  };
}
