import assert from "node:assert/strict";
import type { Clock } from "../ports.ts";
import { createClock } from "./clock.ts";

Deno.test("createClock() counts the time a host was suspended", () => {
  let awakeMs = 1000;
  let uptimeMs = 50_000;
  const clock = createClock({ monotonicMs: () => awakeMs, uptimeMs: () => uptimeMs });
  assert.equal(clock.now(), 1000);
  awakeMs += 10;
  uptimeMs += 10;
  assert.equal(clock.now(), 1010);
  awakeMs += 5;
  uptimeMs += 60_005;
  assert.equal(clock.now(), 61_015);
  assert.equal(clock.suspendedMs(), 60_000);
  awakeMs += 1;
  uptimeMs += 1;
  assert.equal(clock.now(), 61_016);
});

Deno.test("createClock() ignores the rounding of the uptime and never goes back", () => {
  let awakeMs = 0;
  let uptimeMs = 0;
  const clock = createClock({ monotonicMs: () => awakeMs, uptimeMs: () => uptimeMs });
  let lastMs = clock.now();
  for (let round = 0; round < 1000; round++) {
    awakeMs += 3.3;
    uptimeMs = Math.floor(awakeMs / 10) * 10;
    const nowMs = clock.now();
    assert.ok(nowMs >= lastMs);
    lastMs = nowMs;
  }
  assert.equal(clock.suspendedMs(), 0);
  assert.ok(Math.abs(lastMs - 3300) < 0.001);
});

Deno.test("createClock() works where no uptime can be read", () => {
  const clock = createClock({ monotonicMs: () => 42, uptimeMs: () => null });
  assert.equal(clock.now(), 42);
  assert.equal(clock.suspendedMs(), 0);
});

Deno.test("createClock() of this host goes forward", () => {
  const clock = createClock();
  const firstMs = clock.now();
  let laterMs = clock.now();
  for (let round = 0; round < 100; round++) laterMs = clock.now();
  assert.ok(laterMs > firstMs);
  assert.ok(laterMs - firstMs < 10_000);
});

Deno.test("after() calls back once, and not at all when it was cancelled", async () => {
  const clock: Clock = createClock();
  const called: string[] = [];
  const done = Promise.withResolvers<void>();
  const cancel = clock.after(1, () => called.push("cancelled"));
  cancel();
  clock.after(2, () => {
    called.push("kept");
    done.resolve();
  });
  await done.promise;
  cancel();
  assert.deepEqual(called, ["kept"]);
});
