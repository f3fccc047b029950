/** Faults of hosts and disks: power, space, and a device that fails. */
import type { HostNode } from "../live/hosts_lab_node.ts";
import { type Fault, nothing, type Scene } from "./fault.ts";
import { pause } from "../../mysql/time_left.ts";

/** Hosts that lost their power come back so long after each other. */
const betweenBootsMs = 500;

export const hostFaults: readonly Fault[] = [
  {
    name: "power",
    title: "the leader's host loses its power",
    made: "its disk loses what was not synced, all is killed, link down",
    healed: "disk mounted again, link up, agent started",
    hosts: 3,
    needs: "disk",
    lasts: "a while",
    expect: { leader: "another", writes: "return" },
    make: ({ leader }) => leader.losePower(),
    heal: ({ leader }) => leader.returnPower(),
  },
  {
    name: "all-power",
    title: "all hosts lose their power at once, and return in any order",
    made: "as above, for each",
    healed: "as above, in an order that is drawn",
    hosts: 3,
    needs: "disk",
    lasts: "a moment",
    expect: { leader: "any", writes: "afterwards" },
    make: async ({ lab }) => void await Promise.all(lab.nodes.map((node) => node.losePower())),
    heal: async ({ lab }) => {
      for (const node of shuffled(lab.nodes)) {
        await node.returnPower();
        await pause(betweenBootsMs);
      }
    },
  },
  {
    ...disk("full"),
    name: "disk-full",
    title: "the disk of the leader's host is full",
    expect: { leader: "another", writes: "return" },
    make: ({ leader }) => fill(leader),
    heal: ({ leader }) => empty(leader),
  },
  {
    ...disk("full"),
    name: "disk-full-follower",
    title: "the disk of a follower's host is full",
    expect: { leader: "same", writes: "stay" },
    make: ({ followers: [follower] }) => fill(follower),
    heal: ({ followers: [follower] }) => empty(follower),
  },
  {
    ...disk("read-only"),
    name: "disk-readonly",
    title: "the disk of the leader's host turns read-only",
    expect: { leader: "another", writes: "return" },
    make: async ({ leader }) => await leader.disk?.turnReadOnly(),
    heal: ({ leader }) => replaceDisk(leader),
  },
  {
    ...disk("read-only"),
    name: "disk-readonly-follower",
    title: "the disk of a follower's host turns read-only",
    expect: { leader: "same", writes: "stay" },
    make: async ({ followers: [follower] }) => await follower?.disk?.turnReadOnly(),
    heal: async ({ followers: [follower] }) => {
      if (follower !== undefined) await replaceDisk(follower);
    },
  },
  {
    name: "relay-log-lost",
    title: "a follower restarts and forgets its relay log (relay_log_recovery=ON); then the " +
      "leader's host dies",
    made: "kill -9 of both servers and of the leader's agent",
    healed: "the leader's agent is started again",
    hosts: 3,
    lasts: "a while",
    expect: { leader: "any", writes: "afterwards" },
    make: loseRelayLog,
    heal: ({ leader }) => leader.startAgent(),
  },
];

/** What the faults of a disk have in common. */
function disk(kind: "full" | "read-only"): Pick<
  Fault,
  "made" | "healed" | "hosts" | "needs" | "lasts"
> {
  return {
    made: kind === "full" ? "a file takes all space" : "the kernel's trigger_fs_error",
    healed: kind === "full" ? "the file is removed" : "the host reboots, the disk is mended",
    hosts: 3,
    needs: "disk",
    lasts: "a while",
  };
}

async function fill(node: HostNode | undefined): Promise<void> {
  await node?.disk?.fill();
}

function empty(node: HostNode | undefined): Promise<void> {
  node?.disk?.empty();
  return nothing();
}

/** A file system with an error stays read-only until it was checked, and for that nobody may use it. */
async function replaceDisk(node: HostNode): Promise<void> {
  node.signalAgent("SIGKILL");
  await node.agentGone();
  await node.host.powerOff();
  await node.returnPower();
}

async function loseRelayLog({ leader, followers: [follower] }: Scene): Promise<void> {
  const restore = follower?.configureServer("relay_log_recovery=ON");
  await follower?.signalServer("SIGKILL");
  leader.signalAgent("SIGKILL");
  await leader.signalServer("SIGKILL");
  await follower?.serverBack();
  restore?.();
}

function shuffled<T>(all: readonly T[]): readonly T[] {
  return all.map((one) => ({ one, at: Math.random() }))
    .sort((left, right) => left.at - right.at).map(({ one }) => one);
}
