/** What the `cluster` commands show of every node. */
import type { Facts } from "./facts.ts";
import { gather, type Gathered, type NodeAnswer } from "./gather.ts";
import { extraKeys, gtidJson, sentenceOf, statusJson } from "./node_json.ts";
import {
  gtidColumns,
  mysqlColumns,
  oneLine,
  raftColumns,
  statusColumns,
  tableOf,
  xenonColumns,
} from "./node_tables.ts";
import type { Cluster } from "./ports.ts";

/** `cluster status`: the table, its row count, the arithmetic, and one sentence a node. */
export async function clusterStatus(cluster: Cluster, deadlineMs: number): Promise<Facts> {
  return statusFacts(await gather(cluster, deadlineMs));
}

/** The facts of `cluster status` from answers that are there already. */
export function statusFacts(gathered: Gathered): Facts {
  const { nodes, view: { cluster, quorum, margin } } = gathered;
  return {
    ...tables(statusColumns, nodes),
    below: summary(gathered),
    exact: { status: nodes.map(statusJson) },
    value: { status: nodes.map(withExtra(statusJson)), cluster, quorum, margin },
  };
}

/** `cluster gtid`: the sets of every node, the leader last as the original reads it last. */
export async function clusterGtid(cluster: Cluster, deadlineMs: number): Promise<Facts> {
  const gathered = await gather(cluster, deadlineMs);
  const nodes = [...gathered.nodes].sort((left, right) => rank(left) - rank(right));
  return {
    ...tables(gtidColumns, nodes),
    exact: { gtid: nodes.map(gtidJson) },
    value: { gtid: nodes.map(withExtra(gtidJson)) },
  };
}

/** `cluster mysql`: every server with its replication. */
export async function clusterMysql(cluster: Cluster, deadlineMs: number): Promise<Facts> {
  const { nodes } = await gather(cluster, deadlineMs);
  return { ...tables(mysqlColumns, nodes), value: { mysql: nodes.map(withExtra(idOf)) } };
}

/** `cluster raft`: every agent with what it counted since its start. */
export async function clusterRaft(cluster: Cluster, deadlineMs: number): Promise<Facts> {
  const { nodes } = await gather(cluster, deadlineMs);
  const raft = nodes.map((node) => ({
    ...withExtra(idOf)(node),
    ...(node.kind === "missing" ? {} : {
      leader: node.status.leader,
      voters: node.status.voters,
      idle: node.status.idle,
      witness: node.status.witness,
      promotion: node.status.promotion,
      counters: node.status.counters,
    }),
  }));
  return { ...tables(raftColumns, nodes), value: { raft } };
}

/** `cluster xenon`: every agent with the settings it runs by. */
export async function clusterXenon(cluster: Cluster, deadlineMs: number): Promise<Facts> {
  const { nodes } = await gather(cluster, deadlineMs);
  const xenon = nodes.map((node) => ({
    ...withExtra(idOf)(node),
    ...(node.kind === "missing" ? {} : {
      settings: Object.fromEntries(node.status.settings.map(({ name, value }) => [name, value])),
    }),
  }));
  return { ...tables(xenonColumns, nodes), value: { xenon } };
}

function tables(
  columns: Parameters<typeof tableOf>[0],
  nodes: readonly NodeAnswer[],
): Pick<Facts, "table" | "wide" | "complete"> {
  return {
    table: tableOf(columns, nodes, { wide: false }),
    wide: tableOf(columns, nodes, { wide: true }),
    complete: nodes.every((node) => node.kind === "answered"),
  };
}

/** The lines below a status table: the arithmetic with its margin, then each node's sentence. */
function summary({ nodes, view }: Gathered): string {
  const { n, q, k } = view.quorum;
  const margin = view.margin.sentence === "" ? "" : `: ${oneLine(view.margin.sentence)}`;
  // Only a leader knows the whole cluster; anybody else's arithmetic may be out of date.
  const seen = view.role === "LEADER" || nodes.length === 1 ? "" : ` as ${view.id} sees it`;
  return [
    `n=${n} q=${q} k=${k}${seen}${margin}`,
    ...nodes.map((node) => `${node.id}: ${sentenceOf(node)}`),
  ]
    .map((line) => `${line}\n`).join("");
}

function withExtra(json: (node: NodeAnswer) => Readonly<Record<string, unknown>>) {
  return (node: NodeAnswer) => ({ ...json(node), ...extraKeys(node) });
}

function idOf({ id }: NodeAnswer): Readonly<Record<string, unknown>> {
  return { id };
}

function rank(node: NodeAnswer): number {
  return node.kind === "answered" && node.status.role === "LEADER" ? 1 : 0;
}
