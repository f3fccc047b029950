import assert from "node:assert/strict";
import { followerWith } from "../mysql/fake_server.ts";
import type { BinaryLog } from "../mysql/plan_purge.ts";
import type { Membership } from "../raft/types.ts";
import { FakeClock } from "./fake_clock.ts";
import type { Administration, PeerAnswer } from "./ports.ts";
import { PurgeRounds } from "./purge.ts";

const uuid = "aaaaaaaa-0000-4000-8000-000000000001";
const intervalMs = 300_000;

/** Three members; this one is "a" and has a file for each ten transactions. */
class World {
  readonly clock = new FakeClock();
  readonly logged: string[] = [];
  enabled = true;
  files: readonly BinaryLog[] = filesFrom(1, 5);
  readonly executed: Record<string, number | null> = { b: 45, c: 45 };
  backup = "NONE";
  membership: Membership | null = membershipOf("a", "b", "c");
  readonly rounds = new PurgeRounds({
    self: "a",
    intervalMs,
    requestMs: 500,
    clock: this.clock,
    peers: { call: (id) => Promise.resolve(this.#answer(id)) },
    administration: this.#administration(),
    log: { write: (_level, sentence) => this.logged.push(sentence) },
    enabled: () => this.enabled,
    membership: () => this.membership,
    facts: () => followerWith({ executed: `${uuid}:1-45`, replication: null }),
    errant: () => "",
  });

  #answer(id: string): PeerAnswer {
    const last = this.executed[id] ?? null;
    if (last === null) return { failed: { kind: "timeout", because: "no answer" } };
    return { ok: statusOf(id, { executed: `${uuid}:1-${last}`, backup: this.backup }) };
  }

  #administration(): Administration {
    return {
      binaryLogs: () => Promise.resolve(this.files),
      purge: (to) => {
        this.files = this.files.slice(this.files.findIndex(({ name }) => name === to));
        return Promise.resolve();
      },
    } as Partial<Administration> as Administration;
  }

  get names(): readonly string[] {
    return this.files.map(({ name }) => name.slice(-1));
  }
}

function filesFrom(first: number, last: number): readonly BinaryLog[] {
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const number = first + index;
    const previous = number === 1 ? "" : `${uuid}:1-${10 * (number - 1)}`;
    return { name: `binlog.00000${number}`, bytes: 10, previous };
  });
}

function membershipOf(...ids: readonly string[]): Membership {
  const members = ids.map((id) => ({ id, member: id, kind: "voter" }));
  return { cluster: "c", epoch: 1, members } as unknown as Membership;
}

Deno.test("what nobody needs is removed one interval after that was seen", async () => {
  const world = new World();
  world.rounds.start();
  await world.clock.advance(intervalMs);
  assert.deepEqual(world.names, ["1", "2", "3", "4", "5"]);
  await world.clock.advance(intervalMs);
  assert.deepEqual(world.names, ["4", "5"]);
  assert.match(world.logged.join(), /Removed 3 binary logs before binlog\.000004/);
  world.rounds.stop();
  assert.equal(world.clock.waiting, 0);
});

Deno.test("what became needed meanwhile stays: the later look counts", async () => {
  const world = new World();
  await world.rounds.round();
  // A member came back with an older copy.
  world.executed.b = 15;
  await world.rounds.round();
  assert.deepEqual(world.names, ["2", "3", "4", "5"]);
});

Deno.test("a member that does not answer holds everything, and that is said once", async () => {
  const world = new World();
  await world.rounds.round();
  world.executed.c = null;
  await world.rounds.round();
  await world.rounds.round();
  assert.deepEqual(world.names, ["1", "2", "3", "4", "5"]);
  assert.equal(world.rounds.held, "nobody knows what c has: no answer");
  assert.equal(world.logged.length, 1);
  world.executed.c = 45;
  // It must be seen twice again.
  await world.rounds.round();
  assert.deepEqual([world.names.length, world.rounds.held], [5, null]);
  await world.rounds.round();
  assert.deepEqual(world.names, ["4", "5"]);
});

Deno.test("while a server is copied, and an hour after, nothing goes", async () => {
  const world = new World();
  world.backup = "BACKUPING";
  await world.rounds.round();
  world.backup = "NONE";
  await world.rounds.round();
  await world.rounds.round();
  assert.deepEqual(world.names.length, 5);
  assert.match(world.rounds.held ?? "", /a copy of a server was made lately/);
  world.clock.freeze(3_600_000);
  await world.rounds.round();
  await world.rounds.round();
  assert.deepEqual(world.names, ["4", "5"]);
});

Deno.test("a node that was told not to, or that is no member, removes nothing and says nothing", async () => {
  const changes: readonly ((world: World) => void)[] = [
    (world) => world.enabled = false,
    (world) => world.membership = null,
    (world) => world.membership = membershipOf("b", "c"),
  ];
  for (const change of changes) {
    const world = new World();
    change(world);
    await world.rounds.round();
    await world.rounds.round();
    assert.deepEqual([world.names.length, world.rounds.held], [5, null]);
  }
});

/** What a member says about itself; only a few words of it matter here. */
function statusOf(id: string, said: { readonly executed: string; readonly backup: string }) {
  return {
    version: 1,
    id,
    cluster: "c",
    role: "FOLLOWER",
    term: 1,
    epoch: 1,
    leader: "a",
    voters: [],
    idle: [],
    witness: null,
    members: [],
    quorum: { n: 3, q: 2, k: 1 },
    margin: { losses: 1, sentence: "" },
    sentence: "",
    mysqld: { running: "RUNNING", monitor: "ON" },
    backup: { state: said.backup, lastError: "" },
    mysql: {
      state: "ALIVE",
      option: "READONLY",
      executed: said.executed,
      received: "",
      receiverRunning: true,
      applierRunning: true,
      secondsBehind: "0",
      lastError: "",
      sourceLogFile: "",
      sourceLogPosition: 0,
      endpoint: "",
      serverUuid: "",
      version: "",
      semiSync: { source: false, replica: true, k: 0, clients: 0 },
    },
    uptimeSeconds: 1,
    counters: {
      leaderPromotes: 0,
      leaderDegrades: 0,
      leaderGetHeartbeats: 0,
      leaderGetVotes: 0,
      candidatePromotes: 0,
      candidateDegrades: 0,
      stateUptimeSeconds: 0,
    },
    ageMs: 0,
    agentVersion: "",
  };
}

Deno.test("a member that answers again or is gone is not said to be silent any more", async () => {
  const returns: readonly ((world: World) => void)[] = [
    (world) => world.executed.c = 45,
    (world) => world.membership = membershipOf("a", "b"),
  ];
  for (const comesBack of returns) {
    const world = new World();
    world.executed.c = null;
    await world.rounds.round();
    world.rounds.start();
    await world.clock.advance(6_000);
    assert.match(world.rounds.held ?? "", /nobody knows what c has/);
    comesBack(world);
    await world.clock.advance(6_000);
    assert.deepEqual([world.rounds.held, world.names.length], [null, 5]);
    world.rounds.stop();
    assert.equal(world.clock.waiting, 0);
  }
});
