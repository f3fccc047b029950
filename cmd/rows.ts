/** One node's answer to the words of a table's row, in the original's spelling. */
import type { NodeStatus } from "../agent/wire_status.ts";
import type { NodeAnswer } from "./gather.ts";
import type { GtidRow, MysqlStatus, SilentRow, StatusRow } from "./render.ts";

/** The row of `cluster status`. */
export function statusRow(node: NodeAnswer): StatusRow | SilentRow {
  if (node.kind === "missing") return { id: node.id, silent: true };
  const { status } = node;
  return {
    id: node.id,
    raft: `[ViewID:${status.term} EpochID:${status.epoch}]@${status.role}`,
    mysqld: status.mysqld.running,
    monitor: status.mysqld.monitor,
    backup: `state:[${status.backup.state}]\nLastError:\n${status.backup.lastError}`.trim(),
    mysql: mysqlWord(status),
    threads: `[${receiverRuns(status)}/${applierRuns(status)}]`,
    myLeader: status.leader,
  };
}

/** The row of `cluster gtid`. */
export function gtidRow(node: NodeAnswer): GtidRow | SilentRow {
  if (node.kind === "missing") return { id: node.id, silent: true };
  const { status } = node;
  return {
    id: node.id,
    raft: status.role,
    mysql: mysqlWord(status),
    executed: status.mysql.executed,
    received: status.mysql.received,
  };
}

/** The facts of `mysql status`. A leader replicates from nobody, which scripts read as healthy. */
export function mysqlStatusOf(status: NodeStatus): MysqlStatus {
  const mysqldRunning = status.mysqld.running === "RUNNING" || status.mysql.state === "ALIVE";
  const leads = leadsAlive(status);
  return {
    receiverRunning: receiverRuns(status),
    applierRunning: applierRuns(status),
    mysqldRunning,
    mysqlWorking: status.mysql.state === "ALIVE",
    secondsBehind: leads ? "0" : status.mysql.secondsBehind,
    lastError: status.mysql.lastError,
    monitor: status.mysqld.monitor,
  };
}

function mysqlWord({ mysql }: NodeStatus): string {
  if (mysql.state !== "ALIVE") return `[${mysql.state}]`;
  return mysql.option === "" ? "[ALIVE]" : `[ALIVE] [${mysql.option}]`;
}

function receiverRuns(status: NodeStatus): boolean {
  return status.mysql.state === "ALIVE" && (leadsAlive(status) || status.mysql.receiverRunning);
}

function applierRuns(status: NodeStatus): boolean {
  return status.mysql.state === "ALIVE" && (leadsAlive(status) || status.mysql.applierRunning);
}

function leadsAlive(status: NodeStatus): boolean {
  return status.role === "LEADER" && status.mysql.state === "ALIVE";
}
