/** What nodes say about themselves before a cluster is founded or joined, and how they are asked. */
import * as v from "valibot";
import type { ServerFacts } from "../mysql/facts.ts";
import { unfit } from "../mysql/unfit.ts";
import type { Envelope, Message } from "../raft/message.ts";
import {
  type Config,
  type Durable,
  type NodeId,
  type ServerView,
  UNSEEN_SERVER,
} from "../raft/types.ts";
import type { Clock, Peers } from "./ports.ts";
import { heldOf } from "./view.ts";

/** How often, and how many times, an agent that has just started is asked: five seconds at most. */
const startingEveryMs = 100;
const startingAsksMax = 50;

/** What is known of a node's own server. */
interface Seen {
  readonly facts: ServerFacts | null;
  readonly view: ServerView;
  /** Its transactions that no leader has. */
  readonly errant: string;
}

/** What a node says about itself before it belongs anywhere. */
export interface Introduction {
  readonly id: string;
  readonly member: string;
  readonly cluster: string | null;
  /** Ids of the members of its cluster, without one that leaves; empty without a cluster. */
  readonly members: readonly string[];
  /** Those of them that are idle. */
  readonly idle: readonly string[];
  /** Its configuration says that it stays idle: it never gets a vote. */
  readonly superIdle: boolean;
  /** A founding was begun here and not completed. */
  readonly founding: boolean;
  readonly witness: boolean;
  readonly held: string;
  /** What its binary logs do not have any more. */
  readonly purged: string;
  /** Why its server cannot be managed; empty when it can. */
  readonly problems: readonly string[];
  /** Its agent has just started and has not looked at its server yet. */
  readonly starting: boolean;
}

const introductionSchema = v.object({
  id: v.string(),
  member: v.string(),
  cluster: v.nullable(v.string()),
  members: v.array(v.string()),
  // Agents of the first version do not say these two.
  idle: v.optional(v.array(v.string()), []),
  superIdle: v.optional(v.boolean(), false),
  founding: v.boolean(),
  witness: v.boolean(),
  held: v.string(),
  purged: v.optional(v.string(), ""),
  problems: v.array(v.string()),
  // Agents of the first version do not say it.
  starting: v.optional(v.boolean(), false),
});

export interface FormationOptions {
  readonly self: NodeId;
  /** Id of the present leader; empty when nobody is known to lead. */
  readonly leader: () => string;
  readonly peers: Peers;
  readonly introduce: () => Introduction;
  /** A founding step for this node itself, answered like a peer would. */
  readonly own: (envelope: Envelope) => Promise<Message>;
  readonly newUuid: () => string;
  readonly clock: Pick<Clock, "after">;
  readonly deadlineMs: number;
}

/** What happened, one sentence a node, or the reasons why nothing did. */
export type Formed =
  | { readonly kind: "done"; readonly sentences: readonly string[] }
  | { readonly kind: "refused"; readonly because: readonly string[] }
  /** Some nodes stored the list and some did not: the same command again completes it. */
  | { readonly kind: "incomplete"; readonly because: readonly string[] }
  /** This node is in a cluster already: the named strangers must be added by its leader. */
  | { readonly kind: "join"; readonly strangers: readonly Introduction[] };

/** The words of this node about itself. */
export function introduce(
  { config, superIdle, durable }: {
    readonly config: Config;
    readonly superIdle: boolean;
    readonly durable: Durable;
  },
  { facts, view, errant }: Seen,
): Introduction {
  const { membership, member, founding } = durable;
  const all = membership?.members ?? [];
  const unseen = `its MySQL is ${view.health}: ${view.unfit ?? "no reason known"}`;
  return {
    id: config.id,
    member,
    cluster: membership?.cluster ?? null,
    members: all.filter(({ kind }) => kind !== "leaving").map(({ id }) => id),
    idle: all.filter(({ kind }) => kind === "idle").map(({ id }) => id),
    superIdle,
    founding: founding !== null,
    witness: config.witness,
    held: facts === null ? "" : heldOf(facts, errant),
    purged: facts?.purged ?? "",
    problems: config.witness ? [] : facts === null ? [unseen] : unfit(facts, "manage"),
    starting: !config.witness && facts === null && view.unfit === UNSEEN_SERVER.unfit,
  };
}

/** What the leader knows of the cluster: the list here may lack its last change. Null without a leader. */
export async function ofLeader(options: FormationOptions): Promise<Introduction | null> {
  const leader = options.leader();
  if (leader === "") return null;
  const answer = await introduction(options, leader);
  return "node" in answer ? answer.node : null;
}

/** Asks all of them at once, this node included. */
export async function introduced(options: FormationOptions, others: readonly string[]): Promise<{
  readonly self: Introduction | undefined;
  readonly nodes: readonly Introduction[];
  readonly silent: readonly Silent[];
}> {
  const ids = [...new Set([options.self as string, ...others])].sort();
  const asked = await Promise.all(ids.map((id) => patiently(options, id)));
  const nodes = asked.flatMap((one) => "node" in one ? [one.node] : []);
  return {
    self: nodes.find((node) => node.id === options.self),
    nodes,
    silent: asked.flatMap((one) => "because" in one ? [one] : []),
  };
}

/** A named node that does not take part, and why not. */
export interface Silent {
  readonly id: string;
  readonly because: string;
}

type Introduced = { readonly node: Introduction } | Silent;

/** An agent that was started a moment ago is asked again until it has seen its server. */
async function patiently(options: FormationOptions, id: string): Promise<Introduced> {
  let answer = await introduction(options, id);
  for (let time = 1; time < startingAsksMax && "node" in answer && answer.node.starting; time++) {
    await new Promise<void>((resolve) => options.clock.after(startingEveryMs, resolve));
    answer = await introduction(options, id);
  }
  return answer;
}

async function introduction(options: FormationOptions, id: string): Promise<Introduced> {
  if (id === options.self) return { node: options.introduce() };
  const question = { method: "node.introduce", params: {} };
  const answer = await options.peers.call(id, question, { deadlineMs: options.deadlineMs });
  if ("failed" in answer) return { id, because: whyNot(id, answer.failed) };
  const result = v.safeParse(introductionSchema, answer.ok);
  if (!result.success) return { id, because: `${id} does not answer like a xenon agent` };
  if (result.output.id !== id) {
    const because = `${id} calls itself ${result.output.id}: name it by its server.endpoint`;
    return { id, because };
  }
  return { node: result.output };
}

/** An agent that is in a cluster refuses the calls of members of every other one. */
function whyNot(id: string, failed: { readonly because: string }): string {
  const elsewhere = "name" in failed && failed.name === "wrongCluster";
  return elsewhere
    ? `${id} belongs to another cluster: ${failed.because}`
    : `${id} does not take part: ${failed.because}`;
}
