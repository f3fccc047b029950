/** What changes the role of this host: `raft trytoleader`, `disable` and `enable`. */
import { CommandError, type Outcome } from "./exit.ts";
import { silentAgent } from "./gather.ts";
import type { Cluster } from "./ports.ts";
import { tellSentences } from "./sentences.ts";

export type RoleWord = "trytoleader" | "disable" | "enable";

interface RoleChange {
  readonly method: string;
  /** What failed, in front of the reason. */
  readonly cannot: (node: string) => string;
}

const changes: Readonly<Record<RoleWord, RoleChange>> = {
  trytoleader: { method: "raft.tryToLeader", cannot: (node) => `make ${node} the leader` },
  disable: { method: "raft.disable", cannot: (node) => `disable ${node}` },
  enable: { method: "raft.enable", cannot: (node) => `enable ${node}` },
};

/**
 * Asks the local agent. `trytoleader` is answered once it leads and its server is open for writes;
 * `disable` of a leader once its successor is open. Or when they gave up, with the reason.
 */
export async function changeRole(
  cluster: Cluster,
  word: RoleWord,
  request: { readonly deadlineMs: number },
): Promise<Outcome> {
  const { method, cannot } = changes[word];
  const { deadlineMs } = request;
  const answer = await cluster.call(cluster.local, { method, params: {}, deadlineMs });
  if (answer.kind === "answered") return tellSentences(cluster.local, answer);
  if (answer.kind === "silent") throw silentAgent(cluster.local, answer, 0);
  throw new CommandError(`Cannot ${cannot(`"${cluster.local}"`)}: ${answer.because}`, {
    next: "see every node's own sentence with xenon cluster status",
  });
}
