/** The latest facts and the protocol's state as the record that operators and other agents read. */
import type { ServerFacts } from "../mysql/facts.ts";
import { acknowledges } from "../raft/answers.ts";
import { answering, describe } from "../raft/describe.ts";
import { ackers, counted, margin, memberOf, quorum, quorumOf, voters } from "../raft/quorum.ts";
import type { Leader, State } from "../raft/state.ts";
import type { Config, Membership, NodeId } from "../raft/types.ts";
import { looseSemiSync } from "./notes.ts";
import type { JobView } from "./ports.ts";
import type { NodeStatus, Role } from "./wire_status.ts";

export interface SnapshotContext {
  readonly config: Config;
  readonly state: State;
  readonly facts: ServerFacts | null;
  readonly factsAgeMs: number;
  /** `host:port` of the server. */
  readonly mysqlEndpoint: string;
  readonly serverRuns: boolean;
  readonly monitor: boolean;
  /** Sentences that stand behind the protocol's own. */
  readonly notes: readonly string[];
  readonly jobs: JobView;
  readonly uptimeSeconds: number;
  readonly stateUptimeSeconds: number;
  readonly agentVersion: string;
  readonly settings: NodeStatus["settings"];
  readonly counters: Omit<NodeStatus["counters"], "stateUptimeSeconds">;
}

/** Never asks the server anything: a stuck one cannot stall a status. */
export function snapshot(context: SnapshotContext): NodeStatus {
  const { config, state } = context;
  const { membership, term } = state.durable;
  const members = membership?.members ?? [];
  const sizes = membership === null ? quorumOf(0) : quorum(membership);
  return {
    version: 1,
    id: config.id,
    cluster: membership?.cluster ?? null,
    // A server that a job works on learns; it is no voter until it is in step again.
    role: context.jobs.apart === null ? roleOf(config, state) : "LEARNER",
    term,
    epoch: membership?.epoch ?? 0,
    leader: leaderOf(config, state),
    voters: membership === null ? [] : voters(membership).map((member) => member.id),
    idle: members.filter(({ kind }) => kind === "idle" || kind === "learner").map(({ id }) => id),
    witness: members.find(({ kind }) => kind === "witness")?.id ?? null,
    members: members.map(({ id }) => id),
    quorum: sizes,
    margin: marginOf(context, membership),
    sentence: [sentenceOf(config, state), ...context.notes].join("; "),
    mysqld: {
      running: context.serverRuns ? "RUNNING" : "NOTRUNNING",
      monitor: context.monitor && context.jobs.apart === null ? "ON" : "OFF",
    },
    backup: {
      state: context.jobs.word,
      lastError: context.jobs.lastError,
      last: context.jobs.lastBackup,
    },
    mysql: mysqlOf(context),
    uptimeSeconds: context.uptimeSeconds,
    counters: { ...context.counters, stateUptimeSeconds: context.stateUptimeSeconds },
    // A witness has no server to look at.
    ageMs: Number.isFinite(context.factsAgeMs) ? Math.max(0, context.factsAgeMs) : 0,
    agentVersion: context.agentVersion,
    promotion: state.role === "leader" && state.stage === "promoting" ? "WaitUntilAfterGTID" : "",
    settings: context.settings,
  };
}

/** The state in the operator's words. */
export function roleOf(config: Config, state: State): Role {
  const kind = memberOf(state.durable.membership, config.id)?.kind;
  if (state.role === "leader") return "LEADER";
  if (config.witness) return "WITNESS";
  if (state.durable.disabled || kind === "idle") return "IDLE";
  if (kind === "learner") return "LEARNER";
  if (state.role === "follower" && state.invalid !== null) return "INVALID";
  return state.role === "candidate" ? "CANDIDATE" : "FOLLOWER";
}

/** Id of the leader as this node knows it; empty while unknown. */
export function leaderOf(config: Config, state: State): string {
  if (state.role === "leader") return config.id;
  return state.role === "follower" ? state.leader?.id ?? "" : "";
}

/** The cycle's sentence, with the server's state where that is the news. */
export function sentenceOf(config: Config, state: State): string {
  const { health, unfit } = state.server;
  const sentence = describe(config, state);
  if (config.witness || health === "alive" || health === "blocked") return sentence;
  return `${sentence}; MySQL is ${health}: ${unfit ?? "no reason known"}`;
}

/** Only a leader knows who answers; the others say so. */
function marginOf(
  { config, state, facts }: SnapshotContext,
  membership: Membership | null,
): NodeStatus["margin"] {
  if (membership === null) return { losses: 0, sentence: "no cluster yet" };
  const { n, q, k } = quorum(membership);
  if (n === 1) return { losses: 0, sentence: "ASYNC: one voter, a loss of this node is an outage" };
  const asynchronous = k === 0 ? "ASYNC: two voters cannot wait for each other; " : "";
  if (state.role !== "leader") {
    return { losses: 0, sentence: `${asynchronous}the leader knows the margin` };
  }
  const loose = looseSemiSync(state, facts);
  if (loose !== null) return { losses: 0, sentence: loose };
  const present = answering(config, state);
  const healthy =
    voters(membership).filter(({ id, kind }) =>
      id === config.id || (present.includes(id) && (kind === "witness" || fit(state, id)))
    ).length;
  const acknowledging =
    ackers(membership).filter(({ id }) =>
      id !== config.id && present.includes(id) && acknowledges(config, state, id)
    ).length;
  if (acknowledging < k) {
    const sentence = `${healthy} of ${n} voters healthy, writes wait: they need ` +
      `${counted(k, "acknowledgement")} and ${
        counted(acknowledging, "node")
      } can give one now (q=${q})`;
    return { losses: 0, sentence };
  }
  const left = margin(membership, healthy);
  return {
    losses: Math.max(0, left),
    sentence: `${asynchronous}${healthy} of ${n} voters healthy, ${lossesInWords(left)} (q=${q})`,
  };
}

/** What can still be lost; below zero too much is lost already. */
function lossesInWords(left: number): string {
  if (left < 0) return "no lossless failover is possible now";
  if (left === 0) return "one more loss and no lossless failover is possible";
  return `${left} more ${left === 1 ? "loss" : "losses"} can be survived`;
}

/** Could this member lead, by its last answer? */
function fit(state: Leader, id: NodeId): boolean {
  return state.replies[id]?.unfit === null;
}

function mysqlOf(context: SnapshotContext): NodeStatus["mysql"] {
  const { facts, state, mysqlEndpoint } = context;
  if (facts === null) return { ...emptyMysql, endpoint: mysqlEndpoint };
  const { replication } = facts;
  const leading = state.role === "leader";
  const option = facts.superReadOnly || facts.readOnly ? "READONLY" : "READWRITE";
  return {
    state: state.server.health === "dead" || state.server.health === "hung" ? "DEAD" : "ALIVE",
    option,
    executed: facts.executed,
    received: facts.received,
    // The original shows a leader's threads as running; scripts rely on it.
    receiverRunning: leading || replication?.receiver === "running",
    applierRunning: leading || replication?.applier === "running",
    secondsBehind: leading ? "0" : String(replication?.secondsBehind ?? ""),
    lastError: replication?.receiverError || replication?.applierError || "",
    sourceLogFile: leading ? facts.binlogEnd?.file ?? "" : replication?.sourceLogFile ?? "",
    sourceLogPosition: leading
      ? facts.binlogEnd?.position ?? 0
      : replication?.readSourceLogPosition ?? 0,
    endpoint: mysqlEndpoint,
    serverUuid: facts.serverUuid,
    version: facts.version.text,
    semiSync: {
      source: facts.semiSyncSource.enabled,
      replica: facts.semiSyncReplica.enabled,
      k: facts.semiSyncSource.waitForCount,
      clients: facts.semiSyncSource.clients,
    },
  };
}

const emptyMysql = {
  state: "DEAD",
  option: "",
  executed: "",
  received: "",
  receiverRunning: false,
  applierRunning: false,
  secondsBehind: "",
  lastError: "",
  sourceLogFile: "",
  sourceLogPosition: 0,
  serverUuid: "",
  version: "",
  semiSync: { source: false, replica: false, k: 0, clients: 0 },
} as const;
