/** The commands about the agent of this host and its role. */
import type { OutputForm } from "./command.ts";
import { CommandError, type Outcome, success } from "./exit.ts";
import { askLocal, silentAgent } from "./gather.ts";
import type { Cluster } from "./ports.ts";
import { nodesTable } from "./render.ts";
import { tellSentences } from "./sentences.ts";
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

/**
 * `raft trytoleader`: the local agent asks the leader for its place, and stands. It answers once it
 * leads and its server is open for writes, or when it gave up.
 */
export async function raftTryToLeader(
  cluster: Cluster,
  request: { readonly deadlineMs: number },
): Promise<Outcome> {
  const answer = await cluster.call(cluster.local, {
    method: "raft.tryToLeader",
    params: {},
    deadlineMs: request.deadlineMs,
  });
  if (answer.kind === "answered") return tellSentences(cluster.local, answer);
  if (answer.kind === "silent") throw silentAgent(cluster.local, answer.because, 0);
  throw new CommandError(`Cannot make "${cluster.local}" the leader: ${answer.because}`, {
    next: "see every node's own sentence with xenon cluster status",
  });
}
