/** The JSON texts about nodes that scripts were written against, J1 to J3, and what is added to them. */
import type { NodeStatus } from "../agent/wire_status.ts";
import type { NodeAnswer } from "./gather.ts";
import {
  applierRuns,
  backupCell,
  mysqlCell,
  oneLine,
  receiverRuns,
  secondsBehind,
  threadsCell,
} from "./node_tables.ts";

type Json = Readonly<Record<string, unknown>>;

/** One element of J1, keys in the order scripts know; empty texts where the node is silent. */
export function statusJson(node: NodeAnswer): Json {
  const of = reader(node);
  return {
    "id": node.id,
    "raft": of(({ term, epoch, role }) => `[ViewID:${term} EpochID:${epoch}]@${role}`),
    "mysqld-info": of(({ mysqld }) => mysqld.running),
    "monitor-info": of(({ mysqld }) => mysqld.monitor),
    "backup-info": of(backupCell),
    "mysql-info": of(mysqlCell),
    "slave-info": of(threadsCell),
    "myleader": of(({ leader }) => leader),
  };
}

/** One element of J2; the newlines inside a GTID set are removed. */
export function gtidJson(node: NodeAnswer): Json {
  const of = reader(node);
  return {
    "id": node.id,
    "raft": of(({ role }) => role),
    "mysql": of(mysqlCell),
    "executed-gtid-set": of(({ mysql }) => mysql.executed).replaceAll("\n", ""),
    "retrieved-gtid-set": of(({ mysql }) => mysql.received).replaceAll("\n", ""),
  };
}

/** J3. */
export function mysqlStatusJson(status: NodeStatus): Json {
  const alive = status.mysql.state === "ALIVE";
  return {
    "slave_io_running": receiverRuns(status),
    "slave_sql_running": applierRuns(status),
    "mysqld_running": status.mysqld.running === "RUNNING" || alive,
    "mysql_working": alive,
    "seconds_behind_master": secondsBehind(status),
    "last_error": status.mysql.lastError,
    "monitor": status.mysqld.monitor,
  };
}

/** Keys that the original does not have; its own JSON never holds them. */
export function extraKeys(node: NodeAnswer): Json {
  if (node.kind === "missing") return { answered: false, sentence: sentenceOf(node) };
  const { status } = node;
  return {
    answered: true,
    sentence: sentenceOf(node),
    role: status.role,
    term: status.term,
    epoch: status.epoch,
    facts: status.mysql,
    "last-backup": status.backup.last,
    "age-ms": status.ageMs,
    "uptime-seconds": status.uptimeSeconds,
    "agent-version": status.agentVersion,
  };
}

/** What a node says about itself, or why it says nothing; on one line. */
export function sentenceOf(node: NodeAnswer): string {
  if (node.kind === "missing") return `no facts: ${oneLine(node.because)}`;
  return oneLine(node.status.sentence) || "has nothing to say";
}

function reader(node: NodeAnswer): (of: (status: NodeStatus) => string) => string {
  return (of) => node.kind === "answered" ? of(node.status) : "";
}
