import assert from "node:assert/strict";
import {
  afterCommand,
  confirmationAgeMsMax,
  confirmedAt,
  kernelLateMs,
  nextAnnouncementMs,
  noVirtualIp,
  renewalDue,
  standing,
  waitBeforeAddMs,
} from "./vip.ts";

const leadership = { confirmedAt: 10_000, leaseMs: 1_500 };
const idle = { renewedFor: 9_000, renewedAt: 9_000, underWay: false, addressMs: 2_000 };

Deno.test("waitBeforeAddMs() counts the old lease from the last word of the old leader", () => {
  const cases = [
    [0, false, 2_300],
    [300, false, 2_000],
    [2_299, false, 1],
    [2_300, false, 0],
    [60_000, false, 0],
    [null, false, 2_300],
    [0, true, 0],
    [null, true, 0],
  ] as const;
  for (const [oldLeaderSilentMs, released, expected] of cases) {
    assert.equal(waitBeforeAddMs({ oldLeaderSilentMs, released }, 2_000), expected);
  }
});

Deno.test("standing() is fresh, then aging, then over", () => {
  assert.equal(standing(leadership, 10_000), "fresh");
  assert.equal(standing(leadership, 10_000 + confirmationAgeMsMax), "fresh");
  assert.equal(standing(leadership, 10_001 + confirmationAgeMsMax), "aging");
  assert.equal(standing(leadership, 11_499), "aging");
  assert.equal(standing(leadership, 11_500), "over");
  assert.equal(standing({ confirmedAt: -Infinity, leaseMs: 1_500 }, 0), "over");
});

Deno.test("standing() of a leadership lease shorter than the freshness is over in time", () => {
  assert.equal(standing({ confirmedAt: 0, leaseMs: 200 }, 200), "over");
});

Deno.test("confirmedAt() is the sending of the round, and now where no lease is needed", () => {
  assert.equal(confirmedAt({ endAt: 11_500, leaseMs: 1_500 }, 10_700), 10_000);
  assert.equal(confirmedAt({ endAt: Infinity, leaseMs: 1_500 }, 10_700), 10_700);
  assert.equal(confirmedAt({ endAt: -Infinity, leaseMs: 1_500 }, 10_700), -Infinity);
});

Deno.test("renewalDue() wants a new and fresh word of the quorum, one command at a time", () => {
  assert.equal(renewalDue(idle, leadership, 10_010), true);
  assert.equal(renewalDue({ ...idle, underWay: true }, leadership, 10_010), false);
  assert.equal(renewalDue({ ...idle, renewedFor: 10_000 }, leadership, 10_010), false);
  assert.equal(renewalDue({ ...idle, renewedAt: 9_900 }, leadership, 10_010), false);
  assert.equal(renewalDue(idle, leadership, 10_001 + confirmationAgeMsMax), false);
  assert.equal(renewalDue(idle, leadership, 60_000), false);
});

Deno.test("no renewal outlives the wait of a winner by more than the age of its confirmation", () => {
  const addressMs = idle.addressMs;
  for (let now = 10_000; now < 14_000; now += 7) {
    if (!renewalDue(idle, leadership, now)) continue;
    // A follower heard the confirmed round not before it was sent, and wins at once.
    const addedAt = leadership.confirmedAt +
      waitBeforeAddMs({ oldLeaderSilentMs: 0, released: false }, addressMs);
    assert.ok(now + addressMs + kernelLateMs - addedAt <= confirmationAgeMsMax);
  }
});

Deno.test("afterCommand() removes what a late command brought back", () => {
  assert.equal(afterCommand({ wanted: true, standing: "fresh" }), "keep");
  assert.equal(afterCommand({ wanted: true, standing: "aging" }), "keep");
  assert.equal(afterCommand({ wanted: true, standing: "over" }), "remove");
  assert.equal(afterCommand({ wanted: false, standing: "fresh" }), "remove");
});

Deno.test("announcements are dense after a take-over and never stop", () => {
  const times = [0];
  for (let count = 0; count < 6; count++) {
    times.push((times.at(-1) ?? 0) + nextAnnouncementMs(count));
  }
  assert.deepEqual(times, [0, 200, 1_000, 3_000, 10_000, 40_000, 70_000]);
});

Deno.test("without a virtual address a take waits for the opening, and fails with it", async () => {
  const claim = { oldLeaderSilentMs: 0, released: false, signal: new AbortController().signal };
  await noVirtualIp.take({ ...claim, opened: Promise.resolve() });
  const opened = Promise.reject(new Error("no quorum"));
  await assert.rejects(noVirtualIp.take({ ...claim, opened }), /no quorum/);
  assert.equal(noVirtualIp.holds(), false);
});
