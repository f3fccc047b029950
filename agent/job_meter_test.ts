import assert from "node:assert/strict";
import { advance, type Meter, shown } from "./job_meter.ts";

const megabyte = 1_048_576;

/** Three megabytes every second. */
function steady(seconds: number): readonly number[] {
  return Array.from({ length: seconds + 1 }, (_, second) => 3 * megabyte * second);
}

/** Reports `bytes` every second. */
function fed(bytes: readonly number[], bytesTotal: number | null): Meter {
  let meter: Meter | null = null;
  bytes.forEach((bytesDone, second) => {
    meter = advance(meter, { bytesDone, bytesTotal }, 1_000 * second);
  });
  assert.ok(meter !== null);
  return meter;
}

Deno.test("advance() gives the rate of a steady copy and when it ends", () => {
  const meter = fed(steady(10), 100 * megabyte);
  assert.deepEqual(shown(meter, 30 * megabyte), {
    bytesDone: 30 * megabyte,
    bytesTotal: 100 * megabyte,
    bytesPerSecond: 3 * megabyte,
    etaSeconds: 24,
  });
});

Deno.test("advance() foretells no end out of the first seconds, nor out of a few bytes", () => {
  const idle = [0, 0, 0, 0, 0, 0, 0, 0];
  assert.equal(shown(fed([...idle, 1], megabyte), 1).etaSeconds, null, "it has just begun");
  const early = [...idle, ...steady(3).slice(1)];
  assert.equal(shown(fed(early, 100 * megabyte), 9 * megabyte).etaSeconds, null);
  const few = Array.from({ length: 20 }, (_, second) => second);
  assert.equal(shown(fed(few, megabyte), 19).etaSeconds, null, "19 bytes tell nothing");
  assert.equal(shown(fed([...idle, megabyte], megabyte), megabyte).etaSeconds, 0, "all is there");
});

Deno.test("advance() begins anew with another copy, and knows no end without a total", () => {
  const meter = fed([0, 500, 1_000, 10, 20, 30], null);
  assert.equal(shown(meter, 30).bytesPerSecond, 10);
  assert.equal(shown(meter, 30).etaSeconds, null);
});

Deno.test("advance() smooths a copy that stutters", () => {
  const { bytesPerSecond } = shown(fed([0, 100, 100, 300, 300, 500], 1_000), 500);
  assert.ok(bytesPerSecond > 60 && bytesPerSecond < 140, String(bytesPerSecond));
});
