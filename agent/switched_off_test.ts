import assert from "node:assert/strict";
import type { ServerFacts } from "../mysql/facts.ts";
import { followerWith } from "../mysql/fake_server.ts";
import type { State } from "../raft/state.ts";
import type { Config } from "../raft/types.ts";
import { FakeClock } from "./fake_clock.ts";
import type { Peers } from "./ports.ts";
import { snapshot, type SnapshotContext } from "./snapshot.ts";
import { disabledSentences } from "./switched_off.ts";

const off = 'Disabled until "xenon raft enable": this node neither votes nor acknowledges';

/** A member as it stands where "a" leads; "w" is the witness. */
function stateOf(ids: readonly string[]): State {
  const members = ids.map((id) => ({ id, kind: id === "w" ? "witness" : "voter" }));
  const membership = { cluster: "c", epoch: 1, members };
  return {
    role: "follower",
    durable: { membership, term: 1, disabled: false, uncertain: null },
    leader: { id: "a", term: 1 },
    invalid: null,
    server: { health: "alive", unfit: null },
    why: "",
  } as unknown as State;
}

/** What node `id` of these answers, over a server with these facts. */
function answerOf(id: string, ids: readonly string[], facts: ServerFacts): unknown {
  return snapshot({
    config: { id, witness: false },
    state: stateOf(ids),
    facts,
    factsAgeMs: 1,
    mysqlEndpoint: `${id}:3306`,
    serverRuns: true,
    monitor: true,
    notes: [],
    jobs: { apart: null, holds: null, word: "NONE", lastError: "", lastBackup: null },
    uptimeSeconds: 1,
    stateUptimeSeconds: 1,
    agentVersion: "0.1.0",
    settings: [],
    counters: {
      leaderPromotes: 0,
      leaderDegrades: 0,
      leaderGetHeartbeats: 0,
      leaderGetVotes: 0,
      candidatePromotes: 0,
      candidateDegrades: 0,
    },
  } as unknown as SnapshotContext);
}

/** The last sentence after "b" of these was switched off; whoever has no facts does not answer. */
async function warned(
  ids: readonly string[],
  servers: Readonly<Record<string, readonly ServerFacts[]>>,
): Promise<{ readonly sentence: string; readonly asked: string }> {
  const clock = new FakeClock();
  const asked: string[] = [];
  const peers: Peers = {
    call(id) {
      const looks = servers[id] ?? [];
      const facts = looks[Math.min(asked.filter((one) => one === id).length, looks.length - 1)];
      asked.push(id);
      return Promise.resolve(
        facts === undefined
          ? { failed: { kind: "timeout", because: "no answer" } }
          : { ok: answerOf(id, ids, facts) },
      );
    },
  };
  const config = { id: "b" } as unknown as Config;
  const told = disabledSentences({ config, state: stateOf(ids), peers, clock });
  await clock.advance(10_000);
  const sentences = await told;
  assert.equal(sentences[0], off);
  return { sentence: sentences.at(-1) ?? "", asked: asked.join("") };
}

const healthy = followerWith({});
const deaf = followerWith({ replication: { receiver: "connecting" } });
const silent = followerWith({
  semiSyncReplica: { ...healthy.semiSyncReplica, enabled: false },
});
const waits = "Writes wait: they need 1 acknowledgement and 0 other nodes give one now";
const three = "n=3 stays: an election needs 2 of the other voters";

Deno.test("raft disable warns where nobody alive is left to acknowledge", async () => {
  const ids = ["a", "b", "c"];
  assert.deepEqual(await warned(ids, { c: [healthy] }), { sentence: three, asked: "c" });
  assert.equal((await warned(ids, {})).sentence, waits, "c is dead");
  assert.equal((await warned(ids, { c: [deaf] })).sentence, waits, "c cannot receive");
  assert.equal((await warned(ids, { c: [silent] })).sentence, waits, "c is disabled too");
  assert.equal((await warned(["a", "b", "w"], {})).sentence, waits, "a witness has no data");
});

Deno.test("raft disable counts all that are needed", async () => {
  const five = ["a", "b", "c", "d", "e"];
  const { sentence } = await warned(five, { c: [healthy] });
  const because = "Writes wait: they need 2 acknowledgements and 1 other node gives one now";
  assert.equal(sentence, because);
  const more = await warned(five, { c: [healthy], e: [healthy] });
  assert.equal(more.sentence, "n=5 stays: an election needs 3 of the other voters");
});

Deno.test("raft disable waits for receivers that are on their way to a new leader", async () => {
  const { sentence, asked } = await warned(["a", "b", "c"], { c: [deaf, healthy] });
  assert.deepEqual([sentence, asked], [three, "cc"]);
});

Deno.test("raft disable asks nobody where no acknowledgement is needed", async () => {
  assert.equal((await warned(["a", "b"], {})).asked, "");
});
