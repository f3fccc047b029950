/** What `raft status` and `raft nodes` show of the agent of this host. */
import type { OutputForm } from "./options.ts";
import { type Outcome, success } from "./exit.ts";
import { askLocal } from "./gather.ts";
import type { Cluster } from "./ports.ts";
import { nodesTable } from "./render.ts";
import { renderTable } from "./table.ts";

export interface LocalRequest {
  readonly form: OutputForm;
  readonly deadlineMs: number;
}

/** `raft status`: role, leader and members as this agent sees them. */
export async function raftStatus(cluster: Cluster, request: LocalRequest): Promise<Outcome> {
  const status = await askLocal(cluster, request.deadlineMs);
  const facts = { state: status.role, leader: status.leader, nodes: status.members };
  if (request.form === "json") return success(`${JSON.stringify(facts)}\n`);
  const row = [facts.state, facts.leader, facts.nodes.join("\n")];
  return success(renderTable(["State", "Leader", "Nodes"], [row]));
}

/** `raft nodes`: the members this agent knows, in the stored order. */
export async function raftNodes(cluster: Cluster, request: LocalRequest): Promise<Outcome> {
  const { members } = await askLocal(cluster, request.deadlineMs);
  const json = request.form === "json";
  return success(json ? `${JSON.stringify({ nodes: members })}\n` : nodesTable(members));
}
