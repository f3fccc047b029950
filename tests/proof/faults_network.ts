/** Faults of the network: cuts of the switch, lost packets, late answers. */
import { isolated, lossy, parted, portCut } from "../live/hosts_faults.ts";
import type { Fault as Cut } from "../live/hosts_faults.ts";
import type { HostNode } from "../live/hosts_lab_node.ts";
import { agentPort, mysqlPort } from "../live/hosts_lab_node.ts";
import type { Fault, Scene } from "./fault.ts";

const rule = "nftables rule of the switch";

export const networkFaults: readonly Fault[] = [
  {
    ...cut("isolated", (scene) => isolated(scene.leader.host.name)),
    title: "the leader's host is cut off from everybody",
    expect: { leader: "another", writes: "return" },
  },
  {
    ...cut("not-heard", ({ leader }) => [{ from: leader.host.name }]),
    title: "nobody hears the leader's host, which hears all",
    expect: { leader: "another", writes: "return" },
  },
  {
    ...cut("deaf", ({ leader }) => [{ to: leader.host.name }]),
    title: "the leader's host hears nobody, and all hear it",
    expect: { leader: "another", writes: "return" },
  },
  {
    ...cut("agent-cut", ({ leader, followers }) => between(leader, followers, agentPort)),
    title: "the leader's agent and the other agents do not hear each other; replication works",
    expect: { leader: "another", writes: "return" },
  },
  {
    ...cut("agents-cut", ({ lab }) => portCut(lab.nodes.map(nameOf), agentPort)),
    title: "no agent hears another one; replication works",
    expect: { leader: "any", writes: "afterwards" },
  },
  {
    ...cut("replication-cut", ({ leader, followers }) => {
      return followers.map(({ host }) => {
        return { from: host.name, to: leader.host.name, tcpPort: mysqlPort };
      });
    }),
    title: "no follower reaches the leader's mysqld; the agents hear each other",
    expect: { leader: "any", writes: "return" },
  },
  {
    ...cut("one-link-cut", ({ leader, followers: [follower] }) => {
      return parted([nameOf(leader)], follower === undefined ? [] : [nameOf(follower)]);
    }),
    title: "the leader and one follower do not reach each other",
    expect: { leader: "same", writes: "stay" },
  },
  {
    ...cut("halves", ({ leader, followers: [first, ...rest] }) => {
      const minority = [leader, ...(first === undefined ? [] : [first])];
      return parted(minority.map(nameOf), rest.map(nameOf));
    }),
    hosts: 5,
    title: "five hosts fall apart: the leader and one against three",
    expect: { leader: "another", writes: "return" },
  },
  {
    ...cut("loss", () => lossy(30)),
    title: "30% of all packets are lost",
    expect: { leader: "any", writes: "afterwards" },
  },
];

/** What all cuts have in common. */
function cut(
  name: string,
  faults: (scene: Scene) => readonly Cut[],
): Omit<Fault, "title" | "expect"> {
  return {
    name,
    made: rule,
    healed: "rule removed",
    hosts: 3,
    lasts: "a while",
    make: (scene) => scene.lab.network.fault(faults(scene)),
    heal: ({ lab }) => lab.network.heal(),
  };
}

/** One port of the leader's host for all others, and theirs for it. */
function between(
  leader: HostNode,
  followers: readonly HostNode[],
  tcpPort: number,
): readonly Cut[] {
  const here = nameOf(leader);
  return followers.map(nameOf).flatMap((there) => [
    { from: here, to: there, tcpPort },
    { from: there, to: here, tcpPort },
  ]);
}

function nameOf({ host }: HostNode): string {
  return host.name;
}
