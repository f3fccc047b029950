/** The settings that an agent shows of itself: names and order are the original's, none is a secret. */
import type { Config } from "./config_shape.ts";
import type { NodeStatus } from "./wire_status.ts";

/** What `cluster xenon` lists of one agent. */
export function shownSettings({ log, backup, mysql, replication, raft, rpc }: Config) {
  const values: Readonly<Record<string, string | number>> = {
    LogLevel: log.level,
    BackupDir: backup.dataFolder,
    BackupIOPSLimits: backup.iopsMax,
    XtrabackupBinDir: backup.xtrabackupFolder,
    MysqldBaseDir: mysql.basedir,
    MysqldDefaultsFile: mysql.defaultsFile,
    Mysql: mysql.socket ?? `${mysql.host}:${mysql.port}`,
    MysqlReplUser: replication.user,
    MysqlPingTimeout: mysql.pingMs,
    RaftDataDir: raft.metaFolder,
    RaftHeartbeatTimeout: raft.heartbeatMs,
    RaftElectionTimeout: raft.electionMs,
    RaftRPCRequestTimeout: rpc.requestMs,
  };
  return Object.entries(values).map(([name, value]): NodeStatus["settings"][number] => ({
    name,
    value: String(value),
  }));
}
