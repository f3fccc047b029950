import assert from "node:assert/strict";
import { shortStory, tell } from "./story.ts";
import { run } from "./world.ts";

/** How many seeds the gate runs; SEEDS=20000 for a long night. */
const seeds = readCount(Deno.env.get("SEEDS") ?? "400");
const batch = 100;

for (let from = 1; from <= seeds; from += batch) {
  const until = Math.min(from + batch - 1, seeds);
  Deno.test(`simulated clusters of seeds ${from} to ${until} keep all promises`, () => {
    for (let seed = from; seed <= until; seed++) {
      if (run(seed).violation !== null) assert.fail(shortStory(seed).join("\n"));
    }
  });
}

Deno.test("the same seed tells the same story", () => {
  const first = tell(11);
  const second = tell(11);
  assert.ok(first.trace.length > 1000);
  assert.deepEqual(first.trace, second.trace);
});

Deno.test("simulated clusters change leaders and acknowledge writes", () => {
  const results = Array.from({ length: 40 }, (_, index) => run(index + 1));
  const leaders = results.reduce((sum, result) => sum + result.leaders, 0);
  const acknowledged = results.reduce((sum, result) => sum + result.acknowledged, 0);
  assert.ok(leaders > 60, `only ${leaders} leaders in 40 runs`);
  assert.ok(acknowledged > 10_000, `only ${acknowledged} writes in 40 runs`);
});

/** Anything else would run no seed, and nobody would see it. */
function readCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new Error(`Cannot run SEEDS=${JSON.stringify(text)}: wanted is a positive whole number`);
}
