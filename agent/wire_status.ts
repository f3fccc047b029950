/**
 * The one record in which an agent tells operators and other agents how its node is, and its
 * decoder. A command sees this record and never the state of the protocol.
 */
import * as v from "valibot";
import { RPC_TEXT_CHARACTERS_MAX } from "./wire_rpc.ts";

/** What an agent's own loop is, in the operator's words. */
const roles = [
  "LEADER",
  "FOLLOWER",
  "CANDIDATE",
  "IDLE",
  "INVALID",
  "LEARNER",
  "WITNESS",
] as const;

export type Role = typeof roles[number];

/** The server process as its supervisor sees it. */
const mysqldStates = ["RUNNING", "NOTRUNNING"] as const;

/** Longest list of nodes a record may carry. */
export const membersMax = 64;
const nameLengthMax = 300;

const text = v.pipe(v.string(), v.maxLength(RPC_TEXT_CHARACTERS_MAX));
const name = v.pipe(v.string(), v.maxLength(nameLengthMax));
const names = v.pipe(v.array(name), v.maxLength(membersMax), v.readonly());
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const seconds = v.pipe(v.number(), v.finite(), v.minValue(0));

const settingsMax = 64;
const settings = v.pipe(
  v.array(v.object({ name, value: name })),
  v.maxLength(settingsMax),
  v.readonly(),
);

const mysqlSchema = v.object({
  state: v.picklist(["ALIVE", "DEAD"]),
  /** What the server is now, not what xenon last asked for; empty while unknown. */
  option: v.picklist(["READONLY", "READWRITE", ""]),
  /** GTID sets in MySQL's text form. */
  executed: text,
  received: text,
  receiverRunning: v.boolean(),
  applierRunning: v.boolean(),
  /** Whole seconds in text, empty while unknown, as SHOW REPLICA STATUS gives it. */
  secondsBehind: name,
  lastError: text,
  sourceLogFile: name,
  sourceLogPosition: count,
  /** "host:port" of the MySQL server, not of the agent. */
  endpoint: name,
  serverUuid: name,
  version: name,
  semiSync: v.object({ source: v.boolean(), replica: v.boolean(), k: count, clients: count }),
});

const countersSchema = v.object({
  leaderPromotes: count,
  leaderDegrades: count,
  leaderGetHeartbeats: count,
  leaderGetVotes: count,
  candidatePromotes: count,
  candidateDegrades: count,
  stateUptimeSeconds: seconds,
});

const nodeStatusSchema = v.object({
  version: v.literal(1),
  /** "host:port" of the agent. */
  id: name,
  /** The cluster's id, null before the node has joined one. */
  cluster: v.nullable(name),
  role: v.picklist(roles),
  term: count,
  epoch: count,
  /** Id of the leader this node follows, empty while unknown. */
  leader: name,
  voters: names,
  idle: names,
  witness: v.nullable(name),
  /** Every member in the stored order, which is the row order of all tables. */
  members: names,
  /** n voters, q heard by an election, k acknowledgements a commit waits for. */
  quorum: v.object({ n: count, q: count, k: count }),
  /** How many more losses leave a lossless failover possible, and the sentence that says so. */
  margin: v.object({ losses: count, sentence: text }),
  /** What the node did in its last cycle and why not more. */
  sentence: text,
  mysqld: v.object({ running: v.picklist(mysqldStates), monitor: v.picklist(["ON", "OFF"]) }),
  backup: v.object({
    state: name,
    lastError: text,
    /** The newest verified backup on this host: when and what. Agents before it do not say. */
    last: v.optional(v.nullable(v.object({ endedAt: name, sentence: text })), null),
  }),
  mysql: mysqlSchema,
  uptimeSeconds: seconds,
  counters: countersSchema,
  /** Age of the facts about MySQL when the record was made, in milliseconds. */
  ageMs: seconds,
  agentVersion: name,
  /** What a new leader waits for before it opens, in the original's words; empty otherwise. */
  promotion: v.optional(name, ""),
  /** Settings of the agent that operators compare; empty from an older agent. */
  settings: v.optional(settings, []),
});

type DeepReadonly<T> = { readonly [K in keyof T]: DeepReadonly<T[K]> };

export type NodeStatus = DeepReadonly<v.InferOutput<typeof nodeStatusSchema>>;

export type DecodedStatus =
  | { readonly kind: "decoded"; readonly status: NodeStatus }
  | { readonly kind: "refused"; readonly because: string };

/**
 * Turns what an agent answered to `node.status` into a NodeStatus. Unknown keys are dropped, so an
 * older command understands a newer agent as long as the record's version is 1.
 */
export function decodeNodeStatus(value: unknown): DecodedStatus {
  const result = v.safeParse(nodeStatusSchema, value);
  if (result.success) return { kind: "decoded", status: result.output };
  const issue = result.issues[0];
  const path = v.getDotPath(issue) ?? "the record";
  const wanted = issue.expected ?? "something else";
  return {
    kind: "refused",
    because: `Cannot read node status as "${path}" is ${issue.received}: wanted is ${wanted}`,
  };
}
