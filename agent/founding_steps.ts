/** The steps of a founding, as its founder tells them to every node: promise, store, go. */
import type { Envelope, FoundingMessage, Message } from "../raft/message.ts";
import type { Member, Membership, NodeId } from "../raft/types.ts";
import type { FormationOptions, Formed, Introduction } from "./introduction.ts";
import { decodeEnvelope, encodeEnvelope } from "./wire_raft.ts";

/** Promise, store, go: each step everywhere before the next one anywhere. */
export async function found(
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
  await tellAll(options, waiting.map((node) => node.id as NodeId), go);
}
