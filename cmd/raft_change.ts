/** What changes the role of this host: `raft trytoleader`. */
import { CommandError, type Outcome } from "./exit.ts";
import { silentAgent } from "./gather.ts";
import type { Cluster } from "./ports.ts";
import { tellSentences } from "./sentences.ts";

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
