/** Messages on the wire, with the longest GTID sets that servers are known to have. */
import assert from "node:assert/strict";
import type { Envelope, Message, VoteReply } from "../raft/message.ts";
import type { NodeId } from "../raft/types.ts";
import { position } from "./positions.ts";
import { decodeEnvelope, encodeEnvelope } from "./wire_raft.ts";
import { decodeCall, encodeCall, RPC_CALL_BYTES_MAX, RPC_TEXT_CHARACTERS_MAX } from "./wire_rpc.ts";

/** A history full of gaps: 20,000 intervals with numbers of ten digits. */
const gaps = Array.from(
  { length: 20_000 },
  (_, n) => `${4_000_000_000 + 3 * n}-${4e9 + 3 * n + 1}`,
);
const held = position(`11111111-2222-3333-4444-555555555555:${gaps.join(":")}`);
const a = "a:8801" as NodeId;
const source = { id: a, host: "a", port: 3306 };
const membership = {
  cluster: "c",
  epoch: 1,
  members: [{ id: a, member: "m", kind: "voter" }],
} as const;

const reply: VoteReply = {
  kind: "voteReply",
  term: 2,
  granted: "yes",
  refused: null,
  termOfVoter: 2,
  held,
  membership,
  leaderSilentMs: 4,
};

const messages: readonly Message[] = [
  {
    kind: "heartbeat",
    term: 1,
    membership,
    source,
    sentAt: 5,
    base: { position: held, origin: "11111111-2222-3333-4444-555555555555" },
    logEnd: "binlog.000001:4",
    opened: true,
    handover: null,
  },
  {
    kind: "heartbeatReply",
    term: 1,
    sentAt: 5,
    listTerm: 0,
    epoch: 1,
    refused: null,
    held,
    errant: false,
    unfit: null,
    receivingFrom: null,
    inStep: true,
    unapplied: 0,
    acknowledges: true,
    source,
  },
  { kind: "preVote", term: 2, membership, held, unapplied: 0 },
  {
    kind: "vote",
    term: 2,
    consented: true,
    membership,
    held,
    errant: false,
    lastLeader: null,
    source,
  },
  reply,
  { kind: "consent", term: 2, until: held, vote: reply, released: true },
];

for (const message of messages) {
  Deno.test(`a ${message.kind} with 20,000 intervals goes over the wire unchanged`, () => {
    const envelope: Envelope = { cluster: "c", from: a, member: "m", to: a, message };
    const params = encodeEnvelope(envelope);
    const call = { id: 1, method: "raft.message", params, sealed: false, from: a, cluster: "c" };
    const text = encodeCall(call);
    assert.ok(text.length <= RPC_CALL_BYTES_MAX / 4, "far from the limit, and all of it is ASCII");
    const decoded = decodeCall(text);
    assert.ok(decoded.kind === "call");
    const opened = decodeEnvelope(decoded.call.params);
    assert.ok(opened.kind === "decoded", opened.kind === "refused" ? opened.because : "");
    assert.deepEqual(opened.envelope.message, message);
  });
}

Deno.test("a set beyond all measure is refused with its name, its length and the limit", () => {
  const until = "x".repeat(RPC_TEXT_CHARACTERS_MAX + 1);
  const message = { kind: "consent", term: 2, until, vote: null, released: true };
  const params = { version: 1, cluster: "c", from: a, member: "m", to: a, message };
  const decoded = decodeEnvelope(params);
  assert.ok(decoded.kind === "refused");
  assert.match(decoded.because, /"message\.until" is 1048577: wanted is <=1048576/);
});
