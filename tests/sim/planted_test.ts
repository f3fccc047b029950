import assert from "node:assert/strict";
import { type PlantedBug, plantedBugs } from "./planted.ts";
import { plantedRules } from "./planted_rules.ts";
import { plantedTime } from "./planted_time.ts";
import { run } from "./world.ts";

for (const bug of [...plantedBugs, ...plantedRules, ...plantedTime]) {
  Deno.test(`the simulator finds the planted bug: ${bug.name}`, () => {
    for (let seed = 1; seed <= bug.seedsMax; seed++) {
      const { violation } = run(seed, bug.plant);
      if (violation === null) continue;
      assert.ok(bug.foundBy.includes(violation.checker), `seed ${seed}: ${violation.message}`);
      assert.equal(unplanted(bug, seed), null, "the same faults break the sound program too");
      return;
    }
    assert.fail(`not found in ${bug.seedsMax} seeds`);
  });
}

/** The same seed and faults without the bug. */
function unplanted(bug: PlantedBug, seed: number): string | null {
  const { aim, forgetful, shape } = bug.plant;
  const { violation } = run(seed, {
    ...(aim ? { aim } : {}),
    ...(forgetful ? { forgetful } : {}),
    ...(shape ? { shape } : {}),
  });
  return violation?.message ?? null;
}
