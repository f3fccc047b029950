/** What changes the cluster: `cluster add`, `addidle`, `remove` and `removeidle`. */
import { type Condition, nodesAreGone, nodesAreIdle, nodesVote } from "./conditions.ts";
import { CommandError, type Outcome, success } from "./exit.ts";
import { silentAgent } from "./gather.ts";
import { changeDeadlineMs, roundDeadlineMs, waitMs } from "./open.ts";
import type { CommonOptions } from "./options.ts";
import type { Cluster, World } from "./ports.ts";
import { tellSentences } from "./sentences.ts";
import { waitUntil, withFailure } from "./wait.ts";

export interface ChangeRequest {
  /** The agents to add or to remove, as `host:port`. */
  readonly nodes: readonly string[];
  readonly deadlineMs: number;
}

export type ChangeWord = "add" | "addidle" | "remove" | "removeidle";

/** Such a change as it was typed. */
export interface ChangeCommand<Kind extends ChangeWord = ChangeWord> {
  readonly kind: Kind;
  readonly nodes: readonly string[];
  /** Until the change is complete, not only stored. */
  readonly wait: boolean;
  readonly common: CommonOptions;
}

interface Change {
  readonly method: string;
  /** What failed, in front of the reason. */
  readonly cannot: (nodes: string) => string;
  readonly next: string;
  readonly complete: (nodes: readonly string[]) => Condition;
}

const addAgain = "correct what it names, then add again; it is safe to repeat";
const lookAround = "see every node's own sentence with xenon cluster status";

const changes: Readonly<Record<ChangeWord, Change>> = {
  add: {
    method: "cluster.add",
    cannot: (nodes) => `add ${nodes} to the cluster`,
    next: addAgain,
    complete: nodesVote,
  },
  addidle: {
    method: "cluster.addIdle",
    cannot: (nodes) => `add ${nodes} to the cluster as idle`,
    next: addAgain,
    complete: nodesAreIdle,
  },
  remove: {
    method: "cluster.remove",
    cannot: (nodes) => `remove ${nodes} from the cluster`,
    next: lookAround,
    complete: nodesAreGone,
  },
  removeidle: {
    method: "cluster.removeIdle",
    cannot: (nodes) => `remove the idle ${nodes} from the cluster`,
    next: lookAround,
    complete: nodesAreGone,
  },
};

/** Makes the change and, where the operator wants that, waits until it is complete. */
export async function runChange(
  cluster: Cluster,
  { kind, nodes, wait, common }: ChangeCommand,
  world: World,
): Promise<Outcome> {
  const told = await changeCluster(cluster, kind, { nodes, deadlineMs: changeDeadlineMs(common) });
  if (!wait) return told;
  const { failed, tookMs } = await waitUntil(cluster, {
    condition: changes[kind].complete(nodes),
    wanted: `the change of ${nodes.join(", ")} complete`,
    limitMs: waitMs(common),
    deadlineMs: roundDeadlineMs,
  }, world);
  if (failed !== null) return withFailure(told, failed);
  return success(`${told.stdout}Complete after ${(tookMs / 1000).toFixed(1)} s\n`);
}

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
  if (answer.kind === "silent") throw silentAgent(cluster.local, answer, 0);
  const quoted = nodes.map((node) => `"${node}"`).join(", ");
  throw new CommandError(`Cannot ${cannot(quoted)}: ${answer.because}`, { next });
}
