import assert from "node:assert/strict";
import type { JobSummary } from "../agent/wire_jobs.ts";
import { createFakeScreen } from "./fake_screen.ts";
import { createFakeWorld } from "./fake_world.ts";
import { progressLine } from "./job_lines.ts";
import { followJob, submitJob } from "./jobs.ts";
import type { Answer, Cluster, Programs, Question } from "./ports.ts";

const running: JobSummary = {
  number: 7,
  kind: "rebuild",
  state: "running",
  step: "S9",
  word: "BACKUPING",
  startedAt: "2026-07-31 15:58:00",
  endedAt: null,
  sentence: "copying",
  progress: {
    bytesDone: 500_000_000,
    bytesTotal: 2_000_000_000,
    bytesPerSecond: 100_000_000,
    etaSeconds: 15,
  },
};

/** An agent whose job says these lines, a few more at every question, and then ends. */
function agentWith(lines: readonly string[], end: Partial<JobSummary>) {
  let told = 0;
  const asked: Question[] = [];
  const cluster: Cluster = {
    local: "a:1",
    seeds: [],
    call: (_endpoint, question): Promise<Answer> => {
      asked.push(question);
      if (question.method === "jobs.submit") {
        return Promise.resolve({ kind: "answered", result: { number: 7 } });
      }
      // A restart of the agent: it is silent once.
      if (asked.length === 3) return Promise.resolve({ kind: "silent", because: "refused" });
      const { from } = question.params as { from: number };
      told = Math.min(lines.length, told + 2);
      const job = told < lines.length ? running : { ...running, ...end };
      return Promise.resolve({
        kind: "answered",
        result: { job, from, lines: lines.slice(from, told) },
      });
    },
  };
  return { cluster, asked };
}

function stage(waits?: number) {
  const screen = createFakeScreen(waits);
  const world = createFakeWorld();
  const programs = { openScreen: () => Promise.resolve(screen) } as unknown as Programs;
  return { screen, around: { world, programs } };
}

const lines = ["S1 a leads", "S2 the donor is b", "S9 copying", "S18 in step", "completed OK!"];

Deno.test("submitJob() shows every line once, and the progress between them", async () => {
  const { cluster, asked } = agentWith(lines, { state: "done", progress: null });
  const { screen, around } = stage();
  const job = { kind: "rebuild", wish: { from: null } };
  const outcome = await submitJob(cluster, job, { around, deadlineMs: 1_000 });
  assert.deepEqual(screen.shown.filter((line) => !line.startsWith("~")), lines);
  assert.equal(screen.shown[2], "~S9 500 MB of 2.0 GB (25%), 100 MB/s, 15 s left");
  assert.deepEqual(outcome, { code: 0, stdout: "", stderr: "" });
  assert.deepEqual(asked[0]?.params, job);
});

Deno.test("followJob() of a job that failed exits with its reason, and says it once", async () => {
  const sentence = "Cannot copy b: it is gone";
  const { cluster } = agentWith([...lines, sentence], { state: "failed", sentence });
  const { screen, around } = stage();
  const outcome = await followJob(cluster, { number: 7, around, deadlineMs: 1_000 });
  assert.equal(outcome.code, 1);
  assert.equal(outcome.stderr, "xenon: Job 7 (rebuild) failed: Cannot copy b: it is gone\n");
  assert.deepEqual(screen.shown.filter((line) => !line.startsWith("~")), lines);
});

Deno.test("followJob() detaches at Ctrl-C and says how to see the job again", async () => {
  const { cluster } = agentWith(lines, { state: "done" });
  const { around } = stage(1);
  const outcome = await followJob(cluster, { number: null, around, deadlineMs: 1_000 });
  assert.match(outcome.stdout, /the job goes on: xenon jobs follow 7 shows it again/);
});

Deno.test("progressLine() leaves out what nobody knows", () => {
  const progress = { bytesDone: 1_500, bytesTotal: null, bytesPerSecond: 0, etaSeconds: null };
  assert.equal(progressLine({ ...running, progress }), "S9 1.5 kB");
  assert.equal(progressLine({ ...running, progress: null }), null);
});

Deno.test("progressLine() says that the end is being estimated while only the amount is known", () => {
  const progress = { bytesDone: 1_500, bytesTotal: 3_000, bytesPerSecond: 9, etaSeconds: null };
  const line = progressLine({ ...running, progress });
  assert.equal(line, "S9 1.5 kB of 3.0 kB (50%), 9 B/s, estimating the time left");
});
