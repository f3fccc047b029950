/** The node as a rebuild sees it: this agent's own status, and what the other members say of theirs. */
import type { DonorCandidate } from "../backup/donor.ts";
import type { Host, LocalNode, Survey } from "../backup/ports.ts";
import { parse, union } from "../mysql/gtid.ts";
import { formatLine } from "../mysql/gtid.ts";
import type { CopyCalls } from "./copy_calls.ts";
import { parseEndpoint } from "./endpoint.ts";
import type { Peers } from "./ports.ts";
import { decodeNodeStatus, type NodeStatus } from "./wire_status.ts";

/** What is done to the server of this host and to its files. */
export type RebuildTools = Pick<
  Host,
  | "variables"
  | "stopServer"
  | "startServer"
  | "serverRuns"
  | "executed"
  | "forgetSource"
  | "setPurged"
  | "whyItDied"
  | "forcedShutdown"
  | "saveTransactions"
>;

export interface RebuildHostOptions {
  readonly status: () => NodeStatus;
  /** Has the server everything that the leader had when its receiver connected, and does that count? */
  readonly inStep: () => boolean;
  readonly hurry: () => void;
  readonly peers: Peers;
  readonly calls: CopyCalls;
  readonly tools: RebuildTools;
}

/** Agents answer from memory. */
const statusMs = 2_000;

/** The port of a rebuild over a running node. */
export function createRebuildHost(options: RebuildHostOptions): Host {
  const { status, inStep, hurry, tools, calls } = options;
  return {
    ...tools,
    self: status().id,
    hurry,
    local: () => localOf(status(), inStep()),
    survey: (from) => survey(options, from),
    dataBytes: (donor) => calls.size(donor),
  };
}

function localOf(status: NodeStatus, inStep: boolean): LocalNode {
  const { mysql, role } = status;
  const alive = mysql.state === "ALIVE";
  const follows = alive && status.leader !== "" && mysql.receiverRunning && mysql.applierRunning &&
    role !== "LEADER" && role !== "INVALID";
  const held = () => formatLine(union(parse(mysql.executed), parse(mysql.received)));
  return {
    role,
    alive,
    running: status.mysqld.running === "RUNNING",
    follows,
    inStep: follows && inStep,
    held: alive ? held() : null,
    executed: mysql.executed,
    sentence: status.sentence,
  };
}

/** Asks the leader for the members where this node knows one, else the named donor. */
async function survey(options: RebuildHostOptions, from: string | null): Promise<Survey> {
  const own = options.status();
  const first = await listOf(options, own, from);
  const ids = new Set([...(first?.members ?? []), ...(from === null ? [] : [from]), own.id]);
  const answers = await Promise.all([...ids].map(async (id) => {
    return [id, id === own.id ? own : await ask(options, id)] as const;
  }));
  const statuses = answers.flatMap(([, status]) => status === null ? [] : [status]);
  const [leading] = statuses.filter(({ role }) => role === "LEADER")
    .toSorted((left, right) => right.term - left.term);
  const view = leading ?? first;
  return {
    // Asked anew: a status is some moments old, and what came since would look like ours alone.
    leader: leading === undefined
      ? null
      : { id: leading.id, executed: await options.calls.position(leading.id) },
    member: own.members.includes(own.id),
    members: answers.map(([id, status]) => candidateOf(id, status)),
    voters: view?.voters ?? [],
    quorum: view?.quorum.q ?? 0,
  };
}

/** The record whose member list is the newest that can be had. */
async function listOf(
  options: RebuildHostOptions,
  own: NodeStatus,
  from: string | null,
): Promise<NodeStatus | null> {
  if (own.leader !== "" && own.leader !== own.id) return await ask(options, own.leader) ?? own;
  if (own.members.length > 0) return own;
  const donor = from === null ? null : await ask(options, from);
  // The donor's leader knows who is healthy.
  if (donor === null || donor.leader === "" || donor.leader === donor.id) return donor;
  return await ask(options, donor.leader) ?? donor;
}

async function ask({ peers }: RebuildHostOptions, id: string): Promise<NodeStatus | null> {
  const question = { method: "node.status", params: {} };
  const answer = await peers.call(id, question, { deadlineMs: statusMs });
  if ("failed" in answer) return null;
  const decoded = decodeNodeStatus(answer.ok);
  return decoded.kind === "decoded" ? decoded.status : null;
}

function candidateOf(id: string, status: NodeStatus | null): DonorCandidate {
  const endpoint = status === null ? null : parseEndpoint(status.mysql.endpoint);
  if (status === null || endpoint === null) return { id, seen: null };
  const { mysql, role, backup } = status;
  const seconds = Number(mysql.secondsBehind);
  return {
    id,
    seen: {
      role,
      alive: mysql.state === "ALIVE",
      replicates: mysql.receiverRunning && mysql.applierRunning,
      secondsBehind: mysql.secondsBehind === "" || !Number.isFinite(seconds) ? null : seconds,
      backup: backup.state,
      mysql: endpoint,
      version: mysql.version,
      executed: mysql.executed,
    },
  };
}
