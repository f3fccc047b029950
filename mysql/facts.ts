/**
 * What one look at a server found, as one snapshot: the only thing that plans and decisions see.
 *
 * `factQueries` gives the SQL texts, `readFacts` turns their rows, of which nothing is believed, into
 * `ServerFacts`. The four queries together take about 4 ms on an idle server.
 */

import type { Dialect, SemiSyncWords } from "./dialect.ts";
import { dialectOf } from "./dialect.ts";
import { type GtidSet, parse, union } from "./gtid.ts";
import { allPrivileges, type PrivilegeFacts } from "./privileges.ts";
import { flag, flagOf, integer, integerOrNull, type Row, rowsOf, text, words } from "./rows.ts";
import { parseVersion, type Version } from "./version.ts";

/** One look at a server. GTID sets are text as the server printed it, except `owned`. */
export interface ServerFacts {
  readonly version: Version;
  readonly serverUuid: string;
  readonly serverId: number;
  /** GTIDs that are committed; a commit that still waits for its acknowledgement is left out. */
  readonly executed: string;
  /** GTIDs that running sessions hold now, above all commits that wait for their acknowledgement. */
  readonly owned: string;
  /** GTIDs that the receiver wrote to the relay log; empty without replication. */
  readonly received: string;
  readonly purged: string;
  readonly readOnly: boolean;
  /** True also while a request for it still hangs: closed for certain only when readOnly is true too. */
  readonly superReadOnly: boolean;
  readonly offlineMode: boolean;
  readonly gtidMode: string;
  readonly enforceGtidConsistency: string;
  readonly logBin: boolean;
  readonly logReplicaUpdates: boolean;
  /** Names of the filters found, such as "Replicate_Do_DB"; empty when nothing is filtered. */
  readonly filters: readonly string[];
  /** Channels other than the default one: replication from several sources, or group replication. */
  readonly otherChannels: readonly string[];
  readonly semiSyncSource: SemiSyncSourceFacts;
  readonly semiSyncReplica: SemiSyncReplicaFacts;
  readonly replication: ReplicationFacts | null;
  readonly durability: DurabilityFacts;
  readonly performanceSchema: boolean;
  /** How many bytes of its connection attributes a session may show others. */
  readonly connectAttributesBytes: number;
  readonly privileges: PrivilegeFacts;
  /** The end of the binary log, null when it is off or not known now. */
  readonly binlogEnd: { readonly file: string; readonly position: number } | null;
  /**
   * While the server does not say that end, as something holds its binary log: how far that is written,
   * in a text that is another one as soon as it moved. Null while nothing holds it, and where nobody can
   * tell how far it is written.
   */
  readonly binlogHeld: string | null;
  readonly uptimeSeconds: number;
}

/** The source half of semi-synchronous replication; the settings are defaults when not installed. */
export interface SemiSyncSourceFacts {
  readonly installed: boolean;
  readonly words: SemiSyncWords;
  readonly enabled: boolean;
  readonly waitForCount: number;
  readonly timeoutMs: number;
  readonly waitNoReplica: boolean;
  readonly waitPoint: string;
  readonly status: boolean;
  readonly clients: number;
  readonly waitSessions: number;
}

/** The replica half. `status` says whether the running receiver acknowledges, `enabled` what the next one will do. */
export interface SemiSyncReplicaFacts {
  readonly installed: boolean;
  readonly enabled: boolean;
  readonly status: boolean;
}

/** The default channel. */
export interface ReplicationFacts {
  readonly sourceHost: string;
  readonly sourcePort: number;
  readonly sourceUser: string;
  readonly sourceUuid: string;
  readonly receiver: "running" | "connecting" | "stopped";
  readonly applier: "running" | "stopped";
  /** "" when there is none. */
  readonly receiverError: string;
  readonly receiverErrorNumber: number;
  readonly applierError: string;
  readonly applierErrorNumber: number;
  /** Null while the server does not know. */
  readonly secondsBehind: number | null;
  /** The delay that SOURCE_DELAY asks for. */
  readonly delaySeconds: number;
  readonly autoPosition: boolean;
  readonly sourceLogFile: string;
  readonly readSourceLogPosition: number;
  readonly relaySourceLogFile: string;
}

/** The coordinator stopped because a worker was ended from outside; a start clears it. */
const workerEnded = 1756;

/**
 * Did the applier stop with an error of its own? One without a number was stopped by somebody; one that
 * a promotion ended in the middle of a half-received transaction starts again as if nothing had been.
 */
export function applierGaveUp(replication: ReplicationFacts): boolean {
  const { applier, applierErrorNumber } = replication;
  return applier === "stopped" && applierErrorNumber !== 0 && applierErrorNumber !== workerEnded;
}

/** The applier read something that is no event: a loss of power left a piece of the relay log unwritten. */
const tornRelayLog: readonly number[] = [1594, 13117, 13121];

/** Did the applier stop because the relay log itself cannot be read? */
export function relayLogTorn(replication: ReplicationFacts): boolean {
  return applierGaveUp(replication) && tornRelayLog.includes(replication.applierErrorNumber);
}

/**
 * Errors of an applier that may be gone later: no space left (1021, 1026, 1030, 1114), no memory (1037,
 * 1041), or a lock that a local session held (1205, 1213). Numbers of the server's error reference.
 */
const passing: readonly number[] = [1021, 1026, 1030, 1037, 1041, 1114, 1205, 1213];

/** Did the applier stop for want of something that may be there later? */
export function applierMayResume(replication: ReplicationFacts): boolean {
  return applierGaveUp(replication) && passing.includes(replication.applierErrorNumber);
}

/** Settings that decide what a crash leaves. */
export interface DurabilityFacts {
  readonly syncBinlog: number;
  readonly flushLogAtTrxCommit: number;
  readonly relayLogRecovery: boolean;
  readonly syncRelayLog: number;
  /** Null where the version has no such variable. */
  readonly skipReplicaStart: boolean | null;
}

/** SQL texts of one look, to be run in this order on one connection. */
export interface FactQueries {
  readonly settings: string;
  readonly semiSync: string;
  readonly replication: string;
  readonly binaryLog: string;
}

/** Rows of one look as the driver gave them. A binary log query refused (1381, log off) counts as no rows. */
export type FactRows = { readonly [name in keyof FactQueries]: unknown };

/** The queries of one look. They change nothing, and none fails where a plugin is missing. */
export function factQueries(dialect: Dialect): FactQueries {
  const skip = dialect.variables.skipReplicaStart;
  const columns = [
    ...plainVariables.map((name) => `@@GLOBAL.${name} AS ${name}`),
    `@@GLOBAL.${dialect.variables.logReplicaUpdates} AS log_replica_updates`,
    `${skip === undefined ? "NULL" : `@@GLOBAL.${skip}`} AS skip_replica_start`,
    `${dialect.hasFilterTables ? filterCount : "0"} AS filter_count`,
  ];
  return {
    settings: `SELECT ${columns.join(", ")}`,
    semiSync: "SELECT VARIABLE_NAME AS name, VARIABLE_VALUE AS value " +
      "FROM performance_schema.global_variables WHERE VARIABLE_NAME LIKE 'rpl|_semi|_sync|_%' ESCAPE '|' " +
      "UNION ALL SELECT VARIABLE_NAME, VARIABLE_VALUE FROM performance_schema.global_status " +
      "WHERE VARIABLE_NAME LIKE 'Rpl|_semi|_sync|_%' ESCAPE '|' OR VARIABLE_NAME = 'Uptime'",
    replication: dialect.showReplicaStatus,
    binaryLog: dialect.showBinaryLogStatus,
  };
}

const plainVariables = [
  "version",
  "version_comment",
  "server_uuid",
  "server_id",
  "gtid_executed",
  "gtid_owned",
  "gtid_purged",
  "read_only",
  "super_read_only",
  "offline_mode",
  "gtid_mode",
  "enforce_gtid_consistency",
  "log_bin",
  "log_bin_basename",
  "sync_binlog",
  "innodb_flush_log_at_trx_commit",
  "relay_log_recovery",
  "sync_relay_log",
  "performance_schema",
  "performance_schema_session_connect_attrs_size",
] as const;

const filterCount = "(SELECT COUNT(*) FROM performance_schema.replication_applier_filters) + " +
  "(SELECT COUNT(*) FROM performance_schema.replication_applier_global_filters)";

/**
 * Decodes one look.
 *
 * @throws {SyntaxError} when a row lacks what every managed server has, or a GTID set cannot be read.
 */
export function readFacts(rows: FactRows): ServerFacts {
  const settings = rowsOf(rows.settings)[0];
  if (settings === undefined) throw new SyntaxError("Cannot read facts: no row of settings");
  const version = versionOf(settings);
  const names = new Map(
    rowsOf(rows.semiSync).map((row) => [text(row, "name").toLowerCase(), text(row, "value")]),
  );
  const channels = rowsOf(rows.replication);
  const channel = channels.find((row) => text(row, "Channel_Name", "") === "");
  const binaryLog = rowsOf(rows.binaryLog)[0];
  return {
    version,
    serverUuid: text(settings, "server_uuid").toLowerCase(),
    serverId: integer(settings, "server_id"),
    ...gtidsOf(settings, channel),
    readOnly: flag(settings, "read_only"),
    superReadOnly: flag(settings, "super_read_only"),
    offlineMode: flag(settings, "offline_mode"),
    gtidMode: text(settings, "gtid_mode").toUpperCase(),
    enforceGtidConsistency: text(settings, "enforce_gtid_consistency").toUpperCase(),
    logBin: flag(settings, "log_bin"),
    logReplicaUpdates: flag(settings, "log_replica_updates"),
    filters: filtersOf(settings, channels, binaryLog),
    otherChannels: channels.map((row) => text(row, "Channel_Name", "")).filter((name) =>
      name !== ""
    ),
    ...semiSyncOf(version, names),
    replication: channel === undefined ? null : replicationOf(dialectOf(version), channel),
    durability: {
      syncBinlog: integer(settings, "sync_binlog"),
      flushLogAtTrxCommit: integer(settings, "innodb_flush_log_at_trx_commit"),
      relayLogRecovery: flag(settings, "relay_log_recovery"),
      syncRelayLog: integer(settings, "sync_relay_log"),
      skipReplicaStart: settings["skip_replica_start"] === null
        ? null
        : flag(settings, "skip_replica_start"),
    },
    performanceSchema: flag(settings, "performance_schema"),
    connectAttributesBytes: integer(settings, "performance_schema_session_connect_attrs_size"),
    privileges: allPrivileges,
    binlogEnd: binaryLog === undefined || binaryLog["File"] === null
      ? null
      : { file: text(binaryLog, "File"), position: integer(binaryLog, "Position") },
    binlogHeld: null,
    uptimeSeconds: Number(names.get("uptime") ?? 0),
  };
}

/** Everything a server holds: executed joined with received. A leader's commits that wait are not in it. */
export function heldSet(facts: ServerFacts): GtidSet {
  return union(parse(facts.executed), parse(facts.received));
}

/** The dialect of the server, with the semi-sync names that its installed plugin uses. */
export function dialectOfFacts(facts: ServerFacts): Dialect {
  return dialectOf(facts.version, facts.semiSyncSource.words);
}

function versionOf(settings: Row): Version {
  const read = parseVersion(
    `${text(settings, "version")} ${text(settings, "version_comment", "")}`,
  );
  if (!read.ok) throw new SyntaxError(`Cannot manage server: ${read.because}`);
  return { ...read.version, text: text(settings, "version") };
}

function gtidsOf(settings: Row, channel: Row | undefined) {
  const sets = {
    executed: text(settings, "gtid_executed"),
    owned: ownedOf(text(settings, "gtid_owned")),
    purged: text(settings, "gtid_purged"),
    received: channel === undefined ? "" : text(channel, "Retrieved_Gtid_Set", ""),
  };
  for (const set of Object.values(sets)) parse(set);
  return sets;
}

/**
 * Reads `@@gtid_owned`: `uuid:5#11:6#12`, where #11 is the session. The server sets nothing between one
 * source and the next, so that the number of a session runs into the UUID that follows it.
 */
export function ownedOf(printed: string): string {
  const uuidBegins = /(?<=.)(?=[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:)/gi;
  return printed.replaceAll(/[\s,]+/g, "").replaceAll(uuidBegins, ",").replaceAll(/(?:#\d+)+/g, "");
}

const filterColumns = [
  "Replicate_Do_DB",
  "Replicate_Ignore_DB",
  "Replicate_Do_Table",
  "Replicate_Ignore_Table",
  "Replicate_Wild_Do_Table",
  "Replicate_Wild_Ignore_Table",
  "Replicate_Rewrite_DB",
] as const;

function filtersOf(settings: Row, channels: readonly Row[], binaryLog: Row | undefined): string[] {
  const found = filterColumns.filter((name) => channels.some((row) => text(row, name, "") !== ""));
  const logged = ["Binlog_Do_DB", "Binlog_Ignore_DB"].filter((name) =>
    binaryLog !== undefined && text(binaryLog, name, "") !== ""
  );
  const hidden = found.length === 0 && integer(settings, "filter_count") > 0;
  return [...found, ...logged, ...(hidden ? ["replication filter"] : [])];
}

function semiSyncOf(version: Version, names: ReadonlyMap<string, string>) {
  const has = (word: string) => names.has(`rpl_semi_sync_${word}_enabled`);
  const older = has("master") || has("slave");
  const dialect = dialectOf(version, older ? "master" : has("source") ? "source" : undefined);
  const source = dialect.semiSyncSource;
  const replica = dialect.semiSyncReplica;
  const value = (name: string) => names.get(name.toLowerCase()) ?? "";
  return {
    semiSyncSource: {
      installed: names.has(source.enabled),
      words: dialect.semiSyncWords,
      enabled: flagOf(value(source.enabled)),
      waitForCount: Number(value(source.waitCount) || 1),
      timeoutMs: Number(value(source.timeout) || 10_000),
      waitNoReplica: flagOf(value(source.waitNoReplica)),
      waitPoint: value(source.waitPoint) || "AFTER_SYNC",
      status: flagOf(value(source.status)),
      clients: Number(value(source.clients) || 0),
      waitSessions: Number(value(source.waitSessions) || 0),
    },
    semiSyncReplica: {
      installed: names.has(replica.enabled),
      enabled: flagOf(value(replica.enabled)),
      status: flagOf(value(replica.status)),
    },
  };
}

function replicationOf(dialect: Dialect, row: Row): ReplicationFacts {
  const columns = dialect.columns;
  return {
    sourceHost: text(row, columns.sourceHost),
    sourcePort: integer(row, columns.sourcePort),
    sourceUser: text(row, columns.sourceUser, ""),
    sourceUuid: text(row, columns.sourceUuid, "").toLowerCase(),
    receiver: words(row, columns.receiverRunning, receiverWords),
    applier: words(row, columns.applierRunning, applierWords),
    receiverError: text(row, "Last_IO_Error", ""),
    receiverErrorNumber: integerOrNull(row, "Last_IO_Errno") ?? 0,
    applierError: text(row, "Last_SQL_Error", ""),
    applierErrorNumber: integerOrNull(row, "Last_SQL_Errno") ?? 0,
    secondsBehind: integerOrNull(row, columns.secondsBehind),
    delaySeconds: integerOrNull(row, "SQL_Delay") ?? 0,
    autoPosition: flag(row, "Auto_Position"),
    sourceLogFile: text(row, columns.sourceLogFile, ""),
    readSourceLogPosition: integerOrNull(row, columns.readSourceLogPosition) ?? 0,
    relaySourceLogFile: text(row, columns.relaySourceLogFile, ""),
  };
}

const receiverWords = { yes: "running", connecting: "connecting", no: "stopped" } as const;
const applierWords = { yes: "running", no: "stopped" } as const;
