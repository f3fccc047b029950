/**
 * "cluster add": the founding of a cluster by one of its nodes, and the joining of further ones
 * through the leader. Everything is checked before anything changes; asking again is harmless.
 */
import { EMPTY_POSITION, type Position } from "../raft/types.ts";
import { type Contested, endRivals, finish, found } from "./founding_steps.ts";
import {
  type FormationOptions,
  type Formed,
  introduced,
  type Introduction,
  ofLeader,
  type Silent,
} from "./introduction.ts";
import { gtidPositions } from "./positions.ts";

/** How often a founding is tried while others found a cluster of some of the same nodes. */
const turnsMax = 5;
/** A founding takes less, where nothing is slow. */
const turnMs = 200;

/**
 * Founds a cluster of this node and `others`, or finds that only a join is left to do. Of several that
 * found the same cluster at once, all give way to the one with the lowest id, and then find it founded.
 */
export async function form(options: FormationOptions, others: readonly string[]): Promise<Formed> {
  const place = others.filter((id) => id < options.self).length;
  for (let turn = 1;; turn++) {
    const formed = await formOnce(options, others);
    if (formed.kind !== "contested") return formed;
    if (turn === turnsMax) return { kind: "refused", because: formed.because };
    await new Promise<void>((resolve) => options.clock.after(turnMs * (1 + place), resolve));
    // Nobody went on with it for so long.
    if (turn === turnsMax - 1) await endRivals(options, formed);
  }
}

async function formOnce(
  options: FormationOptions,
  others: readonly string[],
): Promise<Formed | Contested> {
  const { self, nodes, silent } = await introduced(options, others);
  if (settled(self)) {
    await finish(options, self, nodes);
    return joining(await ofLeader(options) ?? self, { nodes, silent, idle: false });
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
  if (settled(self)) {
    return joining(await ofLeader(options) ?? self, { nodes, silent, idle: true });
  }
  const because = `${options.self} is in no cluster yet: found one first with "xenon cluster add"`;
  return { kind: "refused", because: [because] };
}

function settled(self: Introduction | undefined): self is Introduction {
  return self !== undefined && self.cluster !== null && !self.founding;
}

/**
 * Who of the named nodes is still to be added through the leader, as voters to be or as idle. `self` is
 * the leader, or this node where nobody leads.
 */
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
