import assert from "node:assert/strict";
import { noRejoin, rejoinDue, type RejoinSeen, watchRejoin } from "./rejoin.ts";

const invalid = { role: "INVALID", leader: "c:1", jobRuns: false };

/** Seconds at which a rebuild begins, when the node looks like this at each second. */
function begun(looks: (second: number) => Omit<RejoinSeen, "at">, seconds: number): number[] {
  let memory = noRejoin;
  const found: number[] = [];
  for (let second = 0; second < seconds; second++) {
    const due = rejoinDue(memory, { at: 1_000 * second, ...looks(second) });
    memory = due.memory;
    if (due.begin) found.push(second);
  }
  return found;
}

Deno.test("rejoinDue() begins when the node stays INVALID, and less and less often without success", () => {
  assert.deepEqual(begun(() => invalid, 600), [5, 65, 185, 425]);
});

Deno.test("rejoinDue() waits for a leader, and while a job runs", () => {
  assert.deepEqual(begun(() => ({ ...invalid, leader: "" }), 100), []);
  assert.deepEqual(begun(() => ({ ...invalid, jobRuns: true }), 100), []);
  assert.deepEqual(begun((second) => ({ ...invalid, jobRuns: second < 10 }), 20), [15]);
});

Deno.test("rejoinDue() takes a node that was INVALID for a moment, and forgets one that is well", () => {
  assert.deepEqual(
    begun((second) => second % 4 === 3 ? { ...invalid, role: "CANDIDATE" } : invalid, 40),
    [],
  );
  const again = (second: number) => second === 30 ? { ...invalid, role: "FOLLOWER" } : invalid;
  assert.deepEqual(begun(again, 60), [5, 36]);
});

Deno.test("watchRejoin() begins by itself and stops when told", () => {
  let now = 0;
  let timer: (() => void) | null = null;
  let begins = 0;
  const stop = watchRejoin({
    clock: {
      now: () => now,
      after: (_ms, call) => {
        timer = call;
        return () => void (timer = null);
      },
    },
    log: { write: () => {} },
    look: () => invalid,
    begin: () => Promise.resolve(void begins++),
  });
  for (; now < 20_000; now += 1_000) (timer as (() => void) | null)?.();
  assert.equal(begins, 1);
  stop();
  assert.equal(timer, null);
});
