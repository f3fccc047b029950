/** Faults of processes: killed, frozen, told to stop, rebooted. */
import assert from "node:assert/strict";
import type { HostNode } from "../live/hosts_lab_node.ts";
import { type Fault, nothing, type Scene } from "./fault.ts";

const statementMs = 5_000;
/** A command of a frozen agent may have added the address once more: one lease. */
const leaseMs = 1_000;
const goneMs = 30_000;
const byMonitor = "the agent starts it again";

export const processFaults: readonly Fault[] = [
  {
    name: "mysqld-kill",
    title: "kill -9 of the leader's mysqld",
    made: "SIGKILL",
    healed: byMonitor,
    hosts: 3,
    lasts: "a moment",
    expect: { leader: "another", writes: "return" },
    make: ({ leader }) => leader.signalServer("SIGKILL"),
    heal: nothing,
  },
  {
    name: "agent-kill",
    title: "kill -9 of the leader's agent",
    made: "SIGKILL",
    healed: "started again",
    hosts: 3,
    lasts: "a while",
    expect: { leader: "another", writes: "return" },
    make: ({ leader }) => signalAgent(leader, "SIGKILL"),
    heal: ({ leader }) => leader.startAgent(),
  },
  {
    name: "both-kill",
    title: "kill -9 of the leader's mysqld and agent",
    made: "SIGKILL",
    healed: "the agent is started again, and starts mysqld",
    hosts: 3,
    lasts: "a while",
    expect: { leader: "another", writes: "return" },
    make: async ({ leader }) => {
      leader.signalAgent("SIGKILL");
      await leader.signalServer("SIGKILL");
    },
    heal: ({ leader }) => leader.startAgent(),
  },
  {
    name: "mysqld-freeze",
    title: "the leader's mysqld freezes",
    made: "SIGSTOP",
    healed: "SIGCONT, if it still runs",
    hosts: 3,
    lasts: "a while",
    expect: { leader: "another", writes: "return" },
    make: ({ leader }) => leader.signalServer("SIGSTOP"),
    heal: ({ leader }) => leader.signalServer("SIGCONT"),
  },
  {
    name: "agent-freeze",
    title: "the leader's agent freezes",
    made: "SIGSTOP",
    healed: "SIGCONT",
    hosts: 3,
    lasts: "a while",
    expect: { leader: "another", writes: "return", holdersMsMax: leaseMs },
    make: ({ leader }) => signalAgent(leader, "SIGSTOP"),
    heal: ({ leader }) => signalAgent(leader, "SIGCONT"),
  },
  {
    name: "both-freeze",
    title: "the leader's mysqld and agent freeze",
    made: "SIGSTOP",
    healed: "SIGCONT",
    hosts: 3,
    lasts: "a while",
    expect: { leader: "another", writes: "return", holdersMsMax: leaseMs },
    make: async ({ leader }) => {
      leader.signalAgent("SIGSTOP");
      await leader.signalServer("SIGSTOP");
    },
    heal: async ({ leader }) => {
      await leader.signalServer("SIGCONT");
      leader.signalAgent("SIGCONT");
    },
  },
  {
    name: "mysqld-term",
    title: "somebody stops the leader's mysqld under load",
    made: "SIGTERM",
    healed: byMonitor,
    hosts: 3,
    lasts: "a moment",
    expect: { leader: "another", writes: "return" },
    make: ({ leader }) => leader.signalServer("SIGTERM"),
    heal: nothing,
  },
  {
    name: "mysqld-shutdown",
    title: "a clean shutdown of the leader's mysqld under load",
    made: "the statement SHUTDOWN",
    healed: byMonitor,
    hosts: 3,
    lasts: "a moment",
    expect: { leader: "another", writes: "return" },
    make: async ({ leader }) => {
      await using connection = await leader.root(statementMs);
      await connection.query("SHUTDOWN", { deadlineMs: statementMs });
    },
    heal: nothing,
  },
  {
    name: "host-reboot",
    title: "an orderly reboot of the leader's host",
    made: "SIGTERM to the agent, then to mysqld, link down",
    healed: "link up, agent started",
    hosts: 3,
    lasts: "a while",
    expect: { leader: "another", writes: "return" },
    make: shutDownHost,
    heal: ({ leader }) => leader.returnPower(),
  },
  {
    name: "follower-kill",
    title: "kill -9 of a follower's mysqld and agent",
    made: "SIGKILL",
    healed: "the agent is started again, and starts mysqld",
    hosts: 3,
    lasts: "a while",
    expect: { leader: "same", writes: "stay" },
    make: async ({ followers: [follower] }) => {
      follower?.signalAgent("SIGKILL");
      await follower?.signalServer("SIGKILL");
    },
    heal: async ({ followers: [follower] }) => await follower?.startAgent(),
  },
  {
    name: "follower-freeze",
    title: "a follower's mysqld and agent freeze",
    made: "SIGSTOP",
    healed: "SIGCONT",
    hosts: 3,
    lasts: "a while",
    expect: { leader: "same", writes: "stay" },
    make: async ({ followers: [follower] }) => {
      follower?.signalAgent("SIGSTOP");
      await follower?.signalServer("SIGSTOP");
    },
    heal: async ({ followers: [follower] }) => {
      await follower?.signalServer("SIGCONT");
      follower?.signalAgent("SIGCONT");
    },
  },
];

function signalAgent(node: HostNode, signal: Deno.Signal): Promise<void> {
  node.signalAgent(signal);
  return Promise.resolve();
}

/** In the order of the units: the agent hands over before its server is stopped. */
async function shutDownHost({ leader }: Scene): Promise<void> {
  leader.signalAgent("SIGTERM");
  assert.ok(await leader.agentGone(goneMs), "the agent ends");
  await leader.signalServer("SIGTERM");
  assert.ok(await leader.serverGone(goneMs), "its server ends");
  await leader.host.powerOff();
}
