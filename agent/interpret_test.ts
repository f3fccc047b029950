/** What a fence promises about the address, the operator's commands, and an agent that cannot go on. */
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
  readonly said: string[] = [];
  removable = true;
  closable = true;
  alive = true;
  /** What a planned close comes to, and whether the server is open after it. */
  closing: () => Promise<string> = () => Promise.resolve("");
  open = true;
  /** How often the process of the server is looked for; that always fails. */
  identified = 0;
  identity: typeof identity | null = identity;
  /** Runs for each command: "start" or "stop". */
  command: (name: string) => Promise<void> = () => Promise.resolve();
  readonly interpreter = new Interpreter({
    config: {
      id: "a",
      electionMs: 1_000,
      source: { host: "a", port: 3306 },
      positions: { subtract: (held: string) => held },
    },
    clock: this.clock,
    store: { current: { durable: { membership: null }, memory: { errant: "" } } },
    database: {
      fence: () => {
        this.done.push("fence");
        const because = "it waits for its disk";
        return Promise.resolve(this.closable ? { kind: "closed" } : { kind: "mustKill", because });
      },
      promote: () => Promise.resolve(),
      close: () => this.closing(),
      release: () => {
        this.done.push("release");
        return Promise.resolve();
      },
      look: () =>
        Promise.resolve({
          kind: "seen",
          facts: { readOnly: !this.open, superReadOnly: !this.open },
        }),
    },
    server: {
      identify: () => {
        this.identified++;
        return Promise.reject(new Error("systemctl does not answer"));
      },
      glance: () => this.alive ? "running" : "dead",
      kill: () => {
        this.done.push("kill");
        this.alive = false;
      },
    },
    watch: this.#watch(),
    hooks: { leaderStart: () => this.command("start"), leaderStop: () => this.command("stop") },
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
    log: { write: (_level: string, sentence: string) => void this.said.push(sentence) },
    fenceMs: 250,
    apart: () => null,
    post: (event: Event) => void this.posted.push(event),
  } as unknown as InterpreterOptions);

  #watch() {
    const current = () => this.identity;
    return {
      get identity() {
        return current();
      },
      changed: () => {},
      hurry: () => void this.done.push("look"),
      unfitFor: () => {},
    };
  }

  get kinds(): readonly string[] {
    return this.posted.map(({ kind }) => kind);
  }

  /** The commands that began and ended, in order. A stop takes its time. */
  slowStop(ms: number): readonly string[] {
    const ran: string[] = [];
    this.command = async (name) => {
      ran.push(`${name} begins`);
      if (name === "stop") {
        await new Promise<void>((resolve) => void this.clock.after(ms, resolve));
      }
      ran.push(`${name} ends`);
    };
    return ran;
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

Deno.test("semi-sync goes off behind a planned close, not before the address, and nobody waits", async () => {
  const stage = new Stage();
  await stage.lead();
  stage.interpreter.interpret({ kind: "close", op: 2 });
  await settle();
  assert.deepEqual(stage.kinds, ["closed"]);
  assert.deepEqual(stage.done, ["drop", "release", "look"]);
});

Deno.test("a leader whose close was given up runs its start command again, after the stop", async () => {
  const stage = new Stage();
  await stage.lead();
  const ran = stage.slowStop(500);
  stage.closing = () => Promise.reject(new Error("a statement runs; it is open again"));
  stage.interpreter.interpret({ kind: "close", op: 2 });
  await settle();
  assert.deepEqual(stage.kinds, ["opFailed"], "the hand-over does not wait for commands");
  assert.deepEqual(ran, ["stop begins"]);
  await stage.clock.advance(500);
  assert.deepEqual(ran, ["stop begins", "stop ends", "start begins", "start ends"]);
});

Deno.test("a start command that fails after a given-up close is tried until it succeeds", async () => {
  const stage = new Stage();
  await stage.lead();
  const ran: string[] = [];
  stage.command = (name) => {
    ran.push(name);
    return ran.length === 2 ? Promise.reject(new Error("no route table")) : Promise.resolve();
  };
  stage.closing = () => Promise.reject(new Error("it is open again"));
  stage.interpreter.interpret({ kind: "close", op: 2 });
  await stage.clock.advance(5_000);
  assert.deepEqual(ran, ["stop", "start", "start"]);
  assert.ok(stage.said.some((sentence) => sentence.includes("no route table")));
});

Deno.test("a server that stayed closed after a given-up close gets no start command", async () => {
  const stage = new Stage();
  await stage.lead();
  const ran = stage.slowStop(0);
  stage.open = false;
  stage.closing = () => Promise.reject(new Error("could not open it again: fence it"));
  stage.interpreter.interpret({ kind: "close", op: 2 });
  await stage.clock.advance(2_000);
  stage.interpreter.interpret({ kind: "fence", op: 3, why: "its server is closed" });
  await stage.clock.advance(5_000);
  assert.ok(!ran.includes("start begins"), ran.join(", "));
});

Deno.test("the start of the next leadership waits for the end of a slow stop", async () => {
  const stage = new Stage();
  await stage.lead();
  const ran = stage.slowStop(3_000);
  stage.interpreter.interpret({ kind: "fence", op: 2, why: "the lease is over" });
  await settle();
  stage.posted.length = 0;
  const again = stage.lead();
  await assert.rejects(again, "it is not promoted yet");
  assert.deepEqual(ran, ["stop begins"]);
  await stage.clock.advance(3_000);
  assert.deepEqual(ran, ["stop begins", "stop ends", "start begins", "start ends"]);
  assert.deepEqual(stage.kinds, ["promoted"]);
});

Deno.test("a fence that is tried again pauses, and runs a stop command that succeeded only once", async () => {
  const stage = new Stage();
  stage.identity = null;
  let stops = 0;
  stage.command = () => {
    stops++;
    return stops === 1 ? Promise.reject(new Error("busy")) : Promise.resolve();
  };
  const boot = 1_000;
  for (let op = 1; op <= 4; op++) {
    stage.interpreter.interpret({ kind: "fence", op, why: "the agent starts" });
    await settle();
    assert.equal(stage.identified, op);
    assert.ok(!stage.kinds.includes("opFailed"), "not before the pause");
    await stage.clock.advance(boot);
    assert.ok(stage.kinds.includes("opFailed"));
    stage.posted.length = 0;
  }
  assert.equal(stops, 2, "the failed one is repeated, the other is not");
});
