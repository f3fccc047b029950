/** What changes the cluster: `cluster add`, `addidle`, `remove` and `removeidle`. */
import { CommandError, type Outcome } from "./exit.ts";
import { silentAgent } from "./gather.ts";
import type { Cluster } from "./ports.ts";
import { tellSentences } from "./sentences.ts";

export interface ChangeRequest {
  /** The agents to add or to remove, as `host:port`. */
  readonly nodes: readonly string[];
  readonly deadlineMs: number;
}

export type ChangeWord = "add" | "addidle" | "remove" | "removeidle";

interface Change {
  readonly method: string;
  /** What failed, in front of the reason. */
  readonly cannot: (nodes: string) => string;
  readonly next: string;
}

const addAgain = "correct what it names, then add again; it is safe to repeat";
const lookAround = "see every node's own sentence with xenon cluster status";

const changes: Readonly<Record<ChangeWord, Change>> = {
  add: {
    method: "cluster.add",
    cannot: (nodes) => `add ${nodes} to the cluster`,
    next: addAgain,
  },
  addidle: {
    method: "cluster.addIdle",
    cannot: (nodes) => `add ${nodes} to the cluster as idle`,
    next: addAgain,
  },
  remove: {
    method: "cluster.remove",
    cannot: (nodes) => `remove ${nodes} from the cluster`,
    next: lookAround,
  },
  removeidle: {
    method: "cluster.removeIdle",
    cannot: (nodes) => `remove the idle ${nodes} from the cluster`,
    next: lookAround,
  },
};

/** The local agent forms the cluster, or brings the wish to the leader and tells what happened. */
export async function changeCluster(
  cluster: Cluster,
  word: ChangeWord,
  request: ChangeRequest,
): Promise<Outcome> {
  const { nodes, deadlineMs } = request;
  const { method, cannot, next } = changes[word];
  const answer = await cluster.call(cluster.local, { method, params: { nodes }, deadlineMs });
  if (answer.kind === "answered") return tellSentences(cluster.local, answer);
  if (answer.kind === "silent") throw silentAgent(cluster.local, answer.because, 0);
  const quoted = nodes.map((node) => `"${node}"`).join(", ");
  throw new CommandError(`Cannot ${cannot(quoted)}: ${answer.because}`, { next });
}
