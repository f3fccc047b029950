/** What `raft status` and `raft nodes` show of the agent of this host. */
import type { Facts } from "./facts.ts";
import { askLocal } from "./gather.ts";
import type { Cluster } from "./ports.ts";

/** `raft status`: role, leader and members as this agent sees them. */
export async function raftStatus(cluster: Cluster, deadlineMs: number): Promise<Facts> {
  const { role: state, leader, members: nodes, ...more } = await askLocal(cluster, deadlineMs);
  const { term, epoch, margin, sentence } = more;
  const row = [state, leader, nodes.join("\n")];
  return {
    table: { header: ["State", "Leader", "Nodes"], rows: [row] },
    wide: {
      header: ["State", "Leader", "Nodes", "View", "Epoch", "Margin", "Sentence"],
      rows: [[...row, String(term), String(epoch), margin.sentence, sentence]],
    },
    exact: { state, leader, nodes },
    value: { state, leader, nodes, term, epoch, margin, sentence },
  };
}

/** `raft nodes`: the members this agent knows, in the stored order. */
export async function raftNodes(cluster: Cluster, deadlineMs: number): Promise<Facts> {
  const { members, voters, witness } = await askLocal(cluster, deadlineMs);
  const kindOf = (id: string) =>
    id === witness ? "witness" : voters.includes(id) ? "voter" : "idle or learner";
  return {
    table: { header: ["Nodes"], rows: members.map((id) => [id]) },
    wide: { header: ["Nodes", "Kind"], rows: members.map((id) => [id, kindOf(id)]) },
    value: { nodes: members },
  };
}
