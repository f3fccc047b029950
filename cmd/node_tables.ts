/**
 * The tables about nodes, T1 to T5 in the order of the original's commands: for each column its
 * title and how it reads from a node's status. Titles and words are the original's, as scripts cut
 * them out of the text.
 */
import type { NodeStatus } from "../agent/wire_status.ts";
import type { NodeAnswer } from "./gather.ts";
import type { Table } from "./table.ts";

/** What a cell says when its node did not answer; the original's spelling. */
export const unknown = "UNKNOW";

/** Longer lines of a cell make a table that no terminal shows. */
const lineMax = 40;

interface Column {
  readonly title: string;
  readonly of: (status: NodeStatus) => string;
  /** The cell of a node that did not answer, where it is not UNKNOW. */
  readonly silent?: string;
  /** Only shown by `-o wide` and `-o tsv`. */
  readonly wide?: true;
}

/** T1: `cluster status`. */
export const statusColumns: readonly Column[] = [
  { title: "Raft", of: ({ term, epoch, role }) => `[ViewID:${term} EpochID:${epoch}]@${role}` },
  { title: "Mysqld", of: ({ mysqld }) => mysqld.running },
  { title: "Monitor", of: ({ mysqld }) => mysqld.monitor },
  { title: "Backup", of: (status) => shortened(backupCell(status)) },
  { title: "Mysql", of: mysqlCell },
  { title: "IO/SQL_RUNNING", of: threadsCell },
  { title: "MyLeader", of: ({ leader }) => leader },
  { title: "Seconds_Behind", of: secondsBehind, wide: true },
  { title: "Version", of: ({ mysql }) => mysql.version, wide: true },
  { title: "Xenon", of: ({ agentVersion }) => agentVersion, wide: true },
  { title: "Sentence", of: ({ sentence }) => sentence, wide: true },
];

/** T2: `cluster gtid`. */
export const gtidColumns: readonly Column[] = [
  { title: "Raft", of: ({ role }) => role },
  { title: "Mysql", of: mysqlCell },
  { title: "Executed_GTID_Set", of: ({ mysql }) => mysql.executed },
  { title: "Retrieved_GTID_Set", of: ({ mysql }) => mysql.received },
  { title: "Server_UUID", of: ({ mysql }) => mysql.serverUuid, wide: true },
];

/** T3: `cluster mysql`. */
export const mysqlColumns: readonly Column[] = [
  { title: "Raft", of: ({ role }) => role },
  { title: "Mysql", of: ({ mysql }) => mysql.state },
  { title: "Option", of: ({ mysql }) => mysql.option },
  {
    title: "Master_Log_File/Pos",
    of: ({ mysql }) => `[${mysql.sourceLogFile}/${mysql.sourceLogPosition}]`,
  },
  { title: "IO/SQL_Running", of: threadsCell },
  { title: "Seconds_Behind", of: secondsBehind },
  { title: "Last_Error", of: ({ mysql }) => mysql.lastError },
  { title: "Server", of: ({ mysql }) => mysql.endpoint, wide: true },
  { title: "Version", of: ({ mysql }) => mysql.version, wide: true },
  { title: "Semi_Sync", of: semiSyncCell, wide: true },
];

/** T4: `cluster raft`. */
export const raftColumns: readonly Column[] = [
  { title: "Raft", of: ({ role }) => role },
  counter("IdleCnt", ({ idle }) => idle.length),
  counter("LPromotes", ({ counters }) => counters.leaderPromotes),
  counter("LDegrades", ({ counters }) => counters.leaderDegrades),
  counter("LGetHeartbeats", ({ counters }) => counters.leaderGetHeartbeats),
  counter("LGetVotes", ({ counters }) => counters.leaderGetVotes),
  counter("CPromotes", ({ counters }) => counters.candidatePromotes),
  counter("CDegrades", ({ counters }) => counters.candidateDegrades),
  { title: "Raft@Mysql", of: ({ promotion }) => promotion, silent: "" },
  counter("StateUptimes(sec)", ({ counters }) => Math.floor(counters.stateUptimeSeconds)),
  { title: "View", of: ({ term }) => String(term), silent: "", wide: true },
  { title: "Epoch", of: ({ epoch }) => String(epoch), silent: "", wide: true },
  { title: "Leader", of: ({ leader }) => leader, silent: "", wide: true },
  { title: "Voters", of: ({ voters }) => voters.join("\n"), silent: "", wide: true },
];

/** T5: `cluster xenon`. */
export const xenonColumns: readonly Column[] = [
  { title: "Status", of: ({ role }) => role },
  { title: "Config", of: settingsCell },
  { title: "Uptimes", of: ({ uptimeSeconds }) => String(Math.floor(uptimeSeconds)) },
  { title: "Version", of: ({ agentVersion }) => agentVersion, wide: true },
];

/** `version --all`. */
export const versionColumns: readonly Column[] = [
  { title: "Xenon", of: ({ agentVersion }) => agentVersion },
  { title: "Mysql", of: ({ mysql }) => mysql.version },
];

/** One row a node in the given order, its id first. */
export function tableOf(
  columns: readonly Column[],
  nodes: readonly NodeAnswer[],
  { wide }: { readonly wide: boolean },
): Table {
  const shown = columns.filter((column) => wide || column.wide !== true);
  return {
    header: ["ID", ...shown.map(({ title }) => title)],
    rows: nodes.map((node) => [
      node.id,
      ...shown.map(({ of, silent = unknown }) =>
        node.kind === "answered" ? of(node.status) : silent
      ),
    ]),
  };
}

/** The text of the cell Backup, which is a key of J1 too. */
export function backupCell({ backup }: NodeStatus): string {
  return `state:[${backup.state}]\nLastError:\n${backup.lastError}`.trim();
}

/** An error of a job can be long; "xenon jobs" and JSON have all of it. */
function shortened(cell: string): string {
  return cell.split("\n").map((line) => {
    return line.length > lineMax ? `${line.slice(0, lineMax - 3)}...` : line;
  }).join("\n");
}

/** The state of the server, and whether it takes writes. */
export function mysqlCell({ mysql }: NodeStatus): string {
  if (mysql.state !== "ALIVE") return `[${mysql.state}]`;
  return mysql.option === "" ? "[ALIVE]" : `[ALIVE] [${mysql.option}]`;
}

/** Receiver and applier, in the original's spelling of booleans. */
export function threadsCell(status: NodeStatus): string {
  return `[${receiverRuns(status)}/${applierRuns(status)}]`;
}

/** A leader replicates from nobody, which scripts read as healthy. */
export function receiverRuns(status: NodeStatus): boolean {
  return status.mysql.state === "ALIVE" && (leadsAlive(status) || status.mysql.receiverRunning);
}

/** As `receiverRuns`, for the applier. */
export function applierRuns(status: NodeStatus): boolean {
  return status.mysql.state === "ALIVE" && (leadsAlive(status) || status.mysql.applierRunning);
}

/** Seconds behind the leader; empty while unknown. */
export function secondsBehind(status: NodeStatus): string {
  return leadsAlive(status) ? "0" : status.mysql.secondsBehind;
}

/** The text on one line. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function leadsAlive(status: NodeStatus): boolean {
  return status.role === "LEADER" && status.mysql.state === "ALIVE";
}

function counter(title: string, of: (status: NodeStatus) => number): Column {
  return { title, of: (status) => String(of(status)), silent: "0" };
}

function semiSyncCell({ mysql: { semiSync } }: NodeStatus): string {
  if (semiSync.source) return `source k=${semiSync.k} clients=${semiSync.clients}`;
  return semiSync.replica ? "replica" : "off";
}

/** Six tabs before each line, which the table turns into blanks as the original does. */
function settingsCell({ settings }: NodeStatus): string {
  return settings.map(({ name, value }) => `${"\t".repeat(6)}${name}:[${value}]`).join("\n");
}
