import assert from "node:assert/strict";
import { plantedBugs } from "./planted.ts";
import { run } from "./world.ts";

for (const bug of plantedBugs) {
  Deno.test(`the simulator finds that ${bug.name}`, () => {
    for (let seed = 1; seed <= bug.seedsMax; seed++) {
      const { violation } = run(seed, bug.plant);
      if (violation === null) continue;
      assert.ok(bug.foundBy.includes(violation.checker), `seed ${seed}: ${violation.message}`);
      return;
    }
    assert.fail(`not found in ${bug.seedsMax} seeds`);
  });
}
