/** The steps of a founding, as its founder tells them to every node: promise, store, go. */
import type { Envelope, FoundingMessage, Message } from "../raft/message.ts";
import type { Founding, Member, Membership, NodeId } from "../raft/types.ts";
import type { FormationOptions, Formed, Introduction } from "./introduction.ts";
import { decodeEnvelope, encodeEnvelope } from "./wire_raft.ts";

/** Another founding of some of these nodes is not over or was not given up; nothing was changed. */
export interface Contested {
  readonly kind: "contested";
  readonly because: readonly string[];
  readonly rivals: readonly Founding[];
}

/**
 * Promise, store, go: each step everywhere before the next one anywhere, the first two here before
 * anywhere else. So a founding that this node has not stored can be given up, whatever came between.
 */
export async function found(
  options: FormationOptions,
  nodes: readonly Introduction[],
  first: Introduction,
): Promise<Formed | Contested> {
  const ids = nodes.map((node) => node.id as NodeId);
  const begun = nodes.find((node) => node.founding && node.cluster !== null);
  const cluster = begun?.cluster ?? options.newUuid();
  if (begun === undefined) {
    const founding = { cluster, founder: options.self, members: ids };
    const promised = await tellHereFirst(options, ids, { kind: "foundingPromise", founding });
    if (promised.some(isRefused)) return await givenUp(options, { ids, cluster, told: promised });
  }
  const membership: Membership = { cluster, epoch: 1, members: nodes.map(memberOf) };
  const store = { kind: "foundingStore", membership, begun: begun !== undefined } as const;
  const stored = await tellHereFirst(options, ids, store);
  if (stored.some(isRefused)) {
    const onlyAsked = begun === undefined && stored.length === 1;
    if (onlyAsked) return await givenUp(options, { ids, cluster, told: stored });
    return { kind: "incomplete", because: refusals(stored) };
  }
  const go = { kind: "foundingGo", cluster, first: first.id as NodeId } as const;
  const gone = refusals(await tellEach(options, ids, go));
  const sentences = [
    `Founded cluster ${cluster} of ${ids.join(", ")}`,
    `${first.id} stands first, as it holds what all the others hold`,
    ...gone.map((because) => `${because}: it will hear of it from the leader`),
  ];
  return { kind: "done", sentences };
}

/** Nobody was asked to store the list but this node, which refused: everybody is free again. */
async function givenUp(
  options: FormationOptions,
  { ids, cluster, told }: {
    readonly ids: readonly NodeId[];
    readonly cluster: string;
    readonly told: readonly Told[];
  },
): Promise<Formed | Contested> {
  await tellEach(options, ids, { kind: "foundingRelease", cluster });
  const others = told.filter(isRefused).flatMap(({ founding }) => founding ?? [])
    .filter((other) => other.cluster !== cluster);
  // Several nodes may be promised to the same one.
  const rivals = [...new Map(others.map((other) => [other.cluster, other])).values()];
  const [rival] = rivals;
  if (rival === undefined) return { kind: "refused", because: refusals(told) };
  const way =
    `finish that with "xenon cluster add" on ${rival.founder}, with the nodes named there`;
  return { kind: "contested", because: [...refusals(told), way], rivals };
}

/**
 * Asks the founders of others' foundings to give them up. A founder stores its list before anybody
 * else, so without its own promise nobody ever will, and the promises of the others can end too.
 */
export async function endRivals(
  options: FormationOptions,
  { rivals }: Contested,
): Promise<void> {
  for (const { cluster, founder, members } of rivals) {
    const release = { kind: "foundingRelease", cluster } as const;
    const { refused, membership } = await tell(options, founder, release);
    if (refused !== null || membership?.cluster === cluster) continue;
    await tellEach(options, members.filter((id) => id !== founder), release);
  }
}

function memberOf(node: Introduction): Member {
  const kind = node.witness ? "witness" : "voter";
  return { id: node.id as NodeId, member: node.member, kind };
}

interface Told {
  readonly id: NodeId;
  readonly refused: string | null;
  readonly founding: Founding | null;
  readonly membership: Membership | null;
}

/** This node first, and nobody else where it refuses. */
async function tellHereFirst(
  options: FormationOptions,
  ids: readonly NodeId[],
  message: FoundingMessage,
): Promise<readonly Told[]> {
  const own = await tell(options, options.self, message);
  if (isRefused(own)) return [own];
  const others = ids.filter((id) => id !== options.self);
  return [own, ...await tellEach(options, others, message)];
}

function tellEach(
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
  if (to === options.self) return verdictOf(to, await options.own(envelope));
  const question = { method: "raft.message", params: encodeEnvelope(envelope) };
  const answer = await options.peers.call(to, question, { deadlineMs: options.deadlineMs });
  if ("failed" in answer) return unknown(to, answer.failed.because);
  const decoded = decodeEnvelope(answer.ok);
  if (decoded.kind === "refused") return unknown(to, decoded.because);
  return verdictOf(to, decoded.envelope.message);
}

function verdictOf(id: NodeId, message: Message): Told {
  if (message.kind === "verdict") return { id, ...message };
  return unknown(id, `an answer of kind ${message.kind} was not expected`);
}

function unknown(id: NodeId, refused: string): Told {
  return { id, refused, founding: null, membership: null };
}

function isRefused({ refused }: Told): boolean {
  return refused !== null;
}

function refusals(told: readonly Told[]): readonly string[] {
  return told.filter(isRefused).map(({ id, refused }) => `${id}: ${refused}`);
}

/** Members that stored the list and did not hear the last word of the founding hear it now. */
export async function finish(
  options: FormationOptions,
  self: Introduction,
  nodes: readonly Introduction[],
): Promise<void> {
  const cluster = self.cluster ?? "";
  const waiting = nodes.filter((node) => node.founding && node.cluster === cluster);
  const first = waiting.find((node) => !node.witness);
  if (first === undefined) return;
  const go = { kind: "foundingGo", cluster, first: first.id as NodeId } as const;
  await tellEach(options, waiting.map((node) => node.id as NodeId), go);
}
