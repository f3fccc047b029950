/** What a configuration is to the program: names without abbreviations, units last, one record. */
import { type Endpoint, parseEndpoint } from "./endpoint.ts";
import { parseSysvars, type Sysvars } from "../mysql/sysvars.ts";
import type { LogLevel } from "./log_line.ts";
import { Secret } from "./secret.ts";

/** Values by `section.key`, each of the right shape. */
export type Values = ReadonlyMap<string, string | number | boolean | null>;

/** A password stands in the configuration or in a file of its own. */
export type SecretSource =
  | { readonly kind: "inline"; readonly secret: Secret }
  | { readonly kind: "file"; readonly path: string };

export interface Config {
  readonly server: ServerConfig;
  readonly raft: RaftConfig;
  readonly mysql: MysqlConfig;
  readonly replication: { readonly user: string; readonly password: SecretSource };
  /** Null when the cluster has no virtual address. */
  readonly vip: VipConfig | null;
  readonly backup: BackupConfig;
  readonly rpc: RpcConfig;
  readonly log: LogConfig;
}

export interface ServerConfig {
  /** Node id, `host:port`. */
  readonly id: string;
  readonly endpoint: Endpoint;
}

export interface RaftConfig {
  /** Folder of the state file, of one agent only. */
  readonly metaFolder: string;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  /** Already shortened by the allowed number of missed heartbeats. */
  readonly leaseMs: number;
  /** A fence that takes longer ends in SIGKILL. */
  readonly fenceMs: number;
  readonly witness: boolean;
  readonly superIdle: boolean;
  /** Hooks; null for "nop". */
  readonly leaderStartCommand: string | null;
  readonly leaderStopCommand: string | null;
  readonly leaderCommandMs: number;
  readonly purgeBinlogIntervalMs: number;
  readonly purgeBinlog: boolean;
  readonly rejoin: "manual" | "rebuild";
}

export interface MysqlConfig {
  readonly admin: string;
  readonly password: SecretSource;
  readonly host: string;
  /** Also advertised to the other nodes, with the host of `server.endpoint`. */
  readonly port: number;
  /** Used in place of host and port when given. */
  readonly socket: string | null;
  /** systemd unit of the server; null when the agent starts the program itself. */
  readonly service: string | null;
  readonly basedir: string;
  /** Path of the server program; null means to look for it below `basedir`. */
  readonly mysqldPath: string | null;
  readonly defaultsFile: string;
  readonly pidFile: string | null;
  readonly pingMs: number;
  /** A server that answers nothing for so long counts as hung, unless it was slow before. */
  readonly hungMs: number;
  readonly monitored: boolean;
  readonly leaderSysvars: Sysvars;
  readonly followerSysvars: Sysvars;
  readonly statementMs: number;
}

export interface VipConfig {
  readonly address: string;
  readonly prefix: number;
  readonly interface: string;
  /** Whole seconds: the kernel removes the address by itself after that. */
  readonly leaseMs: number;
}

export interface BackupConfig {
  /** Where this node receives copies; the host of `server.endpoint` unless given. */
  readonly sshHost: string;
  readonly sshUser: string;
  readonly sshPort: number;
  /** How this node logs in at others; null leaves it to ssh. */
  readonly sshKey: string | null;
  readonly sshKnownHosts: string | null;
  readonly sshCompress: boolean;
  /** The data folder that a rebuild replaces. */
  readonly dataFolder: string;
  readonly xtrabackupFolder: string;
  readonly iopsMax: number;
  /** As xtrabackup takes it, such as "2GB". */
  readonly useMemory: string;
  readonly parallel: number;
  /** A rebuild throws away at most so many transactions that exist only here. */
  readonly localTransactionsMax: number;
  /** The data that a rebuild moved aside stays after it. */
  readonly keepOld: boolean;
  /** Backups of one folder that stay, and for how long; 0 for all and for ever. */
  readonly keepCount: number;
  readonly keepDays: number;
}

export interface RpcConfig {
  readonly requestMs: number;
  /** Null serves callers on this host only. */
  readonly secretFile: string | null;
  /** Address to listen on. */
  readonly bindHost: string;
}

export interface LogConfig {
  readonly level: LogLevel;
  /** Null for standard error. */
  readonly file: string | null;
  readonly format: "text" | "json";
}

/** Turns values of the right shape into the record, and derives what was not given. */
export function shapeConfig(values: Values, given: ReadonlySet<string>): Config {
  const read = reader(values);
  const id = read.text("server.endpoint");
  const endpoint = parseEndpoint(id) ?? { host: "127.0.0.1", port: 8801 };
  return {
    server: { id, endpoint },
    raft: shapeRaft(read),
    mysql: shapeMysql(read),
    replication: {
      user: read.text("replication.user"),
      password: secretSource(read, "replication"),
    },
    vip: shapeVip(read, given),
    backup: shapeBackup(read, endpoint),
    rpc: {
      requestMs: read.number("rpc.request-timeout"),
      secretFile: read.textOrNull("rpc.secret-file"),
      bindHost: read.textOrNull("rpc.bind") ?? endpoint.host,
    },
    log: {
      level: logLevel(read.text("log.level")),
      file: read.textOrNull("log.file"),
      format: read.text("log.format") === "json" ? "json" : "text",
    },
  };
}

function shapeRaft(read: Reader): RaftConfig {
  const heartbeatMs = read.number("raft.heartbeat-timeout");
  const electionMs = read.number("raft.election-timeout");
  const fenceMs = read.numberOrNull("raft.fence-timeout") ??
    Math.min(500, Math.floor(electionMs / 4));
  const marginMs = 50;
  const leaseMs = read.numberOrNull("raft.lease-timeout") ?? electionMs - fenceMs - marginMs;
  const missedMs = heartbeatMs * read.number("raft.admit-defeat-hearbeat-count");
  return {
    metaFolder: read.text("raft.meta-datadir"),
    heartbeatMs,
    electionMs,
    // The original's counter may make a leader give up earlier, never later.
    leaseMs: Math.min(leaseMs, missedMs),
    fenceMs,
    witness: read.flag("raft.witness"),
    superIdle: read.flag("raft.super-idle"),
    leaderStartCommand: hook(read.text("raft.leader-start-command")),
    leaderStopCommand: hook(read.text("raft.leader-stop-command")),
    leaderCommandMs: read.number("raft.leader-command-timeout"),
    purgeBinlogIntervalMs: read.number("raft.purge-binlog-interval"),
    purgeBinlog: !read.flag("raft.purge-binlog-disabled"),
    rejoin: read.text("raft.rejoin") === "rebuild" ? "rebuild" : "manual",
  };
}

function shapeMysql(read: Reader): MysqlConfig {
  const pingMs = read.number("mysql.ping-timeout");
  const pingFailuresMax = read.number("mysql.admit-defeat-ping-count");
  return {
    admin: read.text("mysql.admin"),
    password: secretSource(read, "mysql"),
    host: read.text("mysql.host"),
    port: read.number("mysql.port"),
    socket: read.textOrNull("mysql.socket"),
    service: read.textOrNull("mysql.service"),
    basedir: read.text("mysql.basedir"),
    mysqldPath: read.textOrNull("mysql.mysqld"),
    defaultsFile: read.text("mysql.defaults-file"),
    pidFile: read.textOrNull("mysql.pid-file"),
    // The original's two numbers may make it be noticed earlier, never later than an election.
    hungMs: Math.min(read.number("raft.election-timeout"), pingMs * pingFailuresMax),
    pingMs,
    monitored: !read.flag("mysql.monitor-disabled"),
    leaderSysvars: sysvars(read.text("mysql.master-sysvars")),
    followerSysvars: sysvars(read.text("mysql.slave-sysvars")),
    statementMs: read.number("mysql.statement-timeout"),
  };
}

/** A list that cannot be read is reported by the rules; here it counts as empty. */
function sysvars(text: string): Sysvars {
  try {
    return parseSysvars(text);
  } catch {
    return { statements: [], dropped: [] };
  }
}

function shapeVip(read: Reader, given: ReadonlySet<string>): VipConfig | null {
  const address = read.textOrNull("vip.address");
  if (address === null) return null;
  const wholeAddress = address.includes(":") ? 64 : 24;
  // Renewed every heartbeat, so it must outlive two of them; the kernel counts whole seconds.
  const leaseMs = Math.ceil(2 * read.number("raft.heartbeat-timeout") / 1000) * 1000;
  return {
    address,
    prefix: given.has("vip.prefix") ? read.number("vip.prefix") : wholeAddress,
    interface: read.text("vip.interface"),
    leaseMs: read.numberOrNull("vip.lease") ?? leaseMs,
  };
}

function shapeBackup(read: Reader, endpoint: Endpoint): BackupConfig {
  return {
    sshHost: read.textOrNull("backup.ssh-host") ?? endpoint.host,
    sshUser: read.text("backup.ssh-user"),
    sshPort: read.number("backup.ssh-port"),
    sshKey: read.textOrNull("backup.ssh-key"),
    sshKnownHosts: read.textOrNull("backup.ssh-known-hosts"),
    sshCompress: read.flag("backup.ssh-compress"),
    dataFolder: read.text("backup.backupdir"),
    xtrabackupFolder: read.text("backup.xtrabackup-bindir"),
    iopsMax: read.number("backup.backup-iops-limits"),
    useMemory: read.text("backup.backup-use-memory"),
    parallel: read.number("backup.backup-parallel"),
    localTransactionsMax: read.number("backup.max-allowed-local-trx-count"),
    keepOld: read.flag("backup.keep-old"),
    keepCount: read.number("backup.keep-count"),
    keepDays: read.number("backup.keep-days"),
  };
}

function secretSource(read: Reader, section: "mysql" | "replication"): SecretSource {
  const path = read.textOrNull(`${section}.passwd-file`);
  return path === null
    ? { kind: "inline", secret: new Secret(read.text(`${section}.passwd`)) }
    : { kind: "file", path };
}

function hook(command: string): string | null {
  return command.trim() === "" || command.trim() === "nop" ? null : command;
}

/** The original's two highest levels are errors here. */
function logLevel(word: string): LogLevel {
  return word === "DEBUG" || word === "INFO" || word === "WARNING" ? word : "ERROR";
}

interface Reader {
  text(key: string): string;
  /** Null for absent and for empty. */
  textOrNull(key: string): string | null;
  number(key: string): number;
  numberOrNull(key: string): number | null;
  flag(key: string): boolean;
}

function reader(values: Values): Reader {
  const read = (key: string) => values.get(key) ?? null;
  const textOrNull = (key: string) => {
    const value = read(key);
    return typeof value === "string" && value !== "" ? value : null;
  };
  const numberOrNull = (key: string) => {
    const value = read(key);
    return typeof value === "number" ? value : null;
  };
  return {
    text: (key) => textOrNull(key) ?? "",
    textOrNull,
    number: (key) => numberOrNull(key) ?? 0,
    numberOrNull,
    flag: (key) => read(key) === true,
  };
}
