/** What `cluster status` and `cluster gtid` show of every node. */
import type { FactsForm } from "./options.ts";
import { exitCodes, type Outcome, success } from "./exit.ts";
import { gather, type Gathered, type NodeAnswer } from "./gather.ts";
import type { Cluster } from "./ports.ts";
import { gtidJson, gtidTable, statusJson, statusTable } from "./render.ts";
import { gtidRow, statusRow } from "./rows.ts";

export interface FactsRequest {
  readonly form: FactsForm;
  /** For all questions of one round together. */
  readonly deadlineMs: number;
}

/** `cluster status`: the table, its row count, the arithmetic, and one sentence a node. */
export async function clusterStatus(cluster: Cluster, request: FactsRequest): Promise<Outcome> {
  const gathered = await gather(cluster, request.deadlineMs);
  const rows = gathered.nodes.map(statusRow);
  if (request.form === "table") {
    return finish(gathered, `${statusTable(rows)}${summary(gathered)}`);
  }
  if (request.form === "exact") return finish(gathered, toJson({ status: rows.map(statusJson) }));
  const status = gathered.nodes.map((node, index) => ({
    ...statusJson(rows[index] ?? { id: node.id, silent: true }),
    ...extraKeys(node),
  }));
  const { cluster: id, quorum, margin } = gathered.view;
  return finish(gathered, toJson({ status, cluster: id, quorum, margin }));
}

/** `cluster gtid`: the sets of every node, the leader last as the original reads it last. */
export async function clusterGtid(cluster: Cluster, request: FactsRequest): Promise<Outcome> {
  const gathered = await gather(cluster, request.deadlineMs);
  const nodes = [...gathered.nodes].sort((left, right) => rank(left) - rank(right));
  const rows = nodes.map(gtidRow);
  if (request.form === "table") return finish(gathered, gtidTable(rows));
  if (request.form === "exact") return finish(gathered, toJson({ gtid: rows.map(gtidJson) }));
  const gtid = nodes.map((node, index) => ({
    ...gtidJson(rows[index] ?? { id: node.id, silent: true }),
    ...extraKeys(node),
  }));
  return finish(gathered, toJson({ gtid }));
}

/** The lines below a status table: the arithmetic with its margin, then each node's sentence. */
function summary({ nodes, view }: Gathered): string {
  const { n, q, k } = view.quorum;
  const margin = view.margin.sentence === "" ? "" : `: ${oneLine(view.margin.sentence)}`;
  // Only a leader knows the whole cluster; anybody else's arithmetic may be out of date.
  const seen = view.role === "LEADER" || nodes.length === 1 ? "" : ` as ${view.id} sees it`;
  return [
    `n=${n} q=${q} k=${k}${seen}${margin}`,
    ...nodes.map((node) => `${node.id}: ${sentence(node)}`),
  ]
    .map((line) => `${line}\n`).join("");
}

/** What a node says about itself, or why it says nothing. */
function sentence(node: NodeAnswer): string {
  if (node.kind === "missing") return `no facts: ${oneLine(node.because)}`;
  return oneLine(node.status.sentence) || "has nothing to say";
}

/** Keys that the original does not have; scripts written against it never see them. */
function extraKeys(node: NodeAnswer): Readonly<Record<string, unknown>> {
  if (node.kind === "missing") return { answered: false, sentence: sentence(node) };
  const { status } = node;
  return {
    answered: true,
    sentence: sentence(node),
    role: status.role,
    term: status.term,
    epoch: status.epoch,
    facts: status.mysql,
    "age-ms": status.ageMs,
    "uptime-seconds": status.uptimeSeconds,
    "agent-version": status.agentVersion,
  };
}

function rank(node: NodeAnswer): number {
  return node.kind === "answered" && node.status.role === "LEADER" ? 1 : 0;
}

function finish({ nodes }: Gathered, stdout: string): Outcome {
  const complete = nodes.every((node) => node.kind === "answered");
  return success(stdout, complete ? exitCodes.ok : exitCodes.partial);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
