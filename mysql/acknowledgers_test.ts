import assert from "node:assert/strict";
import { missingAcknowledgers } from "./acknowledgers.ts";

const enough: readonly (readonly [boolean, number, number])[] = [
  [true, 1, 1],
  [true, 3, 2],
  // Without semi-sync nothing waits.
  [false, 0, 1],
];

const tooFew: readonly (readonly [number, number, string])[] = [
  [
    0,
    1,
    "writes wait for 1 acknowledgement and 0 replicas are connected: bring a follower back first",
  ],
  [
    1,
    2,
    "writes wait for 2 acknowledgements and 1 replica is connected: bring a follower back first",
  ],
  [
    0,
    2,
    "writes wait for 2 acknowledgements and 0 replicas are connected: bring 2 followers back first",
  ],
];

Deno.test("missingAcknowledgers() is null where a commit does not wait", () => {
  for (const [enabled, clients, waitForCount] of enough) {
    assert.equal(missingAcknowledgers({ enabled, clients, waitForCount }), null);
  }
});

Deno.test("missingAcknowledgers() says how many are there, how many are needed, and what helps", () => {
  for (const [clients, waitForCount, because] of tooFew) {
    assert.equal(missingAcknowledgers({ enabled: true, clients, waitForCount }), because);
  }
});
