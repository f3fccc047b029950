/**
 * The words of each MySQL version as one table: the same verbs in every column, other spellings.
 *
 * 5.7 knows only master and slave; 8.0.22, 8.0.23, 8.0.26 and 8.2 brought the new words one by one, and
 * 8.4 took the old ones away. Plans ask the dialect and never look at a version number.
 * Manual: https://dev.mysql.com/doc/refman/9.7/en/sql-replication-statements.html
 */

import { quoteString } from "./text.ts";
import { atLeast, type Version } from "./version.ts";

/** Names of one half of semi-synchronous replication. */
export interface SemiSyncHalf {
  readonly plugin: string;
  readonly library: string;
  readonly enabled: string;
  readonly status: string;
}

/** Names of the source half, which also has a wait and counters. */
export interface SemiSyncSourceNames extends SemiSyncHalf {
  readonly timeout: string;
  readonly waitCount: string;
  readonly waitNoReplica: string;
  readonly waitPoint: string;
  readonly clients: string;
  readonly waitSessions: string;
}

/** Which family of semi-sync names a server has: it goes by the installed plugin, not by the version. */
export type SemiSyncWords = "source" | "master";

/** Columns of SHOW REPLICA STATUS that changed their name. */
export interface ReplicaColumns {
  readonly sourceHost: string;
  readonly sourcePort: string;
  readonly sourceUser: string;
  readonly sourceUuid: string;
  readonly receiverRunning: string;
  readonly applierRunning: string;
  readonly secondsBehind: string;
  readonly sourceLogFile: string;
  readonly readSourceLogPosition: string;
  readonly relaySourceLogFile: string;
}

/** Where a replica should read from. */
export interface SourceAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Seconds between two attempts to connect: 1 unless given. */
  readonly connectRetry?: number;
  /** Seconds of silence after which the source sends a heartbeat; half of the network timeout unless given. */
  readonly heartbeatPeriodSeconds?: number;
  /**
   * True writes AUTO_POSITION = 1. Leave it out while the applier runs: the server refuses the word then,
   * and keeps the setting that it has.
   */
  readonly autoPosition?: boolean;
  /** Asks the source for its RSA key, which caching_sha2_password needs without TLS: true unless given. */
  readonly getPublicKey?: boolean;
  /** True demands TLS, false forbids it; left out, the server keeps what it has. */
  readonly ssl?: boolean;
}

/** All statements and names that depend on the version of the server. */
export interface Dialect {
  readonly version: Version;
  readonly showReplicaStatus: string;
  readonly showBinaryLogStatus: string;
  readonly stopReceiver: string;
  readonly startReceiver: string;
  readonly startApplier: string;
  readonly stopReplica: string;
  readonly startReplica: string;
  /** Forgets the source and throws the relay log away, together with what was not applied. */
  /** Throws the relay log away; where the source is stays known. */
  readonly resetReplica: string;
  readonly resetReplicaAll: string;
  /** Deletes all binary logs and the GTID history. */
  readonly resetBinaryLogs: string;
  /** Statements that make the next start closed and quiet; none in 5.7, where my.cnf must say it. */
  readonly persistClosed: readonly string[];
  readonly semiSyncWords: SemiSyncWords;
  readonly semiSyncSource: SemiSyncSourceNames;
  readonly semiSyncReplica: SemiSyncHalf;
  readonly columns: ReplicaColumns;
  /** System variables under their present names; undefined where the version has no such variable. */
  readonly variables: {
    readonly logReplicaUpdates: string;
    readonly skipReplicaStart: string | undefined;
    readonly replicaNetTimeout: string;
  };
  /** Whether performance_schema has tables of the replication filters, seen also without a source. */
  readonly hasFilterTables: boolean;
}

/** The dialect of a server. `words` overrules the version where the older semi-sync plugin is installed. */
export function dialectOf(version: Version, words?: SemiSyncWords): Dialect {
  const replicaWords = atLeast(version, 8, 0, 22);
  const newNames = atLeast(version, 8, 0, 26);
  const binaryLogWords = atLeast(version, 8, 2, 0);
  const replica = replicaWords ? "REPLICA" : "SLAVE";
  const semiSyncWords = words ?? (newNames ? "source" : "master");
  return {
    version,
    showReplicaStatus: `SHOW ${replica} STATUS`,
    showBinaryLogStatus: binaryLogWords ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS",
    stopReceiver: `STOP ${replica} IO_THREAD FOR CHANNEL ''`,
    startReceiver: `START ${replica} IO_THREAD FOR CHANNEL ''`,
    startApplier: `START ${replica} SQL_THREAD FOR CHANNEL ''`,
    stopReplica: `STOP ${replica} FOR CHANNEL ''`,
    startReplica: `START ${replica} FOR CHANNEL ''`,
    resetReplica: `RESET ${replica} FOR CHANNEL ''`,
    resetReplicaAll: `RESET ${replica} ALL FOR CHANNEL ''`,
    resetBinaryLogs: binaryLogWords ? "RESET BINARY LOGS AND GTIDS" : "RESET MASTER",
    persistClosed: persistClosed(version),
    semiSyncWords,
    semiSyncSource: semiSyncSourceNames(semiSyncWords),
    semiSyncReplica: semiSyncReplicaNames(semiSyncWords),
    columns: replicaWords ? newColumns : oldColumns,
    variables: {
      logReplicaUpdates: newNames ? "log_replica_updates" : "log_slave_updates",
      skipReplicaStart: skipReplicaStart(version),
      replicaNetTimeout: newNames ? "replica_net_timeout" : "slave_net_timeout",
    },
    hasFilterTables: atLeast(version, 8, 0, 11),
  };
}

/**
 * The statement that points the default channel at a source.
 *
 * It never gives up reconnecting: since 8.4 a server would stop after ten attempts by itself.
 *
 * @throws {RangeError} when a value does not fit; the password is never part of the message.
 */
export function changeSource(dialect: Dialect, to: SourceAddress): string {
  checkAddress(to);
  const newWords = atLeast(dialect.version, 8, 0, 23);
  const word = newWords ? "SOURCE" : "MASTER";
  const options = [
    `${word}_HOST = ${quoteString(to.host)}`,
    `${word}_PORT = ${to.port}`,
    `${word}_USER = ${quoteString(to.user)}`,
    `${word}_PASSWORD = ${quoteString(to.password)}`,
    `${word}_CONNECT_RETRY = ${to.connectRetry ?? 1}`,
    `${word}_RETRY_COUNT = 0`,
  ];
  if (to.heartbeatPeriodSeconds !== undefined) {
    options.push(`${word}_HEARTBEAT_PERIOD = ${to.heartbeatPeriodSeconds}`);
  }
  if (to.autoPosition === true) options.push(`${word}_AUTO_POSITION = 1`);
  if (to.ssl !== undefined) options.push(`${word}_SSL = ${to.ssl ? 1 : 0}`);
  if (atLeast(dialect.version, 8, 0, 4)) {
    options.push(`GET_${word}_PUBLIC_KEY = ${to.getPublicKey ?? true ? 1 : 0}`);
  }
  const verb = newWords ? "CHANGE REPLICATION SOURCE TO" : "CHANGE MASTER TO";
  return `${verb} ${options.join(", ")} FOR CHANNEL ''`;
}

/**
 * A query that waits until the set is executed; its column `late` is 0 when it is, 1 when the time ran out.
 * Seconds may be a fraction.
 */
export function waitForExecuted(gtidSet: string, seconds: number): string {
  return `SELECT WAIT_FOR_EXECUTED_GTID_SET(${quoteString(gtidSet)}, ${seconds}) AS late`;
}

function persistClosed(version: Version): readonly string[] {
  const skip = skipReplicaStart(version);
  // The variable came with 8.0.24; before it only my.cnf can say it, and half of the promise is none.
  if (skip === undefined) return [];
  return [`SET PERSIST_ONLY ${skip} = ON`, "SET PERSIST_ONLY super_read_only = ON"];
}

function skipReplicaStart(version: Version): string | undefined {
  if (atLeast(version, 8, 0, 26)) return "skip_replica_start";
  return atLeast(version, 8, 0, 24) ? "skip_slave_start" : undefined;
}

function semiSyncSourceNames(words: SemiSyncWords): SemiSyncSourceNames {
  const other = words === "source" ? "replica" : "slave";
  return {
    plugin: `rpl_semi_sync_${words}`,
    library: `semisync_${words}.so`,
    enabled: `rpl_semi_sync_${words}_enabled`,
    timeout: `rpl_semi_sync_${words}_timeout`,
    waitCount: `rpl_semi_sync_${words}_wait_for_${other}_count`,
    waitNoReplica: `rpl_semi_sync_${words}_wait_no_${other}`,
    waitPoint: `rpl_semi_sync_${words}_wait_point`,
    status: `Rpl_semi_sync_${words}_status`,
    clients: `Rpl_semi_sync_${words}_clients`,
    waitSessions: `Rpl_semi_sync_${words}_wait_sessions`,
  };
}

function semiSyncReplicaNames(words: SemiSyncWords): SemiSyncHalf {
  const half = words === "source" ? "replica" : "slave";
  return {
    plugin: `rpl_semi_sync_${half}`,
    library: `semisync_${half}.so`,
    enabled: `rpl_semi_sync_${half}_enabled`,
    status: `Rpl_semi_sync_${half}_status`,
  };
}

const newColumns: ReplicaColumns = {
  sourceHost: "Source_Host",
  sourcePort: "Source_Port",
  sourceUser: "Source_User",
  sourceUuid: "Source_UUID",
  receiverRunning: "Replica_IO_Running",
  applierRunning: "Replica_SQL_Running",
  secondsBehind: "Seconds_Behind_Source",
  sourceLogFile: "Source_Log_File",
  readSourceLogPosition: "Read_Source_Log_Pos",
  relaySourceLogFile: "Relay_Source_Log_File",
};

const oldColumns: ReplicaColumns = {
  sourceHost: "Master_Host",
  sourcePort: "Master_Port",
  sourceUser: "Master_User",
  sourceUuid: "Master_UUID",
  receiverRunning: "Slave_IO_Running",
  applierRunning: "Slave_SQL_Running",
  secondsBehind: "Seconds_Behind_Master",
  sourceLogFile: "Master_Log_File",
  readSourceLogPosition: "Read_Master_Log_Pos",
  relaySourceLogFile: "Relay_Master_Log_File",
};

/** The server cuts longer values or answers with an error that quotes them; the limits are the manual's. */
const passwordBytesMax = 32;
const userBytesMax = 96;
const hostBytesMax = 255;

function checkAddress(to: SourceAddress): void {
  const bytes = (text: string) => new TextEncoder().encode(text).length;
  const problem = (() => {
    if (to.host === "" || bytes(to.host) > hostBytesMax) {
      return `host must have 1 to ${hostBytesMax} bytes: current value is "${
        to.host.slice(0, 80)
      }"`;
    }
    if (!Number.isInteger(to.port) || to.port < 1 || to.port > 65535) {
      return `port must be 1 to 65535: current value is ${to.port}`;
    }
    if (to.user === "" || bytes(to.user) > userBytesMax) {
      return `user must have 1 to ${userBytesMax} bytes: current value is "${
        to.user.slice(0, 80)
      }"`;
    }
    if (bytes(to.password) > passwordBytesMax) {
      return `password must have at most ${passwordBytesMax} bytes`;
    }
    const seconds = [to.connectRetry ?? 1, to.heartbeatPeriodSeconds ?? 1];
    if (seconds.some((value) => !(value > 0 && value < 86400))) {
      return `seconds must lie between 0 and 86400: current values are ${seconds.join(" and ")}`;
    }
    return undefined;
  })();
  if (problem !== undefined) throw new RangeError(`Cannot point replica at source: ${problem}`);
}
