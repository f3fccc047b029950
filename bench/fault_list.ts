/** The faults that are measured, and how each is made and taken back. */
import { readConfig } from "../cmd/real/cluster.ts";
import { openCluster } from "../cmd/real/cluster.ts";
import type { Lab } from "../cmd/demo/lab.ts";
import type { LabNode } from "../cmd/demo/lab_node.ts";
import { pause } from "../mysql/time_left.ts";

export interface Scene {
  readonly lab: Lab;
  readonly leader: LabNode;
  readonly freezeMs: number;
}

export interface Fault {
  readonly name: string;
  readonly title: string;
  /** Makes the fault. The clock starts when it is called. */
  readonly make: (scene: Scene) => Promise<void>;
  /** Takes it back; the run goes on until this is done. */
  readonly heal: (scene: Scene) => Promise<void>;
}

const awayMs = 5_000;
const settleMs = 3_000;
const handOverMs = 30_000;
const statementMs = 5_000;

/** The monitor starts the server again; this is the time in which everything is watched. */
const justWait = () => pause(settleMs);

const faults: readonly Fault[] = [
  {
    name: "mysqld-kill",
    title: "kill -9 of the leader's mysqld",
    make: ({ leader }) => leader.signalServer("SIGKILL"),
    heal: justWait,
  },
  {
    name: "mysqld-kill-restart",
    title: "kill -9 of the leader's mysqld, which is restarted at once",
    make: async ({ leader }) => {
      const process = await leader.serverProcess();
      await leader.signalServer("SIGKILL");
      if (process !== null) await leader.restartServer(process);
    },
    heal: justWait,
  },
  {
    name: "mysqld-term",
    title: "SIGTERM of the leader's mysqld under load",
    make: ({ leader }) => leader.signalServer("SIGTERM"),
    heal: justWait,
  },
  {
    name: "mysqladmin-shutdown",
    title: "SHUTDOWN, the statement of mysqladmin shutdown, under load",
    make: async ({ leader }) => {
      await using connection = await leader.root(statementMs);
      await connection.query("SHUTDOWN", { deadlineMs: statementMs });
    },
    heal: justWait,
  },
  {
    name: "agent-kill",
    title: "kill -9 of the leader's agent alone, started again after 5 s",
    make: ({ leader }) => Promise.resolve(leader.signalAgent("SIGKILL")),
    heal: startAgentLater,
  },
  {
    name: "node-kill",
    title: "kill -9 of the leader's agent and mysqld together",
    make: async ({ leader }) => {
      leader.signalAgent("SIGKILL");
      await leader.signalServer("SIGKILL");
    },
    heal: startAgentLater,
  },
  {
    name: "mysqld-freeze",
    title: "SIGSTOP of the leader's mysqld",
    make: ({ leader }) => leader.signalServer("SIGSTOP"),
    heal: async ({ leader, freezeMs }) => {
      await pause(freezeMs);
      await leader.signalServer("SIGCONT");
      await pause(settleMs);
    },
  },
  {
    name: "agent-freeze",
    title: "SIGSTOP of the leader's agent",
    make: ({ leader }) => Promise.resolve(leader.signalAgent("SIGSTOP")),
    heal: async ({ leader, freezeMs }) => {
      await pause(freezeMs);
      leader.signalAgent("SIGCONT");
      await pause(settleMs);
    },
  },
  {
    name: "trytoleader",
    title: "a planned hand-over: raft trytoleader on a follower",
    make: ({ lab, leader }) => tryToLeader(candidatesOf(lab, leader)[0]),
    heal: justWait,
  },
  {
    name: "trytoleader-last",
    title: "a planned hand-over to the last follower, while the third node is dead",
    make: async ({ lab, leader }) => {
      const [candidate, dead] = candidatesOf(lab, leader);
      dead?.signalAgent("SIGKILL");
      await dead?.signalServer("SIGKILL");
      await pause(settleMs);
      await tryToLeader(candidate);
    },
    heal: async ({ lab }) => {
      await pause(awayMs);
      for (const node of lab.nodes.filter(({ agentAlive }) => !agentAlive)) await node.startAgent();
      await pause(settleMs);
    },
  },
];

export const faultNames: readonly string[] = faults.map(({ name }) => name);

/** The fault of that name, or an error that lists them all. */
export function faultNamed(name: string): Fault {
  const fault = faults.find((one) => one.name === name);
  if (fault !== undefined) return fault;
  throw new RangeError(`Cannot make fault "${name}": known are ${faultNames.join(", ")}`);
}

function candidatesOf(lab: Lab, leader: LabNode): readonly LabNode[] {
  return lab.nodes.filter((node) => node !== leader);
}

/** The call that the command makes, without the start of one more process on a busy machine. */
async function tryToLeader(candidate: LabNode | undefined): Promise<void> {
  if (candidate === undefined) return;
  const found = { path: candidate.configPath, text: Deno.readTextFileSync(candidate.configPath) };
  const cluster = await openCluster(found);
  const question = { method: "raft.tryToLeader", params: {}, deadlineMs: handOverMs } as const;
  const answer = await cluster.call(readConfig(found).server.id, question);
  if (answer.kind !== "answered") throw new Error(`Cannot hand over: ${answer.because}`);
}

async function startAgentLater({ leader }: Scene): Promise<void> {
  await pause(awayMs);
  await leader.startAgent();
  await pause(settleMs);
}
