/**
 * Rows of facts to the tables T1 to T5 and the JSON texts operators and their scripts know. Nothing
 * here decides anything: a row holds the words exactly as they appear.
 */
import { renderTable } from "./table.ts";

/** What a cell says when its node did not answer; the original's spelling. */
export const unknown = "UNKNOW";

/** A node that gave no answer has its id and nothing else. */
export interface SilentRow {
  readonly id: string;
  readonly silent: true;
}

/** T1 and J1: `cluster status`. */
export interface StatusRow {
  readonly id: string;
  readonly raft: string;
  readonly mysqld: string;
  readonly monitor: string;
  readonly backup: string;
  readonly mysql: string;
  readonly threads: string;
  readonly myLeader: string;
}

/** T2 and J2: `cluster gtid`. */
export interface GtidRow {
  readonly id: string;
  readonly raft: string;
  readonly mysql: string;
  readonly executed: string;
  readonly received: string;
}

/** T3: `cluster mysql`. */
export interface MysqlRow {
  readonly id: string;
  readonly raft: string;
  readonly mysql: string;
  readonly option: string;
  readonly position: string;
  readonly threads: string;
  readonly secondsBehind: string;
  readonly lastError: string;
}

/** T4: `cluster raft`. */
export interface RaftRow {
  readonly id: string;
  readonly raft: string;
  readonly raftAtMysql: string;
  readonly idleCount: number;
  readonly leaderPromotes: number;
  readonly leaderDegrades: number;
  readonly leaderGetHeartbeats: number;
  readonly leaderGetVotes: number;
  readonly candidatePromotes: number;
  readonly candidateDegrades: number;
  readonly stateUptimeSeconds: number;
}

/** T5: `cluster xenon`. Config is a list of names with their values, in the order shown. */
export interface ServerRow {
  readonly id: string;
  readonly status: string;
  readonly config: readonly (readonly [name: string, value: string])[];
  readonly uptimeSeconds: number;
}

/** J3: `mysql status`. */
export interface MysqlStatus {
  readonly receiverRunning: boolean;
  readonly applierRunning: boolean;
  readonly mysqldRunning: boolean;
  readonly mysqlWorking: boolean;
  readonly secondsBehind: string;
  readonly lastError: string;
  readonly monitor: string;
}

/** T1. */
export function statusTable(rows: readonly (StatusRow | SilentRow)[]): string {
  const header = [
    "ID",
    "Raft",
    "Mysqld",
    "Monitor",
    "Backup",
    "Mysql",
    "IO/SQL_RUNNING",
    "MyLeader",
  ];
  return renderTable(
    header,
    rows.map((row) =>
      isSilent(row) ? silentCells(row, header.length) : [
        row.id,
        row.raft,
        row.mysqld,
        row.monitor,
        row.backup,
        row.mysql,
        row.threads,
        row.myLeader,
      ]
    ),
  );
}

/** T2. The rows come in the order in which they are to stand: the leader last. */
export function gtidTable(rows: readonly (GtidRow | SilentRow)[]): string {
  const header = ["ID", "Raft", "Mysql", "Executed_GTID_Set", "Retrieved_GTID_Set"];
  return renderTable(
    header,
    rows.map((row) =>
      isSilent(row)
        ? silentCells(row, header.length)
        : [row.id, row.raft, row.mysql, row.executed, row.received]
    ),
  );
}

/** T3. */
export function mysqlTable(rows: readonly (MysqlRow | SilentRow)[]): string {
  const header = [
    "ID",
    "Raft",
    "Mysql",
    "Option",
    "Master_Log_File/Pos",
    "IO/SQL_Running",
    "Seconds_Behind",
    "Last_Error",
  ];
  return renderTable(
    header,
    rows.map((row) =>
      isSilent(row) ? silentCells(row, header.length) : [
        row.id,
        row.raft,
        row.mysql,
        row.option,
        row.position,
        row.threads,
        row.secondsBehind,
        row.lastError,
      ]
    ),
  );
}

/** T4. A silent node has the state UNKNOW and zeros. */
export function raftTable(rows: readonly (RaftRow | SilentRow)[]): string {
  const header = [
    "ID",
    "Raft",
    "IdleCnt",
    "LPromotes",
    "LDegrades",
    "LGetHeartbeats",
    "LGetVotes",
    "CPromotes",
    "CDegrades",
    "Raft@Mysql",
    "StateUptimes(sec)",
  ];
  return renderTable(
    header,
    rows.map((row) =>
      isSilent(row) ? [row.id, unknown, "0", "0", "0", "0", "0", "0", "0", "", "0"] : [
        row.id,
        row.raft,
        String(row.idleCount),
        String(row.leaderPromotes),
        String(row.leaderDegrades),
        String(row.leaderGetHeartbeats),
        String(row.leaderGetVotes),
        String(row.candidatePromotes),
        String(row.candidateDegrades),
        row.raftAtMysql,
        String(Math.floor(row.stateUptimeSeconds)),
      ]
    ),
  );
}

/** T5. */
export function serverTable(rows: readonly (ServerRow | SilentRow)[]): string {
  const header = ["ID", "Status", "Config", "Uptimes"];
  return renderTable(
    header,
    rows.map((row) =>
      isSilent(row) ? silentCells(row, header.length) : [
        row.id,
        row.status,
        row.config.map(([name, value]) => `${"\t".repeat(6)}${name}:[${value}]`).join("\n"),
        String(Math.floor(row.uptimeSeconds)),
      ]
    ),
  );
}

/** The single column of `raft nodes`. */
export function nodesTable(nodes: readonly string[]): string {
  return renderTable(["Nodes"], nodes.map((node) => [node]));
}

/** One element of J1, keys in the order scripts were written against. */
export function statusJson(row: StatusRow | SilentRow): Readonly<Record<string, string>> {
  const known = isSilent(row) ? undefined : row;
  return {
    "id": row.id,
    "raft": known?.raft ?? "",
    "mysqld-info": known?.mysqld ?? "",
    "monitor-info": known?.monitor ?? "",
    "backup-info": known?.backup ?? "",
    "mysql-info": known?.mysql ?? "",
    "slave-info": known?.threads ?? "",
    "myleader": known?.myLeader ?? "",
  };
}

/** One element of J2; the newlines inside a GTID set are removed. */
export function gtidJson(row: GtidRow | SilentRow): Readonly<Record<string, string>> {
  const known = isSilent(row) ? undefined : row;
  return {
    "id": row.id,
    "raft": known?.raft ?? "",
    "mysql": known?.mysql ?? "",
    "executed-gtid-set": (known?.executed ?? "").replaceAll("\n", ""),
    "retrieved-gtid-set": (known?.received ?? "").replaceAll("\n", ""),
  };
}

/** J3. */
export function mysqlStatusJson(status: MysqlStatus): Readonly<Record<string, string | boolean>> {
  return {
    "slave_io_running": status.receiverRunning,
    "slave_sql_running": status.applierRunning,
    "mysqld_running": status.mysqldRunning,
    "mysql_working": status.mysqlWorking,
    "seconds_behind_master": status.secondsBehind,
    "last_error": status.lastError,
    "monitor": status.monitor,
  };
}

/** True for the row of a node that gave no answer. */
export function isSilent(row: object): row is SilentRow {
  return "silent" in row;
}

function silentCells(row: SilentRow, columns: number): readonly string[] {
  return [row.id, ...Array.from({ length: columns - 1 }, () => unknown)];
}
