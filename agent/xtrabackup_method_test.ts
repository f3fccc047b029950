import assert from "node:assert/strict";
import type { CopyControl, CopyWish } from "../backup/copy_method.ts";
import type { Peers } from "./ports.ts";
import { Sender, type SenderTools } from "./sender.ts";
import { RpcError } from "./wire_rpc.ts";
import { createXtrabackupMethod, type ReceiverTools } from "./xtrabackup_method.ts";

const wish: CopyWish = {
  donor: {
    id: "donor:8801",
    mysql: { host: "donor", port: 3306 },
    version: "8.0.36",
    dataBytes: 1_000,
  },
  target: "/data/copy",
  workFolder: "/data/work",
  owner: { uid: 1, gid: 1 },
  limits: { parallel: 2, iopsMax: 100, useMemory: "1GB" },
};
const copied = { gtids: "", bytes: 900 };

/** Time passes when somebody waits for it. */
class PatientClock {
  #now = 0;
  #timers: { readonly at: number; readonly call: () => void }[] = [];

  now = () => this.#now;
  after = (ms: number, call: () => void) => {
    const timer = { at: this.#now + ms, call };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((one) => one !== timer));
  };

  /** Runs the next timer, once everything else has come to rest. */
  async pass(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    const [next] = this.#timers.toSorted((left, right) => left.at - right.at);
    if (next === undefined) return;
    this.#timers = this.#timers.filter((one) => one !== next);
    this.#now = next.at;
    next.call();
  }
}

interface Stage {
  readonly sender?: Partial<SenderTools>;
  readonly receiver?: Partial<ReceiverTools>;
  /** True while nobody answers. */
  readonly away?: () => boolean;
  /** True while calls are taken and not answered. */
  readonly frozen?: () => boolean;
}

/** A donor and a joiner that meet in memory. */
function open(stage: Stage) {
  const { sender = {}, receiver = {}, away = () => false, frozen = () => false } = stage;
  const clock = new PatientClock();
  const donor = new Sender({
    clock,
    log: { write: () => {} },
    tools: {
      check: () => Promise.resolve({ problems: [], toolVersion: "8.0.35-31" }),
      send: (_, { signal }) => untilAborted(signal),
      ...sender,
    },
  });
  const ended: string[] = [];
  const peers: Peers = {
    call: async (_, { method, params }, { deadlineMs, signal }) => {
      if (frozen()) await silence(clock, deadlineMs, signal);
      if (frozen() || away()) return { failed: { kind: "timeout", because: "no answer" } };
      const context = {
        from: null,
        cluster: null,
        remote: "",
        signal: new AbortController().signal,
      };
      try {
        const run = donor.methods()[method];
        assert.ok(run !== undefined, method);
        return { ok: await run(params, context) };
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        return { failed: { kind: "rpc", because: error.message } };
      }
    },
  };
  const method = createXtrabackupMethod({
    peers,
    clock,
    destination: { user: "mysql", host: "joiner", port: 22, toolFolder: "/usr/bin" },
    newId: () => "one",
    tools: {
      version: () => Promise.resolve("8.0.35-31"),
      makeTarget: () => Promise.resolve(),
      endReceivers: (target) => Promise.resolve(void ended.push(target)),
      judge: () => Promise.resolve(copied),
      prepare: () => Promise.resolve(),
      ...receiver,
    },
  });
  return { clock, donor, method, ended };
}

function silence(clock: PatientClock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stop = clock.after(ms, resolve);
    signal?.addEventListener("abort", () => {
      stop();
      resolve();
    });
  });
}

function untilAborted(signal: AbortSignal): ReturnType<SenderTools["send"]> {
  const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<SenderTools["send"]>>>();
  const abort = () => resolve({ because: "it was canceled", bytes: 0 });
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  return promise;
}

function control(change: Partial<CopyControl> = {}): CopyControl {
  const { signal } = new AbortController();
  return { progress: () => {}, say: () => {}, signal, ...change };
}

/** Lets time pass until the promise is settled. */
async function settled<T>(clock: PatientClock, promise: Promise<T>): Promise<T> {
  let over = false;
  const ends = promise.finally(() => over = true);
  ends.catch(() => {});
  for (let turn = 0; !over && turn < 1_000; turn++) await clock.pass();
  return await ends;
}

Deno.test("check() lists what both hosts lack, and a tool of another series", async () => {
  const { method } = open({
    sender: { check: () => Promise.resolve({ problems: ["no way"], toolVersion: "2.4.29" }) },
    receiver: { version: () => Promise.resolve(null) },
  });
  const problems = await method.check(wish, control());
  assert.equal(problems.length, 3);
  assert.match(problems[0] ?? "", /bindir of this host: install Percona XtraBackup/);
  assert.equal(problems[1], "donor donor:8801: no way");
  assert.match(problems[2] ?? "", /install Percona XtraBackup 8\.0/);
});

Deno.test("check() is content with two hosts that have what is needed", async () => {
  assert.deepEqual(await open({}).method.check(wish, control()), []);
});

Deno.test("copy() follows the donor and judges what came", async () => {
  const bytes: number[] = [];
  const sent = Promise.withResolvers<void>();
  const { method, clock } = open({
    sender: {
      send: async (_, { onBytes }) => {
        await Promise.resolve();
        onBytes(400);
        await sent.promise;
        return { because: null, bytes: 950 };
      },
    },
  });
  const progress = ({ bytesDone }: { readonly bytesDone: number }) => {
    bytes.push(bytesDone);
    sent.resolve();
  };
  assert.equal(await settled(clock, method.copy(wish, control({ progress }))), copied);
  assert.deepEqual([bytes[0], bytes.at(-1)], [400, 950]);
});

Deno.test("a copy that was begun is sent once the donor is ready, and no rebuild waits for it in vain", async () => {
  const ready = Promise.withResolvers<void>();
  const { method, clock, donor, ended } = open({});
  const { signal } = new AbortController();
  method.begin?.(wish, { donorReady: ready.promise, signal });
  await clock.pass();
  assert.equal(donor.busy, false);
  ready.resolve();
  await clock.pass();
  assert.equal(donor.busy, true);
  await settled(clock, method.abandon?.(wish) ?? Promise.reject(new Error("it cannot")));
  assert.equal(donor.busy, false);
  assert.deepEqual(new Set(ended), new Set([wish.target]));
  await assert.rejects(method.copy(wish, control()), /abort/i);
});

Deno.test("copy() tells the donor's reason and ends what still unpacks", async () => {
  const { method, clock, ended } = open({
    sender: { send: () => Promise.resolve({ because: "the disk of joiner is full", bytes: 3 }) },
  });
  const copying = settled(clock, method.copy(wish, control()));
  await assert.rejects(copying, /The copy failed as the disk of joiner is full/);
  assert.deepEqual(ended, [wish.target]);
});

Deno.test("copy() that is canceled stops the donor", async () => {
  const cancel = new AbortController();
  const { method, clock, donor, ended } = open({});
  const progress = () => cancel.abort(new Error("canceled"));
  const copying = settled(clock, method.copy(wish, control({ signal: cancel.signal, progress })));
  await assert.rejects(copying, /canceled/);
  assert.equal(donor.busy, false);
  assert.deepEqual(ended, [wish.target]);
});

Deno.test("copy() that is canceled while the donor's agent is frozen waits a second for it", async () => {
  const cancel = new AbortController();
  let endedAt = 0;
  const endReceivers = () => Promise.resolve(void (endedAt = clock.now()));
  const { method, clock } = open({
    frozen: () => clock.now() > 1_000,
    receiver: { endReceivers },
  });
  clock.after(2_000, () => cancel.abort(new Error("canceled")));
  const copying = settled(clock, method.copy(wish, control({ signal: cancel.signal })));
  await assert.rejects(copying, /canceled/);
  assert.equal(endedAt, 3_000);
});

Deno.test("copy() outlives a short silence of the donor's agent, and gives up after a long one", async () => {
  for (const [silentMs, outcome] of [[5_000, "done"], [60_000, "lost"]] as const) {
    const sent = Promise.withResolvers<void>();
    const { method, clock } = open({
      away: () => clock.now() > 1_000 && clock.now() < silentMs,
      sender: {
        send: async () => {
          await sent.promise;
          return { because: null, bytes: 1 };
        },
      },
    });
    clock.after(silentMs, sent.resolve);
    const copying = settled(clock, method.copy(wish, control()));
    if (outcome === "done") assert.equal(await copying, copied);
    else await assert.rejects(copying, /the donor's agent donor:8801 does not answer any more/);
  }
});

Deno.test("a donor ends a copy that nobody asks about", async () => {
  const { clock, donor } = open({});
  const destination = { user: "mysql", host: "joiner", port: 22, toolFolder: "/usr/bin" };
  const params = { id: "x", destination, target: "/data/copy", parallel: 1, throttle: 1 };
  const context = { from: null, cluster: null, remote: "", signal: AbortSignal.abort() };
  await donor.methods()["backup.send"]?.(params, context);
  assert.equal(donor.busy, true);
  for (let turn = 0; turn < 3; turn++) await clock.pass();
  assert.equal(donor.busy, false);
});

Deno.test("a donor sends one copy at a time", async () => {
  const { donor, method } = open({});
  const destination = { user: "mysql", host: "joiner", port: 22, toolFolder: "/usr/bin" };
  const params = { id: "x", destination, target: "/data/copy", parallel: 1, throttle: 1 };
  const context = { from: null, cluster: null, remote: "", signal: AbortSignal.abort() };
  await donor.methods()["backup.send"]?.(params, context);
  const problems = await method.check(wish, control());
  assert.deepEqual(problems, [
    "donor donor:8801: the donor sends a copy to another host: wait until it is done",
  ]);
  await assert.rejects(method.copy(wish, control()), /goes to another host already/);
  await donor[Symbol.asyncDispose]();
  assert.equal(donor.busy, false);
});
