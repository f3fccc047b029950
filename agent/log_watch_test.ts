import assert from "node:assert/strict";
import { followerFacts } from "../mysql/fake_server.ts";
import { isStuck, type LogMemory, lookedSince, watchLog } from "./log_watch.ts";

const held = (binlogHeld: string | null, waitSessions = 0) => ({
  binlogHeld,
  semiSyncSource: { ...followerFacts.semiSyncSource, waitSessions },
});

Deno.test("a binary log that is held counts as stuck only while nothing is written to it", () => {
  const first = watchLog(null, held("100"), 1_000);
  assert.deepEqual(first, { since: 1_000, written: "100", waiting: false });
  assert.equal(watchLog(first, held("100"), 1_900), first, "a full disk");
  const grown = watchLog(first, held("900"), 2_000);
  assert.deepEqual(grown, { since: 2_000, written: "900", waiting: false }, "a large commit");
  assert.equal(watchLog(grown, held(null), 2_100), null);
});

Deno.test("a rotation that waits for commits without an acknowledgement is no stuck binary log", () => {
  const first = watchLog(null, held("100", 1), 1_000);
  assert.equal(watchLog(first, held("100", 1), 9_000), first);
  assert.ok(!isStuck(first, 60_000, 1_000));
  // A full disk that holds back all new commits is seen once the older ones were acknowledged.
  const alone = watchLog(first, held("100"), 10_000);
  assert.equal(watchLog(alone, held("100"), 11_000), alone);
  assert.ok(!isStuck(alone, 10_900, 1_000) && isStuck(alone, 11_000, 1_000));
});

Deno.test("a full disk that holds back the commit after a lost acknowledgement is seen in a minute", () => {
  const waiting = watchLog(null, held("100", 1), 1_000);
  assert.ok(!isStuck(waiting, 60_900, 1_000) && isStuck(waiting, 61_000, 1_000));
});

Deno.test("how long a binary log was held counts as a slow look once it moved", () => {
  const before = { since: 1_000, written: "100", waiting: false };
  assert.equal(lookedSince(null, null, 1_900), 1_900, "an ordinary look");
  assert.equal(lookedSince(before, null, 1_000), Infinity, "it is held");
  assert.equal(lookedSince(before, before, 1_300), Infinity, "it is held on");
  assert.equal(
    lookedSince({ since: 1_600, written: "900", waiting: false }, before, 1_600),
    1_000,
    "it grew",
  );
  assert.equal(lookedSince(null, before, 1_900), 1_000, "it is free again");
  const behind: LogMemory = { ...before, waiting: true };
  assert.equal(lookedSince(behind, behind, 1_900), 1_900, "what waits for others is not slow");
  assert.equal(lookedSince(null, behind, 1_900), 1_900, "nor was it");
});
