import assert from "node:assert/strict";
import { createClock } from "./clock.ts";

Deno.test("createClock() counts the time a host was suspended", () => {
  let awakeMs = 1000;
  let uptimeMs = 50_000;
  const clock = createClock({ monotonicMs: () => awakeMs, uptimeMs: () => uptimeMs });
  assert.equal(clock.nowMs(), 1000);
  awakeMs += 10;
  uptimeMs += 10;
  assert.equal(clock.nowMs(), 1010);
  awakeMs += 5;
  uptimeMs += 60_005;
  assert.equal(clock.nowMs(), 61_015);
  assert.equal(clock.suspendedMs(), 60_000);
  awakeMs += 1;
  uptimeMs += 1;
  assert.equal(clock.nowMs(), 61_016);
});

Deno.test("createClock() ignores the rounding of the uptime and never goes back", () => {
  let awakeMs = 0;
  let uptimeMs = 0;
  const clock = createClock({ monotonicMs: () => awakeMs, uptimeMs: () => uptimeMs });
  let lastMs = clock.nowMs();
  for (let round = 0; round < 1000; round++) {
    awakeMs += 3.3;
    uptimeMs = Math.floor(awakeMs / 10) * 10;
    const nowMs = clock.nowMs();
    assert.ok(nowMs >= lastMs);
    lastMs = nowMs;
  }
  assert.equal(clock.suspendedMs(), 0);
  assert.ok(Math.abs(lastMs - 3300) < 0.001);
});

Deno.test("createClock() works where no uptime can be read", () => {
  const clock = createClock({ monotonicMs: () => 42, uptimeMs: () => null });
  assert.equal(clock.nowMs(), 42);
  assert.equal(clock.suspendedMs(), 0);
});

Deno.test("createClock() of this host goes forward", () => {
  const clock = createClock();
  const firstMs = clock.nowMs();
  let laterMs = clock.nowMs();
  for (let round = 0; round < 100; round++) laterMs = clock.nowMs();
  assert.ok(laterMs > firstMs);
  assert.ok(laterMs - firstMs < 10_000);
});
