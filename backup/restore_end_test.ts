/** A restore whose agent was killed near its end, or on its way back. */
import assert from "node:assert/strict";
import { Place, task } from "./fake_restore.ts";
import { restore } from "./restore.ts";

Deno.test("a restore that had ended touches the server no more, whoever resumes it", async () => {
  using place = await new Place().describe();
  const first = task(place);
  await restore(place.options, first.job);
  place.write("new.ibd", "acknowledged");
  place.done.length = 0;
  const abort = new AbortController();
  for (const canceled of [false, true]) {
    if (canceled) abort.abort(new Error("An operator canceled the job"));
    const next = task(place, { resumed: true, memo: first.memos.at(-1), signal: abort.signal });
    assert.equal(await restore(place.options, next.job), "completed OK!");
    assert.deepEqual(place.done, []);
    assert.ok(place.names().includes("new.ibd"));
  }
});

Deno.test("a restore that is resumed on a member of a cluster leaves it alone", async () => {
  using place = await new Place().describe();
  const first = task(place);
  await restore(place.options, first.job);
  place.done.length = 0;
  // The journal of an agent that could not write the end, or of an earlier version.
  const memo = { ...(first.memos.at(-1) as object), phase: "placing" };
  place.survey = { member: true };
  const next = task(place, { resumed: true, memo });
  assert.equal(await restore(place.options, next.job), "completed OK!");
  assert.deepEqual(place.done, []);
  assert.equal(next.apart.at(-1), null);
});

Deno.test("an agent that is killed while a restore is undone leaves the next one only the way back", async () => {
  using place = await new Place().describe();
  place.startServer = () => Promise.reject(new Error("no memory"));
  const first = task(place);
  const { options } = place;
  const killed = () => Promise.reject(new Error("the agent was killed"));
  const dying = { ...options, folders: { ...options.folders, removeTree: killed } };
  await assert.rejects(restore(dying, first.job), /killed/);
  place.startServer = () => Promise.resolve();
  place.done.length = 0;
  const next = task(place, { resumed: true, memo: first.memos.at(-1) });
  await assert.rejects(restore(options, next.job), /as empty as before/);
  assert.deepEqual(place.names(), []);
  assert.ok(!place.done.includes("start"));
  assert.equal(next.apart.at(-1), null);
});
