/**
 * Asks the agent of this host who belongs to the cluster, then every other member at once with one
 * deadline for all, so that a dead host costs a command at most that long and never hangs it.
 */
import { decodeNodeStatus, type NodeStatus } from "../agent/wire_status.ts";
import { CommandError } from "./exit.ts";
import type { Cluster } from "./ports.ts";

export type NodeAnswer =
  | { readonly kind: "answered"; readonly id: string; readonly status: NodeStatus }
  | { readonly kind: "missing"; readonly id: string; readonly because: string };

/** Every member in the stored order, with its answer or the reason why there is none. */
export interface Gathered {
  readonly nodes: readonly NodeAnswer[];
  /** The leader's own record where it answered, else the record the member list came from. */
  readonly view: NodeStatus;
}

/**
 * Collects the state of every member. Throws where no member list can be had: the local agent
 * refuses to answer, or neither it nor any member that the config names does.
 */
export async function gather(cluster: Cluster, deadlineMs: number): Promise<Gathered> {
  const local = await askOne(cluster, cluster.local, deadlineMs);
  if (local.kind === "answered") return await askMembers(cluster, [local], deadlineMs);
  if (local.refused) throw refusedBy(cluster.local, local.because);
  const seeds = cluster.seeds.filter((seed) => seed !== cluster.local);
  const others = await Promise.all(seeds.map((seed) => askOne(cluster, seed, deadlineMs)));
  if (!others.some((answer) => answer.kind === "answered")) {
    throw silentAgent(cluster.local, local, seeds.length);
  }
  return await askMembers(cluster, [local, ...others], deadlineMs);
}

/** The state of the agent of this host alone. Throws where it does not tell it. */
export async function askLocal(cluster: Cluster, deadlineMs: number): Promise<NodeStatus> {
  const local = await askOne(cluster, cluster.local, deadlineMs);
  if (local.kind === "answered") return local.status;
  if (local.refused) throw refusedBy(cluster.local, local.because);
  throw silentAgent(cluster.local, local, 0);
}

/** The failure of a command whose own agent said no. */
export function refusedBy(endpoint: string, because: string): CommandError {
  return new CommandError(`Cannot go on as the agent at "${endpoint}" refused: ${because}`, {
    next: "check that rpc.secret-file of this config is the agent's own, then read its log",
  });
}

const elsewhere = "run the command on another member";
const lateNext =
  "see whether its host can be reached and whether its agent is frozen or overloaded, " +
  `give it longer with --timeout, or ${elsewhere}`;

/** The failure of a command whose own agent did not answer. */
export function silentAgent(
  endpoint: string,
  { because, late = false }: { readonly because: string; readonly late?: boolean },
  seeds: number,
): CommandError {
  const others = seeds === 0 ? "" : `, nor does any of the ${seeds} members the config names`;
  return new CommandError(
    `Cannot reach the agent at "${endpoint}" as it does not answer (${because})${others}`,
    { next: late ? lateNext : "start it with xenon agent --config FILE, or " + elsewhere },
  );
}

type OneAnswer = NodeAnswer & { readonly refused?: boolean; readonly late?: boolean };

async function askMembers(
  cluster: Cluster,
  known: readonly OneAnswer[],
  deadlineMs: number,
): Promise<Gathered> {
  const statuses = known.flatMap((answer) => answer.kind === "answered" ? [answer.status] : []);
  const [first] = statuses;
  if (first === undefined) throw new Error("Cannot list the members as nobody answered");
  const members = first.members.length === 0 ? [first.id] : first.members;
  const nodes = await Promise.all(members.map(async (member): Promise<NodeAnswer> => {
    const before = known.find((answer) => answer.id === member);
    return before ?? await askOne(cluster, member, deadlineMs);
  }));
  const leaders = nodes.flatMap((node) =>
    node.kind === "answered" && node.status.role === "LEADER" ? [node.status] : []
  );
  // Two may claim to lead while an old leader is cut off; the later term is the true one.
  const [leader] = leaders.sort((left, right) => right.term - left.term);
  return { nodes, view: leader ?? first };
}

async function askOne(cluster: Cluster, id: string, deadlineMs: number): Promise<OneAnswer> {
  const answer = await cluster.call(id, { method: "node.status", params: {}, deadlineMs });
  if (answer.kind !== "answered") {
    return {
      kind: "missing",
      id,
      because: answer.because,
      refused: answer.kind === "refused",
      late: answer.kind === "silent" && answer.late === true,
    };
  }
  const decoded = decodeNodeStatus(answer.result);
  if (decoded.kind === "decoded") return { kind: "answered", id, status: decoded.status };
  return { kind: "missing", id, because: decoded.because, refused: true };
}
