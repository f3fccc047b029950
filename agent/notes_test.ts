import assert from "node:assert/strict";
import { followerFacts, followerWith } from "../mysql/fake_server.ts";
import type { ServerFacts } from "../mysql/facts.ts";
import type { State } from "../raft/state.ts";
import { looseSemiSync, notesOf } from "./notes.ts";
import { freshMemory } from "./store.ts";

const members = ["a", "b", "c"].map((id) => ({ id, member: id, kind: "voter" }));
const durable = { membership: { cluster: "c", epoch: 1, members } };
const leading = { role: "leader", stage: "leading", durable } as unknown as State;
const following = { role: "follower", durable } as unknown as State;

function semiSync(change: Partial<ServerFacts["semiSyncSource"]>): ServerFacts {
  const on = { enabled: true, status: true, waitForCount: 1 };
  return {
    ...followerFacts,
    semiSyncSource: { ...followerFacts.semiSyncSource, ...on, ...change },
  };
}

const context = {
  memory: freshMemory,
  state: following,
  facts: followerFacts,
  purgeHeld: null,
  leftDown: false,
} as const;

Deno.test("where nothing is switched off or stopped there is nothing to say", () => {
  assert.deepEqual(notesOf(context), []);
});

Deno.test("a stopped server, kept logs and an unchecked semi-sync are said with every status", () => {
  const stopped = { ...freshMemory, stopped: true };
  assert.match(notesOf({ ...context, memory: stopped, facts: null })[0] ?? "", /starts it$/);
  assert.match(notesOf({ ...context, memory: stopped })[0] ?? "", /somebody started it/);
  const held = notesOf({ ...context, purgeHeld: "nobody knows what b has" });
  assert.deepEqual(held, ["binary logs are kept: nobody knows what b has"]);
  const unchecked = { ...freshMemory, semiSyncCheck: false };
  assert.match(notesOf({ ...context, memory: unchecked })[0] ?? "", /semi-sync is not checked/);
});

Deno.test("transactions that only this server has are named", () => {
  const memory = { ...freshMemory, errant: "3e11fa47-71ca-11e1-9e33-c80aa9429562:7" };
  assert.deepEqual(notesOf({ ...context, memory }), [
    "only this server has 3e11fa47-71ca-11e1-9e33-c80aa9429562:7, written here while another node " +
    "led: the others get it when this node leads",
  ]);
});

Deno.test("a replica that is too old for its source's binary logs is told the way out", () => {
  for (const receiverErrorNumber of [1236, 13114]) {
    const facts = followerWith({ replication: { receiver: "stopped", receiverErrorNumber } });
    assert.match(notesOf({ ...context, facts })[0] ?? "", /copy it anew with "xenon mysql rebu/);
  }
});

Deno.test("an open leader whose commits are confirmed too early says so in capitals", () => {
  const memory = { ...freshMemory, semiSyncCheck: false };
  for (const change of [{ enabled: false }, { status: false }, { waitForCount: 0 }]) {
    const [note] = notesOf({ ...context, memory, state: leading, facts: semiSync(change) });
    assert.match(note ?? "", /^WRITES ARE NOT SAFE: semi-sync is/);
  }
  assert.equal(looseSemiSync(leading, semiSync({})), null);
  assert.equal(looseSemiSync(leading, null), null);
  assert.equal(looseSemiSync(following, semiSync({ enabled: false })), null);
});

Deno.test("a server that died while the monitor is off is said to need a start", () => {
  const [note = ""] = notesOf({ ...context, facts: null, leftDown: true });
  assert.match(note, /the monitor is off.*xenon mysql start/);
});
