import assert from "node:assert/strict";
import type { CopyControl, CopyWish } from "./copy_method.ts";
import { type Copying, EarlyCopy, untilReady } from "./early_copy.ts";

const wish: CopyWish = {
  donor: { id: "b:1", mysql: { host: "b", port: 3306 }, version: "8.0.36", dataBytes: null },
  target: "/data/copy",
  workFolder: "/data/work",
  owner: { uid: 1, gid: 1 },
  limits: { parallel: 1, iopsMax: 1, useMemory: "1GB" },
};
const copied = { gtids: null, bytes: 7 };
const never = new Promise<void>(() => {});

function follower(lines: string[] = [], signal = new AbortController().signal): CopyControl {
  return { say: (line) => void lines.push(line), progress: () => {}, signal };
}

Deno.test("a copy that was begun waits for its donor, and its last word is heard by who follows", async () => {
  const ready = Promise.withResolvers<void>();
  const copying: Copying = async ({ donorReady }, { say, signal }) => {
    say("first");
    say("waiting");
    await untilReady(donorReady, signal);
    say("copying");
    return copied;
  };
  const early = new EarlyCopy(copying);
  const { signal } = new AbortController();
  early.begin(wish, { donorReady: ready.promise, signal });
  const lines: string[] = [];
  const following = early.follow(wish, follower(lines));
  assert.deepEqual(lines, ["waiting"]);
  ready.resolve();
  assert.equal(await following, copied);
  assert.deepEqual(lines, ["waiting", "copying"]);
});

Deno.test("a copy that nobody began is begun by who follows it", async () => {
  const early = new EarlyCopy(async ({ donorReady }) => {
    await donorReady;
    return copied;
  });
  assert.equal(await early.follow(wish, follower()), copied);
});

Deno.test("a copy that fails before anybody follows it tells its reason then", async () => {
  const early = new EarlyCopy(() => Promise.reject(new Error("no way to b:1")));
  const { signal } = new AbortController();
  early.begin(wish, { donorReady: never, signal }).catch(() => {});
  await new Promise((resolve) => setImmediate(resolve));
  await assert.rejects(early.follow(wish, follower()), /no way to b:1/);
});

Deno.test("end() waits for what the copy cleans up, and is nothing where none was begun", async () => {
  let cleaned = false;
  const early = new EarlyCopy(async ({ donorReady }, { signal }) => {
    try {
      await untilReady(donorReady, signal);
    } finally {
      await new Promise((resolve) => setImmediate(resolve));
      cleaned = true;
    }
    return copied;
  });
  await new EarlyCopy(() => Promise.resolve(copied)).end();
  const { signal } = new AbortController();
  early.begin(wish, { donorReady: never, signal });
  await early.end();
  assert.equal(cleaned, true);
});

Deno.test("a cancel ends the copy, also one that came before it began", async () => {
  for (const when of ["before", "after"]) {
    const cancel = new AbortController();
    if (when === "before") cancel.abort(new Error("canceled"));
    const early = new EarlyCopy(async ({ donorReady }, { signal }) => {
      await untilReady(donorReady, signal);
      return copied;
    });
    const running = early.begin(wish, { donorReady: never, signal: cancel.signal });
    cancel.abort(new Error("canceled"));
    await assert.rejects(running, /canceled/, when);
  }
});
