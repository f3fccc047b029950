import assert from "node:assert/strict";
import { advance, type Meter, shown } from "./job_meter.ts";

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
  const meter = fed([0, 100, 200, 300], 1_000);
  assert.deepEqual(shown(meter, 300), {
    bytesDone: 300,
    bytesTotal: 1_000,
    bytesPerSecond: 100,
    etaSeconds: 7,
  });
});

Deno.test("advance() begins anew with another copy, and knows no end without a total", () => {
  const meter = fed([0, 500, 1_000, 10, 20], null);
  assert.equal(shown(meter, 20).bytesPerSecond, 10);
  assert.equal(shown(meter, 20).etaSeconds, null);
});

Deno.test("advance() smooths a copy that stutters", () => {
  const { bytesPerSecond } = shown(fed([0, 100, 100, 300, 300, 500], 1_000), 500);
  assert.ok(bytesPerSecond > 60 && bytesPerSecond < 140, String(bytesPerSecond));
});
