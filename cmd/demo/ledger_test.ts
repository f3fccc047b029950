import assert from "node:assert/strict";
import { bestClaim, type Claim } from "./locator.ts";
import { type Acknowledgement, longestGap, median, overlapMs, runsOf } from "./ledger.ts";

function acknowledgedAt(...times: readonly number[]): readonly Acknowledgement[] {
  return times.map((at, index) => ({ integer: index, sentAt: at, at, server: "a" }));
}

Deno.test("longestGap() counts from the last write before the window to its end", () => {
  const acknowledged = acknowledgedAt(10, 95, 400, 410);
  const { fromAt, untilAt, ms } = longestGap(acknowledged, { fromAt: 100, untilAt: 420 });
  assert.deepEqual({ fromAt, untilAt, ms }, { fromAt: 95, untilAt: 400, ms: 305 });
  assert.equal(longestGap(acknowledged, { fromAt: 100, untilAt: 900 }).ms, 490);
  assert.equal(longestGap([], { fromAt: 100, untilAt: 900 }).ms, 800);
});

Deno.test("overlapMs() counts only time in which at least two series run", () => {
  const series = (moments: readonly number[]) => runsOf(moments, 50);
  assert.equal(overlapMs([series([0, 20, 40]), series([60, 80])]), 0);
  assert.equal(overlapMs([series([0, 40, 80]), series([60, 100])]), 20);
  assert.equal(overlapMs([series([0, 40]), series([0, 40]), series([0, 40])]), 40);
  assert.deepEqual(series([0, 20, 200]), [{ fromAt: 0, untilAt: 20 }, {
    fromAt: 200,
    untilAt: 200,
  }]);
});

Deno.test("median() is the middle, or the mean of both middles", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 9, 2]), 3);
  assert.ok(Number.isNaN(median([])));
});

Deno.test("bestClaim() believes the highest term, then the node that speaks of itself", () => {
  const claim = (agent: string, leader: string, term: number): Claim => {
    return { agent, leader, term, mysql: `${leader}-mysql` };
  };
  assert.equal(bestClaim([]), null);
  assert.equal(bestClaim([claim("a", "a", 3), claim("b", "b", 4)])?.leader, "b");
  assert.equal(bestClaim([claim("c", "a", 0), claim("b", "b", 0)])?.leader, "b");
  assert.equal(
    bestClaim([claim("a", "a", 0), claim("b", "b", 0), claim("c", "b", 0)])?.leader,
    "b",
  );
});
