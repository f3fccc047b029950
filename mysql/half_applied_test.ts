import assert from "node:assert/strict";
import { endHalvesUntil } from "./half_applied.ts";

Deno.test("a half-received transaction that is read late does not hold a stop up", async () => {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  let looks = 0;
  await endHalvesUntil(stopped, () => {
    looks++;
    // The first look was too early as well.
    if (looks === 2) stop();
    return Promise.reject(new Error("it was killed with its connection"));
  });
  assert.equal(looks, 2);
});

Deno.test("a stop that is quick, or fails, is not helped", async () => {
  let looks = 0;
  const look = () => Promise.resolve(looks++);
  await endHalvesUntil(Promise.resolve(), look);
  await endHalvesUntil(Promise.reject(new Error("lost")), look);
  assert.equal(looks, 0);
});
