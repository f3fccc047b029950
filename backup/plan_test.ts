import assert from "node:assert/strict";
import { phases } from "./memo.ts";
import { afterRestart, type PlanFacts, rebuildPlan, stepNames, wayBack } from "./plan.ts";

const facts: PlanFacts = {
  method: "clone",
  donor: "b:1",
  runs: true,
  oldData: ["/var/lib/mysql"],
  aside: ".xenon-old-1",
  prepares: false,
  member: true,
  keepOld: false,
};

Deno.test("rebuildPlan() has every step of the original in its order, whatever is not needed", () => {
  const bare = { ...facts, runs: false, oldData: [], member: false };
  for (const one of [facts, bare]) {
    assert.deepEqual(rebuildPlan(one).map(({ name }) => name), stepNames);
  }
  const notNeeded = rebuildPlan(bare).filter((step) => step.notNeeded !== null);
  assert.deepEqual(notNeeded.map(({ name }) => name), ["S6", "S8", "S15", "S17", "S18", "end"]);
});

Deno.test("rebuildPlan() takes nothing away before the new server is verified", () => {
  const names = rebuildPlan(facts).filter(({ destructive }) => destructive);
  assert.deepEqual(names.map(({ name }) => name), ["end"]);
  const kept = rebuildPlan({ ...facts, keepOld: true }).filter(({ destructive }) => destructive);
  assert.deepEqual(kept, []);
});

Deno.test("a rebuild is undone until the new server may have acknowledged something, then never", () => {
  assert.deepEqual(phases.map(wayBack), [
    "nothing",
    "rollBack",
    "rollBack",
    "rollBack",
    "rollBack",
    "rollBack",
    "none",
    "rollBack",
  ]);
});

Deno.test("the next agent rolls back an unfinished copy and goes on with a finished one", () => {
  assert.deepEqual(phases.map(afterRestart), [
    "nothing",
    "rollBack",
    "rollBack",
    "rollBack",
    "goOn",
    "goOn",
    "goOn",
    "rollBack",
  ]);
});
