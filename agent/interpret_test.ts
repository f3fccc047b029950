/** What a fence promises about the virtual address, and what an agent closes that cannot go on. */
import assert from "node:assert/strict";
import type { Promotion } from "../raft/effect.ts";
import type { Event } from "../raft/event.ts";
import { EMPTY_POSITION } from "../raft/types.ts";
import { FakeClock, settle } from "./fake_clock.ts";
import { Interpreter, type InterpreterOptions } from "./interpret.ts";
import { type Claim, kernelLateMs } from "./vip.ts";

const identity = { pid: 7, startTime: "1", bootId: "b", incarnation: "b/7/1" };
const leaseMs = 1_000;

/** A node whose server closes at once, or cannot be closed by SQL; everything else stands still. */
class Stage {
  readonly clock = new FakeClock();
  readonly posted: Event[] = [];
  readonly done: string[] = [];
  removable = true;
  closable = true;
  alive = true;
  readonly interpreter = new Interpreter({
    config: { id: "a", electionMs: 1_000, source: { host: "a", port: 3306 } },
    clock: this.clock,
    store: { current: { durable: { membership: null }, memory: { errant: "" } } },
    database: {
      fence: () => {
        this.done.push("fence");
        const because = "it waits for its disk";
        return Promise.resolve(this.closable ? { kind: "closed" } : { kind: "mustKill", because });
      },
      promote: () => Promise.resolve(),
    },
    server: {
      glance: () => this.alive ? "running" : "dead",
      kill: () => {
        this.done.push("kill");
        this.alive = false;
      },
    },
    watch: { identity, changed: () => {}, unfitFor: () => {} },
    hooks: { leaderStart: () => Promise.resolve(), leaderStop: () => Promise.resolve() },
    vip: {
      address: "192.0.2.9",
      leaseMs,
      holds: () => true,
      take: async ({ opened }: Claim) => void await opened,
      drop: () => {
        this.done.push("drop");
        return this.removable ? Promise.resolve() : Promise.reject(new Error("it cannot"));
      },
    },
    log: { write: () => {} },
    fenceMs: 250,
    apart: () => null,
    post: (event: Event) => void this.posted.push(event),
  } as unknown as InterpreterOptions);

  get kinds(): readonly string[] {
    return this.posted.map(({ kind }) => kind);
  }

  async lead(): Promise<void> {
    const incarnation = { boot: "b", process: "7/1" };
    const promotion: Promotion = {
      term: 1,
      cluster: "c",
      k: 1,
      held: EMPTY_POSITION,
      incarnation,
      oldLeaderSilentMs: null,
      released: true,
    };
    this.interpreter.interpret({ kind: "promote", op: 1, promotion });
    await settle();
    assert.deepEqual(this.kinds, ["promoted"]);
    this.posted.length = 0;
  }
}

Deno.test("a fence says that the address is free as soon as it is, and ends", async () => {
  const stage = new Stage();
  await stage.lead();
  stage.interpreter.interpret({ kind: "fence", op: 2, why: "its agent ends" });
  await settle();
  assert.deepEqual(stage.kinds, ["released", "fenced"]);
  assert.deepEqual(stage.done, ["fence", "drop"]);
});

Deno.test("an address that cannot be removed is free when its lease is over, and not before", async () => {
  const stage = new Stage();
  await stage.lead();
  stage.removable = false;
  stage.interpreter.interpret({ kind: "fence", op: 2, why: "its agent ends" });
  await stage.clock.advance(leaseMs + kernelLateMs - 1);
  assert.deepEqual(stage.kinds, []);
  await stage.clock.advance(1);
  assert.deepEqual(stage.kinds, ["released", "fenced"]);
});

Deno.test("an agent that cannot go on closes what it opened, at any price", async () => {
  const stage = new Stage();
  await stage.interpreter.abandon("its record cannot be written");
  assert.deepEqual(stage.done, [], "it never led");
  await stage.lead();
  stage.closable = false;
  const ended = stage.interpreter.abandon("its record cannot be written");
  await stage.clock.advance(1_000);
  await ended;
  assert.deepEqual([...stage.done].sort(), ["drop", "fence", "kill"]);
});
