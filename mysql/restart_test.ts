import assert from "node:assert/strict";
import { noRestarts, noteStart, type RestartHistory, restartWaitMs } from "./restart.ts";

function startedTimes(count: number, at: number): RestartHistory {
  let history = noRestarts;
  for (let start = 0; start < count; start++) history = noteStart(history, at);
  return history;
}

Deno.test("restartWaitMs() starts a server at once that was never tried", () => {
  assert.equal(restartWaitMs(noRestarts, 12345), 0);
});

Deno.test("restartWaitMs() doubles from one second to one minute", () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 100].map((count) =>
    restartWaitMs(startedTimes(count, 0), 0)
  );
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000]);
});

Deno.test("restartWaitMs() counts the time that has passed since the start", () => {
  assert.equal(restartWaitMs(startedTimes(3, 10_000), 11_500), 2_500);
  assert.equal(restartWaitMs(startedTimes(3, 10_000), 14_000), 0);
});

Deno.test("a server that stayed up for a minute is started at once when it dies", () => {
  const history = startedTimes(9, 0);
  assert.equal(restartWaitMs(history, 60_000), 0);
  assert.equal(noteStart(history, 60_000).failures, 1);
  assert.equal(noteStart(history, 59_999).failures, 10);
});
