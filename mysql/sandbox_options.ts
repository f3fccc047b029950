/** The option file of a throwaway server: what a node of a cluster needs, in little memory. */

import { atLeast, type Version } from "./version.ts";

export interface SandboxOptions {
  readonly version: Version;
  readonly serverId: number;
  readonly port: number;
  readonly bindAddress: string;
  readonly socket: string;
  readonly dataFolder: string;
  readonly pidFile: string;
  readonly errorLog: string;
  /** True when the server is to run as root, which it refuses unless it is told so. */
  readonly asRoot: boolean;
  /** Lines for the group [mysqld] that go after all others, and so override them. */
  readonly extraLines: readonly string[];
}

/** Writes the text of a my.cnf. Clone and GTIDs are there; semi-sync comes with the start. */
export function sandboxOptionFile(options: SandboxOptions): string {
  const { version } = options;
  const renamed = atLeast(version, 8, 0, 26);
  return [
    "[mysqld]",
    ...(options.asRoot ? ["user=root"] : []),
    ...placeLines(options),
    "secure_file_priv=",
    "skip_name_resolve=ON",
    "loose_mysqlx=0",
    // Semi-sync is not named here: whoever starts the server names it (start_options.ts).
    "plugin_load_add=mysql_clone.so",
    ...replicationLines(renamed),
    // Small, because a demo or a test starts several of them on one machine.
    "performance_schema=ON",
    "innodb_buffer_pool_size=64M",
    redoLogLine(version),
    "max_connections=200",
    ...options.extraLines,
    "",
  ].join("\n");
}

/** A small redo log, because every new server is a copy of a whole data folder. */
export function redoLogLine(version: Version): string {
  return atLeast(version, 8, 0, 30) ? "innodb_redo_log_capacity=32M" : "innodb_log_file_size=16M";
}

function placeLines(options: SandboxOptions): readonly string[] {
  return [
    `server_id=${options.serverId}`,
    `port=${options.port}`,
    `bind_address=${options.bindAddress}`,
    `socket="${options.socket}"`,
    `datadir="${options.dataFolder}"`,
    `pid_file="${options.pidFile}"`,
    `log_error="${options.errorLog}"`,
  ];
}

/** What the promise of no lost write needs from a server, and the names of its logs. */
function replicationLines(renamed: boolean): readonly string[] {
  return [
    "log_bin=binlog",
    "relay_log=relay",
    "gtid_mode=ON",
    "enforce_gtid_consistency=ON",
    renamed ? "log_replica_updates=ON" : "log_slave_updates=ON",
    "sync_binlog=1",
    "innodb_flush_log_at_trx_commit=1",
    // A restart of the server alone must not forget what it acknowledged.
    "relay_log_recovery=OFF",
    renamed ? "replica_parallel_workers=4" : "slave_parallel_workers=4",
    renamed ? "replica_preserve_commit_order=ON" : "slave_preserve_commit_order=ON",
    renamed ? "replica_net_timeout=10" : "slave_net_timeout=10",
  ];
}
