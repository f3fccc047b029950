/** What an operator may wait for: a condition gives null once it holds, else what is still missing. */
import type { NodeStatus } from "../agent/wire_status.ts";
import type { Gathered, NodeAnswer } from "./gather.ts";
import { applierRuns, oneLine, receiverRuns } from "./node_tables.ts";

export type Condition = (gathered: Gathered) => string | null;

/** What the node that leads says of itself. */
function leaderOf({ nodes }: Gathered): NodeStatus | undefined {
  return nodes.flatMap((node) => node.kind === "answered" ? [node.status] : [])
    .find(({ role }) => role === "LEADER");
}

/** A leader that takes writes is there. */
export function leaderIsOpen(gathered: Gathered): string | null {
  const leader = leaderOf(gathered);
  if (leader === undefined) return "nobody leads";
  const { mysql, promotion } = leader;
  const open = mysql.state === "ALIVE" && mysql.option === "READWRITE" && promotion === "";
  return open ? null : `${leader.id} leads, but its server is not open for writes yet`;
}

/**
 * A leader is open, every member answers and follows it with both threads, and the leader counts each
 * voter as one that could take over or vote.
 */
export function clusterIsHealthy(gathered: Gathered): string | null {
  const ids = gathered.nodes.map(({ id }) => id);
  return leaderIsOpen(gathered) ?? follows(ids, gathered) ?? voterLacks(gathered);
}

/** By the leader's margin: a voter may follow and still be disabled, uncertain, or stopped by an operator. */
function voterLacks(gathered: Gathered): string | null {
  const leader = leaderOf(gathered);
  if (leader === undefined) return "nobody leads";
  const { margin, quorum } = leader;
  return margin.losses >= quorum.n - quorum.q ? null : margin.sentence;
}

/** All of these nodes have their vote, and follow. */
export function nodesVote(ids: readonly string[]): Condition {
  return (gathered) => {
    const { voters, witness } = gathered.view;
    const without = ids.find((id) => !voters.includes(id) && id !== witness);
    if (without !== undefined) return `${without} has no vote yet`;
    return follows(ids, gathered);
  };
}

/** All of these nodes are idle, and follow. */
export function nodesAreIdle(ids: readonly string[]): Condition {
  return (gathered) => {
    const without = ids.find((id) => !gathered.view.idle.includes(id));
    if (without !== undefined) return `${without} is not idle yet`;
    return follows(ids, gathered);
  };
}

/** None of these nodes is a member any more. */
export function nodesAreGone(ids: readonly string[]): Condition {
  return ({ view }) => {
    const left = ids.find((id) => view.members.includes(id));
    return left === undefined ? null : `${left} is still a member`;
  };
}

function follows(ids: readonly string[], { nodes, view }: Gathered): string | null {
  for (const node of nodes.filter(({ id }) => ids.includes(id))) {
    const missing = unhealthy(node, view);
    if (missing !== null) return missing;
  }
  return null;
}

function unhealthy(node: NodeAnswer, view: NodeStatus): string | null {
  if (node.kind === "missing") return `${node.id} does not answer (${oneLine(node.because)})`;
  const { id, status } = node;
  const well: readonly NodeStatus["role"][] = ["LEADER", "FOLLOWER", "WITNESS"];
  const idle = status.role === "IDLE" && view.idle.includes(id);
  if (!well.includes(status.role) && !idle) return `${id} is ${status.role}: ${status.sentence}`;
  if (status.leader !== view.leader) return `${id} does not know ${view.leader} as leader yet`;
  if (status.role === "WITNESS") return null;
  if (status.mysql.state !== "ALIVE") return `the server of ${id} is ${status.mysql.state}`;
  return receiverRuns(status) && applierRuns(status) ? null : `${id} does not replicate yet`;
}
