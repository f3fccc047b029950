/** Faults in a row, faults beside an operator's work, and an operator's work alone. */
import assert from "node:assert/strict";
import { tableName } from "../../cmd/demo/workload.ts";
import { describeResult, type ProcessResult, succeeded } from "../../mysql/process.ts";
import { pause } from "../../mysql/time_left.ts";
import { isolated } from "../live/hosts_faults.ts";
import type { HostNode } from "../live/hosts_lab_node.ts";
import { withPatientSessions } from "./patient.ts";
import { type Fault, nothing, pairOf, type Scene } from "./fault.ts";

const patienceMs = 30_000;
const commandMs = 30_000;
const statementMs = 5_000;
/** A membership change that meets a fault may be refused until that is over. */
const changeMs = 60_000;
const againMs = 500;
/** The leader knows by then who is dead. */
const deadMs = 2_000;

const switchover: Fault = {
  name: "switchover",
  title: "a planned hand-over",
  made: "xenon raft trytoleader on a follower",
  healed: "-",
  hosts: 3,
  lasts: "a moment",
  expect: { leader: "another", writes: "return" },
  make: (scene) => {
    const [candidate] = pairOf(scene);
    return withPatientSessions(scene.lab, () => command(candidate, ["raft", "trytoleader"]));
  },
  heal: nothing,
};

export const clusterFaults: readonly Fault[] = [
  switchover,
  {
    ...switchover,
    name: "switchover-five",
    title: "a planned hand-over among five hosts: it needs the vote of one that hears the leader",
    hosts: 5,
    expect: { leader: "another", writes: "return", handoversMax: 1 },
  },
  {
    name: "switchover-last",
    title: "a planned hand-over to the last follower, while the other one is dead",
    made: "SIGKILL to a follower's mysqld and agent, xenon raft trytoleader on the other one",
    healed: "the agent is started again, and starts mysqld",
    hosts: 3,
    lasts: "a moment",
    expect: { leader: "another", writes: "return", handoversMax: 1 },
    make: async (scene) => {
      const [candidate, dead] = pairOf(scene);
      dead.signalAgent("SIGKILL");
      await dead.signalServer("SIGKILL");
      await pause(deadMs);
      await withPatientSessions(scene.lab, () => command(candidate, ["raft", "trytoleader"]));
    },
    heal: (scene) => pairOf(scene)[1].startAgent(),
  },
  {
    name: "agent-restart",
    title: "the leader's agent is restarted",
    made: "SIGTERM to the agent",
    healed: "started again",
    hosts: 3,
    lasts: "a moment",
    expect: { leader: "another", writes: "return", handoversMax: 1 },
    make: ({ leader }) => restartAgent(leader),
    heal: nothing,
  },
  {
    name: "rolling-upgrade",
    title: "all agents are replaced one after the other, the leader's last",
    made: "SIGTERM to each agent, started again, the cluster is whole before the next",
    healed: "-",
    hosts: 3,
    lasts: "a moment",
    expect: { leader: "another", writes: "return", handoversMax: 1 },
    make: async ({ lab, leader, followers }) => {
      for (const node of [...followers, leader]) {
        await restartAgent(node);
        assert.ok(await lab.whole(patienceMs), await lab.sentences());
      }
    },
    heal: nothing,
  },
  {
    name: "two-in-a-row",
    title: "the leader's mysqld dies, and its successor's within a second of its opening",
    made: "SIGKILL, twice",
    healed: "the agents start them again",
    hosts: 3,
    lasts: "a moment",
    expect: { leader: "any", writes: "return" },
    make: async ({ lab, leader }) => {
      await leader.signalServer("SIGKILL");
      await (await lab.leader(patienceMs, leader)).signalServer("SIGKILL");
    },
    heal: nothing,
  },
  {
    name: "extra",
    title: "an old leader returns with transactions that nobody else has",
    made:
      "its agent is killed, its host cut off, its clients thrown out, semi-sync off, a row written",
    healed: "rule removed, agent started",
    hosts: 3,
    lasts: "a while",
    expect: { leader: "another", writes: "return", extra: true },
    make: writeExtra,
    heal: async ({ lab, leader }) => {
      await lab.network.heal();
      await leader.startAgent();
    },
  },
  {
    name: "member-change",
    title: "a cut-off member is removed while the leader's mysqld dies, and added again",
    made: "nftables rule, xenon cluster remove, SIGKILL",
    healed: "rule removed, xenon cluster add",
    hosts: 5,
    lasts: "a moment",
    expect: { leader: "any", writes: "return" },
    make: removeUnderFault,
    heal: async ({ lab, followers: [member] }) => {
      await lab.network.heal();
      if (member !== undefined) await changeMember(lab.nodes, ["cluster", "add", member.id]);
    },
  },
];

async function command(node: HostNode, words: readonly string[]): Promise<void> {
  const result = await node.xenon(words, commandMs);
  assert.ok(succeeded(result), describeResult(result));
}

async function restartAgent(node: HostNode): Promise<void> {
  node.signalAgent("SIGTERM");
  assert.ok(await node.agentGone(patienceMs), `the agent of ${node.id} ends`);
  await node.startAgent();
}

/** What a careless hand at the console of a cut-off leader can do. */
async function writeExtra({ lab, leader }: Scene): Promise<void> {
  leader.signalAgent("SIGKILL");
  await lab.network.fault(isolated(leader.host.name));
  await using connection = await leader.root(statementMs);
  const statements = [
    // No client is told that a commit is done which only this server has.
    "SET GLOBAL offline_mode=ON",
    "SET GLOBAL rpl_semi_sync_source_enabled=OFF",
    `INSERT INTO ${tableName} (number) VALUES (-1)`,
  ];
  for (const sql of statements) await connection.query(sql, { deadlineMs: statementMs });
}

async function removeUnderFault({ lab, leader, followers: [member] }: Scene): Promise<void> {
  if (member === undefined) return;
  await lab.network.fault(isolated(member.host.name));
  const removed = changeMember(lab.nodes, ["cluster", "remove", member.id]);
  await pause(againMs);
  await leader.signalServer("SIGKILL");
  await removed;
}

/** The answer to the first command was lost with its leader, and the next leader finished the change. */
function removedBefore(words: readonly string[], result: ProcessResult): boolean {
  return words.includes("remove") && describeResult(result).includes("it is no member");
}

/** An operator who asks again, and somebody else, until it is done. */
async function changeMember(nodes: readonly HostNode[], words: readonly string[]): Promise<void> {
  const endsAt = performance.now() + changeMs;
  const id = words.at(-1) ?? "";
  for (let tries = 0;; tries++) {
    const node = nodes.filter((one) => one.id !== id)[tries % (nodes.length - 1)];
    const result = await node?.xenon(words, commandMs);
    if (result !== undefined && (succeeded(result) || removedBefore(words, result))) return;
    if (performance.now() > endsAt) assert.fail(result && describeResult(result));
    await pause(againMs);
  }
}
