/** What changes the cluster: `cluster add` and `cluster remove`. */
import { CommandError, type Outcome } from "./exit.ts";
import { silentAgent } from "./gather.ts";
import type { Cluster } from "./ports.ts";
import { tellSentences } from "./sentences.ts";

export interface ChangeRequest {
  /** The agents to add or to remove, as `host:port`. */
  readonly nodes: readonly string[];
  readonly deadlineMs: number;
}

/** `cluster add`: the local agent forms the cluster, or brings the wish to the leader. */
export async function clusterAdd(cluster: Cluster, request: ChangeRequest): Promise<Outcome> {
  const { nodes, deadlineMs } = request;
  const question = { method: "cluster.add", params: { nodes }, deadlineMs } as const;
  const answer = await cluster.call(cluster.local, question);
  if (answer.kind === "answered") return tellSentences(cluster.local, answer);
  if (answer.kind === "silent") throw silentAgent(cluster.local, answer.because, 0);
  throw new CommandError(`Cannot add ${quoted(nodes)} to the cluster: ${answer.because}`, {
    next: "correct what it names, then add again; it is safe to repeat",
  });
}

/** `cluster remove`: the local agent brings the wish to the leader. */
export async function clusterRemove(cluster: Cluster, request: ChangeRequest): Promise<Outcome> {
  const { nodes, deadlineMs } = request;
  const question = { method: "cluster.remove", params: { nodes }, deadlineMs } as const;
  const answer = await cluster.call(cluster.local, question);
  if (answer.kind === "answered") return tellSentences(cluster.local, answer);
  if (answer.kind === "silent") throw silentAgent(cluster.local, answer.because, 0);
  throw new CommandError(`Cannot remove ${quoted(nodes)} from the cluster: ${answer.because}`, {
    next: "see every node's own sentence with xenon cluster status",
  });
}

function quoted(nodes: readonly string[]): string {
  return nodes.map((node) => `"${node}"`).join(", ");
}
