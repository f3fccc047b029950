/** What is said of a peer that cannot be told something: once, and again after it went well. */
import assert from "node:assert/strict";
import type { Event } from "../raft/event.ts";
import type { Message } from "../raft/message.ts";
import type { NodeId } from "../raft/types.ts";
import { settle } from "./fake_clock.ts";
import type { PeerAnswer } from "./ports.ts";
import { Speaker, type SpeakerOptions } from "./speaker.ts";
import { encodeEnvelope } from "./wire_raft.ts";

const b = "b:8801" as NodeId;
const resign: Message = { kind: "resign", term: 1 };
const takeover: Message = { kind: "takeover", term: 1 };

class Stage {
  readonly said: string[] = [];
  readonly posted: Event[] = [];
  answer: PeerAnswer = { failed: { kind: "timeout", because: "it is silent" } };
  readonly #speaker = new Speaker({
    config: { id: "a:8801", electionMs: 1_000, handoverMs: 5_000 },
    clock: { now: () => 1 },
    store: { current: { durable: { membership: null, member: "m" } } },
    peers: { call: () => Promise.resolve(this.answer) },
    log: { write: (_level: string, sentence: string) => void this.said.push(sentence) },
    requestMs: 100,
    post: (event: Event) => void this.posted.push(event),
  } as unknown as SpeakerOptions);

  async send(message: Message, answer: PeerAnswer): Promise<void> {
    this.answer = answer;
    void this.#speaker.send(b, message);
    await settle();
  }
}

const tooLarge = { failed: { kind: "decode", because: "Call has 9 bytes, the most is 8" } };
const good = {
  ok: encodeEnvelope({ cluster: null, from: b, member: "m", to: b, message: resign }),
};

Deno.test("a message that cannot be sent is told once, until it gets through again", async () => {
  const stage = new Stage();
  for (let n = 0; n < 3; n++) await stage.send(resign, tooLarge);
  assert.deepEqual(stage.said, [
    'Cannot say "resign" to b:8801: Call has 9 bytes, the most is 8',
  ]);
  await stage.send(takeover, good);
  await stage.send(resign, tooLarge);
  assert.equal(stage.said.length, 1, "another message that gets through changes nothing");
  await stage.send(resign, good);
  await stage.send(resign, tooLarge);
  assert.equal(stage.said.length, 2);
  assert.equal(stage.posted.length, 2);
});

Deno.test("another trouble with the same peer is told too, also an unreadable answer", async () => {
  const stage = new Stage();
  await stage.send(resign, tooLarge);
  const params = { kind: "rpc", name: "invalidParams", because: "held is too long" };
  await stage.send(resign, { failed: params });
  await stage.send(resign, { ok: { version: 99 } });
  await stage.send(resign, { ok: { version: 99 } });
  assert.equal(stage.said.length, 3, stage.said.join("\n"));
});

Deno.test("a peer that is silent or busy is no trouble for the log", async () => {
  const stage = new Stage();
  for (const kind of ["timeout", "unreachable", "canceled", "refused"]) {
    await stage.send(resign, { failed: { kind, because: "nobody answers" } });
  }
  const busy = { kind: "rpc", name: "busy", because: "too many calls" };
  await stage.send(resign, { failed: busy });
  assert.deepEqual(stage.said, []);
  assert.deepEqual(stage.posted.map(({ kind }) => kind), ["peerGone"]);
});
