import assert from "node:assert/strict";
import { describeUse, type Sample, usesOf } from "./soak_use.ts";

function sample(minute: number, kb: number): Sample {
  const ticks = 60 * minute;
  return {
    id: "a:1",
    pid: 7,
    at: 60_000 * minute,
    statusText: `Name:\tdeno\nVmRSS:\t  ${kb} kB\n`,
    statText: `7 (a (b) c) S 1 7 7 0 -1 0 0 0 0 0 ${ticks} ${ticks} 0 0 20 0 9 0 42`,
  };
}

const minutes = Array.from({ length: 9 }, (_, minute) => minute);

Deno.test("usesOf() tells a steady agent from one that grows", () => {
  const [steady] = usesOf(minutes.map((minute) => sample(minute, minute === 0 ? 60_000 : 102_400)));
  assert.deepEqual(steady?.memoryMb, [100, 100, 100, 100]);
  assert.equal(steady?.grows, false);
  // 120 ticks a minute are 1.2 seconds of 60.
  assert.equal(
    describeUse(steady),
    "a:1: 8.0 minutes; by quarters 100, 100, 100, 100 MB and 2.0, 2.0, 2.0, 2.0 % of a core",
  );
  const [leaking] = usesOf(minutes.map((minute) => sample(minute, 50_000 + 10_000 * minute)));
  assert.equal(leaking?.grows, true);
});

Deno.test("usesOf() leaves out a process that lived too short to be judged", () => {
  assert.deepEqual(usesOf([sample(0, 1), sample(7, 1)]), []);
});
