import assert from "node:assert/strict";
import { createSlots } from "./slots.ts";

Deno.test("createSlots() is full in all and by key, and gives places back once", () => {
  const slots = createSlots({ max: 3, perKeyMax: 2 });
  const first = slots.take("a");
  const second = slots.take("a");
  assert.ok(first !== null && second !== null);
  assert.equal(slots.take("a"), null);
  assert.ok(slots.take("b") !== null);
  assert.equal(slots.take("c"), null);
  first();
  first();
  assert.ok(slots.take("c") !== null);
  assert.equal(slots.take("c"), null);
  second();
  assert.ok(slots.take("c") !== null);
});
