/** What a leader does for commits that wait, and where it stops. */
import assert from "node:assert/strict";
import { followerWith } from "../mysql/fake_server.ts";
import { purposeUuid } from "../mysql/plan_arrange.ts";
import { FakeClock, settle } from "./fake_clock.ts";
import { Upkeep, type UpkeepOptions } from "./upkeep.ts";

const lookMs = 200;
const members = ["a", "b", "c"].map((id) => ({ id, kind: "voter" }));

/** A leader of three whose commits wait; nudges stay until somebody acknowledges. */
class Stage {
  readonly clock = new FakeClock();
  readonly lines: string[] = [];
  readonly rooms: number[] = [];
  clients = 0;
  waiting = 0;
  blocked = true;
  exhausted = false;
  mended = "";
  readonly upkeep = new Upkeep({
    clock: this.clock,
    database: {
      nudge: () => {
        this.waiting++;
        return Promise.reject(new Error("Cannot release commits: no answer"));
      },
      makeRoom: (more: number) => {
        if (!this.exhausted) return Promise.resolve(null);
        this.rooms.push(more);
        return Promise.resolve(151 + more);
      },
      settle: () => Promise.resolve({ settled: true, because: null, mended: this.mended }),
    },
    log: { write: (_: string, sentence: string) => void this.lines.push(sentence) },
    interpreter: { busy: false, following: null },
    state: () => ({
      role: "leader",
      stage: "leading",
      change: null,
      handover: null,
      durable: { membership: { cluster: "c", epoch: 1, members }, term: 1 },
    }),
    repair: () => true,
  } as unknown as UpkeepOptions);

  async pass(seconds: number): Promise<void> {
    for (let look = 0; look < seconds * 1_000 / lookMs; look++) {
      await this.clock.advance(lookMs);
      const base = followerWith({ replication: null });
      const source = purposeUuid(base.serverUuid);
      const owned = this.waiting === 0 ? "" : `${source}:1-${this.waiting}`;
      const semiSyncSource = { ...base.semiSyncSource, clients: this.clients };
      const view = { health: this.blocked ? "blocked" : "alive", open: true };
      const facts = { ...base, owned, semiSyncSource };
      this.upkeep.seen(view as Parameters<Upkeep["seen"]>[0], facts);
      await settle();
    }
  }
}

Deno.test("a blocked leader leaves it at two commits that nobody acknowledges", async () => {
  const stage = new Stage();
  stage.clients = 1;
  await stage.pass(300);
  assert.equal(stage.waiting, 2);
  assert.equal(stage.lines.filter((line) => line.includes("committing again")).length, 2);
  stage.waiting = 0;
  await stage.pass(2);
  assert.equal(stage.waiting, 1);
});

Deno.test("a blocked leader lets replicas in once where clients took all connections", async () => {
  const stage = new Stage();
  await stage.pass(10);
  assert.deepEqual(stage.rooms, []);
  stage.exhausted = true;
  await stage.pass(300);
  assert.deepEqual(stage.rooms, [3]);
  assert.equal(stage.lines.filter((line) => line.includes("max_connections is 154")).length, 1);
  for (let times = 0; times < 20; times++) {
    stage.blocked = false;
    await stage.pass(1);
    stage.blocked = true;
    await stage.pass(4);
  }
  assert.equal(stage.rooms.length, 8);
});

Deno.test("a leader with enough replicas does not ask for connections", async () => {
  const stage = new Stage();
  stage.exhausted = true;
  stage.clients = 1;
  await stage.pass(10);
  stage.blocked = false;
  stage.clients = 0;
  await stage.pass(10);
  assert.deepEqual(stage.rooms, []);
});

Deno.test("a leader says once what it puts right, and again when somebody does it again", async () => {
  const stage = new Stage();
  stage.blocked = false;
  for (const [mended, said] of [["", 0], ["x", 1], ["x", 1], ["", 1], ["x", 2]] as const) {
    stage.mended = mended;
    await stage.pass(1);
    assert.equal(stage.lines.length, said);
  }
});
