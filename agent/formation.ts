/**
 * "cluster add": the founding of a cluster by one of its nodes, and the joining of further ones
 * through the leader. Everything is checked before anything changes; asking again is harmless.
 */
import * as v from "valibot";
import type { Envelope, FoundingMessage, Message } from "../raft/message.ts";
import {
  EMPTY_POSITION,
  type Member,
  type Membership,
  type NodeId,
  type Position,
} from "../raft/types.ts";
import type { Peers } from "./ports.ts";
import { gtidPositions } from "./positions.ts";
import { decodeEnvelope, encodeEnvelope } from "./wire_raft.ts";

/** What a node says about itself before it belongs anywhere. */
export interface Introduction {
  readonly id: string;
  readonly member: string;
  readonly cluster: string | null;
  /** Ids of the members of its cluster; empty without one. */
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
});

export interface FormationOptions {
  readonly self: NodeId;
  readonly peers: Peers;
  readonly introduce: () => Introduction;
  /** A founding step for this node itself, answered like a peer would. */
  readonly own: (envelope: Envelope) => Promise<Message>;
  readonly newUuid: () => string;
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

/** Founds a cluster of this node and `others`, or finds that only a join is left to do. */
export async function form(options: FormationOptions, others: readonly string[]): Promise<Formed> {
  const { self, nodes, silent } = await introduced(options, others);
  if (settled(self)) {
    await finish(options, self, nodes);
    return joining(self, { nodes, silent, idle: false });
  }
  const because = [...silent.map((one) => one.because), ...obstacles(options, nodes)];
  if (because.length > 0) return { kind: "refused", because };
  const first = firstOf(nodes);
  if (first === null) return { kind: "refused", because: [diverged(nodes)] };
  const old = nodes.flatMap((node) => tooOld(first, node));
  if (old.length > 0) return { kind: "refused", because: old };
  return await found(options, nodes, first);
}

/** Looks whether `others` may join the cluster of this node as idle ones; founds nothing. */
export async function joinIdle(
  options: FormationOptions,
  others: readonly string[],
): Promise<Formed> {
  const { self, nodes, silent } = await introduced(options, others);
  if (settled(self)) return joining(self, { nodes, silent, idle: true });
  const because = `${options.self} is in no cluster yet: found one first with "xenon cluster add"`;
  return { kind: "refused", because: [because] };
}

/** Members that stored the list and did not hear the last word of the founding hear it now. */
async function finish(
  options: FormationOptions,
  self: Introduction,
  nodes: readonly Introduction[],
): Promise<void> {
  const cluster = self.cluster ?? "";
  const waiting = nodes.filter((node) => node.founding && node.cluster === cluster);
  const first = waiting.find((node) => !node.witness);
  if (first === undefined) return;
  const go = { kind: "foundingGo", cluster, first: first.id as NodeId } as const;
  await tellAll(options, waiting.map((node) => node.id as NodeId), go);
}

function settled(self: Introduction | undefined): self is Introduction {
  return self !== undefined && self.cluster !== null && !self.founding;
}

/** Asks all of them at once, this node included. */
async function introduced(options: FormationOptions, others: readonly string[]): Promise<{
  readonly self: Introduction | undefined;
  readonly nodes: readonly Introduction[];
  readonly silent: readonly Silent[];
}> {
  const ids = [...new Set([options.self as string, ...others])].sort();
  const asked = await Promise.all(ids.map((id) => introduction(options, id)));
  const nodes = asked.flatMap((one) => "node" in one ? [one.node] : []);
  return {
    self: nodes.find((node) => node.id === options.self),
    nodes,
    silent: asked.flatMap((one) => "because" in one ? [one] : []),
  };
}

/** A named node that does not take part, and why not. */
interface Silent {
  readonly id: string;
  readonly because: string;
}

type Introduced = { readonly node: Introduction } | Silent;

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

/** Who of the named nodes is still to be added through the leader, as voters to be or as idle. */
function joining(
  self: Introduction,
  asked: {
    readonly nodes: readonly Introduction[];
    readonly silent: readonly Silent[];
    readonly idle: boolean;
  },
): Formed {
  const { nodes, silent, idle } = asked;
  // A member that is down may be named all the same.
  const unknown = silent.filter(({ id }) => !self.members.includes(id));
  if (unknown.length > 0) return { kind: "refused", because: unknown.map((one) => one.because) };
  const isSettled = (node: Introduction) =>
    node.id === self.id || self.members.includes(node.id) && idle === self.idle.includes(node.id);
  const strangers = nodes.filter((node) => !isSettled(node));
  if (strangers.length === 0) {
    const kind = idle ? "idle members" : "members";
    const sentence = `Nothing to change: all of them are ${kind} of cluster ${self.cluster}`;
    return { kind: "done", sentences: [sentence] };
  }
  // A member that was removed keeps the cluster in its state file and may come back.
  const elsewhere = strangers.filter((node) =>
    node.cluster !== null && node.cluster !== self.cluster && !node.founding
  );
  const because = [
    ...elsewhere.map((node) => `${node.id} belongs to another cluster, ${node.cluster}`),
    ...strangers.filter(({ witness }) => witness)
      .map(({ id }) => `${id} is a witness, which can only be named at the founding`),
    ...(idle ? [] : stayingIdle(strangers)),
    ...strangers.flatMap((node) => foreign(self, node)),
    ...strangers.flatMap((node) => tooOld(self, node)),
    ...problems(strangers),
  ];
  return because.length > 0 ? { kind: "refused", because } : { kind: "join", strangers };
}

/** A node that its configuration keeps idle gets no vote, however it is added. */
function stayingIdle(nodes: readonly Introduction[]): readonly string[] {
  return nodes.filter(({ superIdle }) => superIdle).map(({ id }) =>
    `${id} stays idle ([raft] super-idle = true): leave it out here, ` +
    `then run "xenon cluster addidle ${id}"`
  );
}

/** A node with transactions of its own could only become INVALID: it is said before it joins. */
function foreign(self: Introduction, node: Introduction): readonly string[] {
  const extra = gtidPositions.subtract(node.held as Position, self.held as Position);
  return extra === EMPTY_POSITION
    ? []
    : [`${node.id} has transactions that this cluster lacks: ${extra}`];
}

/** A copy that lacks what the binary logs have no more can never catch up by replication. */
function tooOld(source: Introduction, node: Introduction): readonly string[] {
  if (node.witness) return [];
  const lacks = gtidPositions.subtract(source.purged as Position, node.held as Position);
  if (lacks === EMPTY_POSITION) return [];
  const because =
    `${node.id} lacks ${lacks}, which the binary logs of ${source.id} have no more: ` +
    'copy a server to it first, with "xenon mysql rebuildme"';
  return [because];
}

/** All that stands against a founding, at once. */
function obstacles(options: FormationOptions, nodes: readonly Introduction[]): readonly string[] {
  // Somebody who heard the last word of the same founding already is no obstacle to its end.
  const begunAs = nodes.find((node) => node.founding && node.cluster !== null)?.cluster;
  const settled = nodes.filter((node) =>
    node.cluster !== null && !node.founding && node.cluster !== begunAs
  );
  const because = settled.map((node) =>
    `${node.id} belongs to cluster ${node.cluster} already: ` +
    `run "xenon cluster add ${options.self}" there`
  );
  // What some nodes stored is completed as it is, or not at all.
  const ids = nodes.map(({ id }) => id).sort();
  for (const { id, members } of nodes.filter((node) => node.cluster !== null && node.founding)) {
    const begun = [...members].sort();
    if (begun.join() === ids.join()) continue;
    because.push(`${id} stored the unfinished founding of ${begun.join(", ")}: add exactly these`);
  }
  const witnesses = nodes.filter((node) => node.witness);
  if (witnesses.length > 1) because.push("only one witness is allowed");
  if (witnesses.length === nodes.length) because.push("a cluster needs a node with a server");
  return [...because, ...stayingIdle(nodes), ...problems(nodes)];
}

function problems(nodes: readonly Introduction[]): readonly string[] {
  return nodes.flatMap((node) => node.problems.map((problem) => `${node.id}: ${problem}`));
}

/** The node that holds everything that the others hold, ties by id; null when there is none. */
function firstOf(nodes: readonly Introduction[]): Introduction | null {
  const servers = nodes.filter((node) => !node.witness);
  return servers.find((node) => servers.every((other) => holds(node, other))) ?? null;
}

function holds(node: Introduction, other: Introduction): boolean {
  return gtidPositions.contains(node.held as Position, other.held as Position);
}

function diverged(nodes: readonly Introduction[]): string {
  const [one, two] =
    nodes.flatMap((node) =>
      nodes.filter((other) => !holds(node, other) && !holds(other, node)).map((other) =>
        [node, other] as const
      )
    )[0] ?? [];
  if (one === undefined || two === undefined) return "no node holds what all the others hold";
  const onlyOne = gtidPositions.subtract(one.held as Position, two.held as Position);
  const onlyTwo = gtidPositions.subtract(two.held as Position, one.held as Position);
  return `the data differs: only ${one.id} has ${onlyOne}, only ${two.id} has ${onlyTwo}`;
}

/** Promise, store, go: each step everywhere before the next one anywhere. */
async function found(
  options: FormationOptions,
  nodes: readonly Introduction[],
  first: Introduction,
): Promise<Formed> {
  const ids = nodes.map((node) => node.id as NodeId);
  const begun = nodes.find((node) => node.founding && node.cluster !== null);
  const own = { cluster: begun?.cluster ?? options.newUuid(), members: ids };
  const promise = { kind: "foundingPromise", founding: own } as const;
  const promised = begun === undefined ? await tellAll(options, ids, promise) : [];
  const refused = refusals(ids, promised);
  if (refused.length > 0) {
    await tellAll(options, ids, { kind: "foundingRelease", cluster: own.cluster });
    return { kind: "refused", because: refused };
  }
  // Two founders at once: every node keeps the lower UUID, and so do we.
  const seen = promised.map((answer) => answer.founding?.cluster ?? own.cluster);
  const cluster = [own.cluster, ...seen].sort()[0] ?? own.cluster;
  const agreed = { kind: "foundingPromise", founding: { cluster, members: ids } } as const;
  if (seen.some((one) => one !== cluster)) {
    const told = await tellAll(options, ids, agreed);
    const again = [...refusals(ids, told), ...disagreements(ids, told, cluster)];
    if (again.length > 0) return { kind: "refused", because: again };
  }
  const membership: Membership = { cluster, epoch: 1, members: nodes.map(memberOf) };
  const store = { kind: "foundingStore", membership, begun: begun !== undefined } as const;
  const stored = refusals(ids, await tellAll(options, ids, store));
  if (stored.length > 0) return { kind: "incomplete", because: stored };
  const go = { kind: "foundingGo", cluster, first: first.id as NodeId } as const;
  const gone = refusals(ids, await tellAll(options, ids, go));
  const sentences = [
    `Founded cluster ${cluster} of ${ids.join(", ")}`,
    `${first.id} stands first, as it holds what all the others hold`,
    ...gone.map((because) => `${because}: it will hear of it from the leader`),
  ];
  return { kind: "done", sentences };
}

/** Who keeps a promise to a third founding: its founder must finish or give it back first. */
function disagreements(
  ids: readonly string[],
  told: readonly Told[],
  cluster: string,
): readonly string[] {
  return told.flatMap(({ founding }, index) =>
    founding === null || founding.cluster === cluster
      ? []
      : [`${ids[index] ?? "a node"}: another founding of the same nodes is under way, add again`]
  );
}

function memberOf(node: Introduction): Member {
  const kind = node.witness ? "witness" : "voter";
  return { id: node.id as NodeId, member: node.member, kind };
}

type Told = {
  readonly refused: string | null;
  readonly founding: { readonly cluster: string } | null;
};

function tellAll(
  options: FormationOptions,
  ids: readonly NodeId[],
  message: FoundingMessage,
): Promise<readonly Told[]> {
  return Promise.all(ids.map((id) => tell(options, id, message)));
}

async function tell(
  options: FormationOptions,
  to: NodeId,
  message: FoundingMessage,
): Promise<Told> {
  const { member } = options.introduce();
  const envelope: Envelope = { cluster: null, from: options.self, member, to, message };
  if (to === options.self) return verdictOf(await options.own(envelope));
  const question = { method: "raft.message", params: encodeEnvelope(envelope) };
  const answer = await options.peers.call(to, question, { deadlineMs: options.deadlineMs });
  if ("failed" in answer) return { refused: answer.failed.because, founding: null };
  const decoded = decodeEnvelope(answer.ok);
  if (decoded.kind === "refused") return { refused: decoded.because, founding: null };
  return verdictOf(decoded.envelope.message);
}

function verdictOf(message: Message): Told {
  if (message.kind === "verdict") return message;
  return { refused: `an answer of kind ${message.kind} was not expected`, founding: null };
}

function refusals(ids: readonly string[], told: readonly Told[]): readonly string[] {
  return told.flatMap((one, index) =>
    one.refused === null ? [] : [`${ids[index] ?? "a node"}: ${one.refused}`]
  );
}
