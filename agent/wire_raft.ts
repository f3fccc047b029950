/** The protocol's messages and durable state on the wire and on disk: `unknown` in, typed values out. */
import * as v from "valibot";
import type { Envelope } from "../raft/message.ts";
import { STATE_CHARACTERS_MAX } from "./durable.ts";
import { RPC_TEXT_CHARACTERS_MAX } from "./wire_rpc.ts";

/** Version of the messages; a node refuses what is newer than it can read. */
const RAFT_VERSION = 1;

const idMax = 300;
const membersMax = 64;

const text = v.pipe(v.string(), v.maxLength(RPC_TEXT_CHARACTERS_MAX));
/** In the state file: what could be written can be read, however long. */
const stored = v.pipe(v.string(), v.maxLength(STATE_CHARACTERS_MAX));
const id = v.pipe(v.string(), v.minLength(1), v.maxLength(idMax));
const number = v.pipe(v.number(), v.finite());
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const reason = v.nullable(text);

const memberSchema = v.object({
  id,
  member: id,
  kind: v.picklist(["voter", "witness", "leaving", "learner", "idle"]),
  since: v.exactOptional(count),
});
const membershipSchema = v.object({
  cluster: id,
  term: v.exactOptional(count),
  epoch: count,
  members: v.pipe(v.array(memberSchema), v.maxLength(membersMax)),
  unsettled: v.exactOptional(v.boolean()),
  newVoter: v.exactOptional(id),
});
// Agents of the first version do not say it.
const unapplied = v.optional(count, 0);
const sourceSchema = v.object({ id, host: id, port: count });
const lastLeaderSchema = v.nullable(v.object({ term: count, id }));
const foundingSchema = v.object({
  cluster: id,
  // Agents of the first version do not say it.
  founder: v.optional(id, "an unknown node"),
  members: v.pipe(v.array(id), v.maxLength(membersMax)),
});
const incarnationSchema = v.nullable(v.object({ boot: id, process: id }));
const forgetsSchema = v.object({ process: v.nullable(stored), host: v.nullable(stored) });

/** What a node remembers for ever. */
export const durableSchema = v.object({
  term: count,
  votedFor: v.nullable(id),
  membership: v.nullable(membershipSchema),
  member: id,
  promised: stored,
  lastLeader: lastLeaderSchema,
  resigned: count,
  disabled: v.boolean(),
  uncertain: v.nullable(stored),
  incarnation: incarnationSchema,
  // Agents of the first version do not say it.
  forgets: v.optional(forgetsSchema, { process: null, host: null }),
  origin: stored,
  founding: v.nullable(foundingSchema),
});

const handoverSchema = v.nullable(v.object({
  candidate: sourceSchema,
  repointed: v.pipe(v.array(id), v.maxLength(membersMax)),
}));

const voteReplySchema = v.object({
  kind: v.literal("voteReply"),
  term: count,
  granted: v.picklist(["yes", "conditional", "no"]),
  refused: reason,
  termOfVoter: count,
  held: text,
  membership: v.nullable(membershipSchema),
  leaderSilentMs: v.nullable(number),
});

const messageSchema = v.variant("kind", [
  v.object({
    kind: v.literal("heartbeat"),
    term: count,
    membership: membershipSchema,
    source: sourceSchema,
    sentAt: number,
    base: v.object({ position: text, origin: text }),
    logEnd: reason,
    opened: v.boolean(),
    handover: handoverSchema,
  }),
  v.object({
    kind: v.literal("heartbeatReply"),
    term: count,
    sentAt: number,
    // Agents of the first version do not say it.
    listTerm: v.optional(v.nullable(count), null),
    epoch: count,
    refused: reason,
    held: text,
    // Agents of the first version do not say it, here and in a vote.
    errant: v.optional(v.boolean(), false),
    unfit: reason,
    receivingFrom: reason,
    inStep: v.boolean(),
    unapplied,
    // Agents of the first version do not say it, and acknowledge when they are voters.
    acknowledges: v.optional(v.boolean(), true),
    source: sourceSchema,
  }),
  v.object({
    kind: v.literal("preVote"),
    term: count,
    membership: membershipSchema,
    held: text,
    unapplied,
  }),
  v.object({
    kind: v.literal("preVoteReply"),
    term: count,
    refused: reason,
    termOfVoter: count,
    membership: v.optional(v.nullable(membershipSchema), null),
  }),
  v.object({
    kind: v.literal("vote"),
    term: count,
    // Agents of the first version do not say it.
    consented: v.optional(v.boolean(), false),
    membership: membershipSchema,
    held: text,
    errant: v.optional(v.boolean(), false),
    lastLeader: lastLeaderSchema,
    source: sourceSchema,
  }),
  voteReplySchema,
  v.object({ kind: v.literal("resign"), term: count }),
  v.object({ kind: v.literal("resignReply"), term: count, held: text, unapplied, unfit: reason }),
  v.object({
    kind: v.literal("consent"),
    term: count,
    until: text,
    vote: v.nullable(voteReplySchema),
    released: v.boolean(),
  }),
  v.object({ kind: v.literal("takeover"), term: count }),
  v.object({ kind: v.literal("foundingPromise"), founding: foundingSchema }),
  v.object({ kind: v.literal("foundingRelease"), cluster: id }),
  v.object({
    kind: v.literal("foundingStore"),
    membership: membershipSchema,
    begun: v.optional(v.boolean(), false),
  }),
  v.object({ kind: v.literal("foundingGo"), cluster: id, first: id }),
  v.object({
    kind: v.literal("verdict"),
    refused: reason,
    held: text,
    member: id,
    membership: v.nullable(membershipSchema),
    founding: v.nullable(foundingSchema),
  }),
]);

const envelopeSchema = v.object({
  version: count,
  cluster: v.nullable(id),
  from: id,
  member: id,
  to: id,
  message: messageSchema,
});

export type Decoded =
  | { readonly kind: "decoded"; readonly envelope: Envelope }
  | { readonly kind: "refused"; readonly because: string };

/** The envelope with its version, ready for JSON. */
export function encodeEnvelope(envelope: Envelope): unknown {
  return { version: RAFT_VERSION, ...envelope };
}

/** Reads an envelope that came over the wire. */
export function decodeEnvelope(value: unknown): Decoded {
  const version = (value as { readonly version?: unknown } | null)?.version;
  if (typeof version === "number" && version > RAFT_VERSION) {
    const because =
      `The sender speaks protocol version ${version}, this node up to ${RAFT_VERSION}`;
    return { kind: "refused", because };
  }
  const result = v.safeParse(envelopeSchema, value);
  if (result.success) {
    // The brands of ids and positions are names only: the texts are what they claim to be.
    return { kind: "decoded", envelope: result.output as unknown as Envelope };
  }
  const issue = result.issues[0];
  const path = v.getDotPath(issue) ?? "the message";
  const wanted = issue.expected ?? "something else";
  const because = `Cannot read the message as "${path}" is ${issue.received}: wanted is ${wanted}`;
  return { kind: "refused", because };
}
