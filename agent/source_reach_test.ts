/** When a receiver's source counts as out of reach, and how seldom it is asked. */
import assert from "node:assert/strict";
import { followerFacts } from "../mysql/fake_server.ts";
import { FakeClock, settle } from "./fake_clock.ts";
import { SourceReach } from "./source_reach.ts";

const lookEveryMs = 200;

/** A follower whose leader has written up to 900, on a network that can be cut. */
class Stage {
  readonly clock = new FakeClock();
  readonly asked: number[] = [];
  connected = true;
  position = 900;
  logEnd: string | null = "binlog.000001:900";
  /** Whether the agents hear each other. */
  heard = true;
  #heardAt = this.clock.now();
  readonly #reach = new SourceReach({
    clock: this.clock,
    takesConnections: (_, deadlineMs) => {
      this.asked.push(this.clock.now());
      if (this.connected) return Promise.resolve(true);
      return new Promise((resolve) => void this.clock.after(deadlineMs, () => resolve(false)));
    },
  });

  /** Looks for so long; gives after how many ms the source counted as lost first, -1 for never. */
  async look(ms: number): Promise<number> {
    const begun = this.clock.now();
    let lostAfterMs = -1;
    while (this.clock.now() - begun < ms) {
      await this.clock.advance(lookEveryMs);
      if (this.heard) this.#heardAt = this.clock.now();
      if (this.#lost() && lostAfterMs < 0) lostAfterMs = this.clock.now() - begun;
      await settle();
    }
    return lostAfterMs;
  }

  #lost(): boolean {
    assert(followerFacts.replication);
    const place = { sourceLogFile: "binlog.000001", readSourceLogPosition: this.position };
    const replication = { ...followerFacts.replication, receiver: "running", ...place } as const;
    const end = { logEnd: this.logEnd, heardAt: this.#heardAt };
    return this.#reach.lost({ ...followerFacts, replication }, end);
  }
}

Deno.test("a receiver that has everything asks nobody", async () => {
  const stage = new Stage();
  stage.connected = false;
  assert.equal(await stage.look(10_000), -1);
  assert.deepEqual(stage.asked, []);
});

Deno.test("a source that lets nobody in is lost within 1.2 s", async () => {
  const stage = new Stage();
  stage.connected = false;
  stage.logEnd = "binlog.000001:1000";
  const lostAfterMs = await stage.look(3_000);
  assert(lostAfterMs >= 800 && lostAfterMs <= 1_200, String(lostAfterMs));
  assert(stage.asked.length <= 8, "one question after the other");
  stage.connected = true;
  await stage.look(1_000);
  assert.equal(await stage.look(1_000), -1, "it is back, though nothing has come yet");
});

Deno.test("a receiver that comes forward is slow, and its source is not asked", async () => {
  const stage = new Stage();
  stage.connected = false;
  stage.logEnd = "binlog.000001:1000000";
  for (let round = 0; round < 20; round++) {
    stage.position += 100;
    assert.equal(await stage.look(lookEveryMs), -1);
  }
  assert.deepEqual(stage.asked, []);
});

Deno.test("a huge event on its way is no cut, and the source is hardly asked meanwhile", async () => {
  const stage = new Stage();
  stage.logEnd = "binlog.000001:900000000";
  assert.equal(await stage.look(20_000), -1);
  assert(stage.asked.length >= 3 && stage.asked.length <= 5, String(stage.asked.length));
});

Deno.test("one lost packet is no cut", async () => {
  const stage = new Stage();
  stage.logEnd = "binlog.000001:1000";
  stage.connected = false;
  assert.equal(await stage.look(600), -1);
  assert.equal(stage.asked.length, 1);
  stage.connected = true;
  assert.equal(await stage.look(5_000), -1);
});

Deno.test("a leader that says nothing tells nothing about what is missing", async () => {
  const stage = new Stage();
  stage.connected = false;
  stage.heard = false;
  stage.logEnd = "binlog.000001:1000";
  await stage.look(900);
  const asked = stage.asked.length;
  assert.equal(await stage.look(5_000), -1);
  assert(stage.asked.length <= asked + 1);
});
