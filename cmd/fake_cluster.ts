/**
 * A cluster for tests with behaviour instead of expectations: nodes answer, refuse or hang, and
 * time passes only when a hanging call runs into its deadline.
 */
import type { NodeStatus } from "../agent/wire_status.ts";
import type { Answer, Cluster, Question } from "./ports.ts";
import { settle } from "../agent/fake_clock.ts";

/** A command awaits one thing after another before it waits for a node. */
const settleRounds = 200;

export type FakeNode =
  | {
    readonly kind: "up";
    readonly status: NodeStatus;
    /** What it answers to other methods; without an entry it says that it did what was asked. */
    readonly answers?: Readonly<Record<string, unknown>>;
  }
  | { readonly kind: "refusing"; readonly because: string }
  /** Accepts the call and never answers. */
  | { readonly kind: "hanging" }
  /** Answers something that is not a NodeStatus. */
  | { readonly kind: "garbled"; readonly result: unknown };

export interface FakeCluster extends Cluster {
  /** Every call in the order it was made. */
  readonly calls: readonly (Question & { readonly endpoint: string })[];
  /** Lets calls that wait reach their deadlines, round after round, until none waits. */
  finish<Result>(command: Promise<Result>): Promise<{ result: Result; elapsedMs: number }>;
}

/** A cluster whose first node is the local one. */
export function createFakeCluster(
  nodes: Readonly<Record<string, FakeNode>>,
  seeds: readonly string[] = [],
): FakeCluster {
  const calls: (Question & { readonly endpoint: string })[] = [];
  let waiting: { readonly deadlineMs: number; readonly give: () => void }[] = [];

  async function call(endpoint: string, question: Question): Promise<Answer> {
    calls.push({ endpoint, ...question });
    const node = nodes[endpoint];
    await Promise.resolve();
    if (node === undefined) return { kind: "silent", because: "connection refused" };
    if (node.kind === "refusing") return { kind: "refused", because: node.because };
    if (node.kind === "garbled") return { kind: "answered", result: node.result };
    if (node.kind === "up") {
      const result = question.method === "node.status"
        ? node.status
        : node.answers?.[question.method] ?? { sentences: [`${endpoint} did ${question.method}`] };
      return { kind: "answered", result };
    }
    const { deadlineMs } = question;
    return await new Promise<Answer>((resolve) => {
      const because = `no answer within ${deadlineMs / 1000} s`;
      waiting.push({ deadlineMs, give: () => resolve({ kind: "silent", because, late: true }) });
    });
  }

  async function finish<Result>(command: Promise<Result>) {
    let ended = false;
    let elapsedMs = 0;
    const watched = command.finally(() => ended = true);
    watched.catch(() => "The caller sees the rejection when it awaits the result below.");
    const roundsMax = 10;
    for (let round = 0; round < roundsMax && !ended; round++) {
      await settle(settleRounds);
      const due = waiting;
      waiting = [];
      elapsedMs += Math.max(0, ...due.map((one) => one.deadlineMs));
      for (const one of due) one.give();
      await settle(settleRounds);
    }
    return { result: await watched, elapsedMs };
  }

  return { local: Object.keys(nodes)[0] ?? "", seeds, calls, call, finish };
}

/** The three agents of the operator guide, all well: .155 leads in view 182. */
export const guideNodes: readonly string[] = [
  "192.168.0.109:8801",
  "192.168.0.154:8801",
  "192.168.0.155:8801",
];

/** The status of one of the guide's nodes, well in every respect but what the changes say. */
export function statusOf(id: string, changes: Partial<NodeStatus> = {}): NodeStatus {
  const leader = "192.168.0.155:8801";
  const leads = id === leader;
  return {
    version: 1,
    id,
    cluster: "5d4b9f7e-0000-4000-8000-000000000182",
    role: leads ? "LEADER" : "FOLLOWER",
    term: 182,
    epoch: 2,
    leader,
    voters: guideNodes,
    idle: [],
    witness: null,
    members: guideNodes,
    quorum: { n: 3, q: 2, k: 1 },
    margin: { losses: 1, sentence: "one more loss and no lossless failover" },
    sentence: leads ? "leading term 182: 3 of 3 voters answered" : `following ${leader}`,
    mysqld: { running: "RUNNING", monitor: "ON" },
    backup: { state: "NONE", lastError: "", last: null },
    mysql: mysqlOf(id, leads),
    uptimeSeconds: 3600.5,
    counters: {
      leaderPromotes: leads ? 1 : 0,
      leaderDegrades: 0,
      leaderGetHeartbeats: 0,
      leaderGetVotes: 0,
      candidatePromotes: leads ? 1 : 0,
      candidateDegrades: 0,
      stateUptimeSeconds: 3500,
    },
    ageMs: 120,
    agentVersion: "0.1.0",
    promotion: "",
    settings: [
      { name: "LogLevel", value: "INFO" },
      { name: "BackupDir", value: "/u01/backup" },
      { name: "Mysql", value: "localhost:5001" },
    ],
    ...changes,
  };
}

function mysqlOf(id: string, leads: boolean): NodeStatus["mysql"] {
  const set = "84030605-66aa-11e6-9465-52540e7fd51c:1-160";
  return {
    state: "ALIVE",
    option: leads ? "READWRITE" : "READONLY",
    executed: leads ? set : `${set},\n84030605-66aa-11e6-9465-52540e7fd51d:1-7`,
    received: leads ? "" : set,
    receiverRunning: !leads,
    applierRunning: !leads,
    secondsBehind: leads ? "" : "0",
    lastError: "",
    sourceLogFile: "mysql-bin.000002",
    sourceLogPosition: 1547,
    endpoint: id.replace("8801", "5001"),
    serverUuid: "84030605-66aa-11e6-9465-52540e7fd51c",
    version: "9.7.4",
    semiSync: { source: leads, replica: !leads, k: leads ? 1 : 0, clients: leads ? 2 : 0 },
  };
}
