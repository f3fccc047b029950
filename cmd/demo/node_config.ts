/** The config file of one agent of a laboratory cluster, as an operator would write it. */

export interface NodeConfig {
  /** `host:port` of the agent. */
  readonly id: string;
  readonly metaFolder: string;
  readonly mysqlPort: number;
  readonly mysqld: string;
  readonly defaultsFile: string;
  readonly pidFile: string;
  readonly mysqlPasswordFile: string;
  readonly replicationPasswordFile: string;
  readonly secretFile: string;
  readonly logFile: string;
  readonly timing: Timing;
}

/** `guide` is the timing of the original's guide, to compare with. */
export type Timing = "default" | "guide";

/** Writes the text of the config. Values are paths and numbers of our own making. */
export function nodeConfigText(config: NodeConfig): string {
  const text = (value: string) => JSON.stringify(value);
  const timing = config.timing === "guide"
    ? ["heartbeat-timeout = 1000", "election-timeout = 3000"]
    : [];
  return [
    "[server]",
    `endpoint = ${text(config.id)}`,
    "[raft]",
    `meta-datadir = ${text(config.metaFolder)}`,
    ...timing,
    // An emptied copy replicates everything anew here, which needs every binary log.
    "purge-binlog-disabled = true",
    "[mysql]",
    'admin = "root"',
    `passwd-file = ${text(config.mysqlPasswordFile)}`,
    'host = "127.0.0.1"',
    `port = ${config.mysqlPort}`,
    `mysqld = ${text(config.mysqld)}`,
    `defaults-file = ${text(config.defaultsFile)}`,
    `pid-file = ${text(config.pidFile)}`,
    "[replication]",
    'user = "repl"',
    `passwd-file = ${text(config.replicationPasswordFile)}`,
    "[rpc]",
    `secret-file = ${text(config.secretFile)}`,
    "[log]",
    `file = ${text(config.logFile)}`,
    'format = "json"',
    "",
  ].join("\n");
}
