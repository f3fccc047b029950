import assert from "node:assert/strict";
import type { Json } from "./durable.ts";
import { type JobFiles, JobJournal } from "./job_journal.ts";
import { type JobKind, Jobs, type JobTask } from "./jobs.ts";
import { decodeJobPage, jobLinesMax } from "./wire_jobs.ts";

/** A disk that keeps its files when the agent ends. */
function memoryFiles(): JobFiles & { readonly texts: Map<string, string> } {
  const texts = new Map<string, string>();
  return {
    texts,
    read: (_call, path) => Promise.resolve(texts.get(path) ?? null),
    writeDurably: (_call, path, text) => Promise.resolve(void texts.set(path, text)),
    list: (_call, folder) =>
      Promise.resolve(
        [...texts.keys()].filter((path) => path.startsWith(`${folder}/`))
          .map((path) => path.slice(folder.length + 1)),
      ),
    remove: (_call, path) => Promise.resolve(void texts.delete(path)),
  };
}

interface Stage {
  readonly files?: JobFiles;
  readonly run: JobKind["run"];
}

function openJobs({ files = memoryFiles(), run }: Stage): Promise<Jobs> {
  const kind: JobKind = { accept: (wish) => wish as Json, run };
  return Jobs.open({
    journal: new JobJournal(files, "/state"),
    clock: { now: () => 0, after: () => () => {} },
    log: { write: () => {} },
    date: () => "2026-01-01T00:00:00",
    kinds: { copy: kind, rebuild: kind },
  });
}

/** Waits until the newest job has ended. */
async function ended(jobs: Jobs) {
  while (jobs.current !== null) await Promise.resolve();
  return jobs.read(null, 0);
}

/** Rejects as soon as the job is interrupted. */
function untilInterrupted({ signal }: JobTask): Promise<string> {
  return new Promise((_, reject) => {
    const fail = () => reject(signal.reason as Error);
    if (signal.aborted) fail();
    signal.addEventListener("abort", fail, { once: true });
  });
}

Deno.test("a job runs to its end and tells its lines, its step and its last sentence", async () => {
  const jobs = await openJobs({
    run: async (task) => {
      assert.deepEqual(task.wish, { to: "here" });
      task.say("S1 begins");
      await task.remember({ step: "S1", memo: null });
      return "completed OK!";
    },
  });
  assert.equal(await jobs.submit("copy", { to: "here" }), 1);
  const page = await ended(jobs);
  assert.deepEqual(page.lines, ["S1 begins", "completed OK!"]);
  const { state, step, sentence } = page.job;
  assert.deepEqual({ state, step, sentence }, {
    state: "done",
    step: "S1",
    sentence: "completed OK!",
  });
  assert.deepEqual(jobs.read(1, 1).lines, ["completed OK!"]);
});

Deno.test("a second job is refused while one runs, and nothing of it is written", async () => {
  const files = memoryFiles();
  const jobs = await openJobs({ files, run: untilInterrupted });
  await jobs.submit("copy", {});
  await assert.rejects(jobs.submit("copy", {}), /as job 1 \(copy\) runs/);
  assert.equal(files.texts.size, 1);
  jobs.cancel(1);
  await ended(jobs);
});

Deno.test("a canceled job says so, and its end is in the journal", async () => {
  const files = memoryFiles();
  const jobs = await openJobs({ files, run: untilInterrupted });
  await jobs.submit("copy", {});
  assert.equal(jobs.cancel(null), 1);
  assert.equal(jobs.current?.word, "CANCELED");
  assert.equal((await ended(jobs)).job.state, "canceled");
  assert.throws(() => jobs.cancel(1), /is canceled already/);
  const again = await openJobs({ files, run: untilInterrupted });
  assert.equal(again.list()[0]?.state, "canceled");
});

Deno.test("the next agent goes on with what the job remembered last", async () => {
  const files = memoryFiles();
  const first = await openJobs({
    files,
    run: async (task) => {
      await task.remember({ step: "S8", memo: { moved: "/aside" }, apart: "job 1 rebuilds it" });
      return await untilInterrupted(task);
    },
  });
  await first.submit("copy", { from: "b" });
  while (first.current?.step !== "S8") {
    await Promise.resolve();
  }
  await first.stop();
  assert.equal(first.current?.state, "running", "it stays in the journal as running");
  const seen: unknown[] = [];
  const second = await openJobs({
    files,
    run: (task) => {
      seen.push(task.resumed, task.memo, task.wish);
      return Promise.resolve("put back");
    },
  });
  await assert.rejects(second.submit("copy", {}), /as job 1/, "also before it was resumed");
  assert.equal(second.view.apart, "job 1 rebuilds it", "the server is not touched meanwhile");
  second.resume();
  assert.equal((await ended(second)).job.sentence, "put back");
  assert.equal(second.view.apart, null);
  assert.deepEqual(seen, [true, { moved: "/aside" }, { from: "b" }]);
});

Deno.test("a failure is the job's sentence and the node's last error", async () => {
  const jobs = await openJobs({ run: () => Promise.reject(new Error("Cannot copy as it rains")) });
  await jobs.submit("copy", {});
  const page = await ended(jobs);
  assert.equal(page.job.state, "failed");
  assert.equal(jobs.view.lastError, "Cannot copy as it rains");
});

Deno.test("a failure that is longer than a line can still be read by commands", async () => {
  const jobs = await openJobs({ run: () => Promise.reject(new Error("very ".repeat(1_000))) });
  await jobs.submit("copy", {});
  const { job, lines } = decodeJobPage(await ended(jobs));
  assert.equal(job.sentence, lines.at(-1));
});

Deno.test("a talkative job keeps its newest lines and their numbers", async () => {
  const jobs = await openJobs({
    run: (task) => {
      for (let line = 0; line < jobLinesMax + 10; line++) task.say(`line ${line}`);
      return Promise.resolve("end");
    },
  });
  await jobs.submit("copy", {});
  await ended(jobs);
  const page = jobs.read(null, 0);
  assert.deepEqual([page.from, page.lines.length, page.lines[0]], [11, jobLinesMax, "line 11"]);
  assert.deepEqual(jobs.read(null, jobLinesMax + 10).lines, ["end"]);
});

Deno.test("a damaged journal stops the agent, as it may name moved data", async () => {
  const files = memoryFiles();
  files.texts.set("/state/job-1.json", "{}");
  await assert.rejects(openJobs({ files, run: untilInterrupted }), /moved aside/);
});

Deno.test("a job that cannot undo what it began keeps the server apart until a later agent has undone it", async () => {
  const files = memoryFiles();
  const apart = "job 1 rebuilds it";
  const first = await openJobs({
    files,
    run: async (task) => {
      await task.remember({ step: "S9", memo: "aside", apart });
      throw new Error("The old data could not be put back");
    },
  });
  await first.submit("copy", {});
  assert.equal((await ended(first)).job.state, "failed");
  assert.equal(first.view.apart, apart);
  assert.match(first.view.holds ?? "", /^job 1 \(copy\) could not be undone.*restart the agent$/);
  await assert.rejects(first.submit("copy", {}), /job 1 \(copy\) could not be undone/);
  const second = await openJobs({
    files,
    run: async (task) => {
      assert.deepEqual([task.resumed, task.memo], [true, "aside"]);
      await task.remember({ step: "undo", memo: null, apart: null });
      throw new Error("It is back");
    },
  });
  assert.equal(second.view.apart, apart);
  second.resume();
  assert.equal((await ended(second)).job.sentence, "It is back");
  assert.equal(second.view.apart, null);
  const third = await openJobs({ files, run: () => Promise.reject(new Error("Never called")) });
  third.resume();
  assert.equal(third.current, null);
});

Deno.test("a rebuild has the server from its first check to its end, a dry run never", async () => {
  const jobs = await openJobs({ run: untilInterrupted });
  await jobs.submit("rebuild", { dryRun: true });
  assert.equal(jobs.view.holds, null);
  jobs.cancel(null);
  await ended(jobs);
  await jobs.submit("rebuild", {});
  assert.match(jobs.view.holds ?? "", /^job 2 \(rebuild\).*jobs follow 2".*jobs cancel 2"$/);
  jobs.cancel(null);
  await ended(jobs);
  assert.equal(jobs.view.holds, null);
});

Deno.test("a dry run that found something is not the node's last error", async () => {
  const jobs = await openJobs({ run: () => Promise.reject(new Error("Cannot copy as it rains")) });
  await jobs.submit("copy", { dryRun: true });
  assert.equal((await ended(jobs)).job.state, "failed");
  assert.equal(jobs.view.lastError, "");
});
