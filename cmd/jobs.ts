/** Runs `xenon jobs ...`, and follows the jobs that other commands begin. */
import {
  decodeJobList,
  decodeJobNumber,
  decodeJobPage,
  type JobPage,
  type JobSummary,
} from "../agent/wire_jobs.ts";
import { CommandError, exitCodes, failure, type Outcome, success } from "./exit.ts";
import { printFacts } from "./facts.ts";
import { refusedBy, silentAgent } from "./gather.ts";
import { jobsTable, progressLine } from "./job_lines.ts";
import { factsDeadlineMs, openCluster } from "./open.ts";
import type { Cluster, Surroundings } from "./ports.ts";
import type { JobsCommand } from "./tree/jobs.ts";

/** Begun work is written down before the agent answers. */
const submitMs = 10_000;
const askEveryMs = 250;
/** An agent that is restarted answers again sooner. */
const silentMsMax = 30_000;

/** The runner of the group. */
export async function runJobs(command: JobsCommand, around: Surroundings): Promise<Outcome> {
  const cluster = await openCluster(command.common, around);
  const deadlineMs = factsDeadlineMs(command.common);
  switch (command.kind) {
    case "list": {
      const jobs = decodeJobList(
        await askJobs(cluster, { method: "jobs.list", params: {}, deadlineMs }),
      );
      const facts = { table: jobsTable(jobs), value: { jobs } };
      return printFacts(facts, { form: command.form, colour: around.world.colour });
    }
    case "follow":
      return await followJob(cluster, { number: command.number, around, deadlineMs });
    case "cancel":
      return await cancelJob(cluster, command.number, deadlineMs);
  }
}

/** Cancels a job, or the running one for null; it ends some time later. */
export async function cancelJob(
  cluster: Cluster,
  number: number | null,
  deadlineMs: number,
): Promise<Outcome> {
  const question = { method: "jobs.cancel", params: { number }, deadlineMs };
  const canceled = decodeJobNumber(await askJobs(cluster, question));
  return success(`Job ${canceled} is being canceled: see xenon jobs follow ${canceled}\n`);
}

/** Begins a job on the agent of this host and follows it to its end. */
export async function submitJob(
  cluster: Cluster,
  job: { readonly kind: string; readonly wish: Readonly<Record<string, unknown>> },
  { around, deadlineMs }: { readonly around: Surroundings; readonly deadlineMs: number },
): Promise<Outcome> {
  const question = { method: "jobs.submit", params: { ...job }, deadlineMs: submitMs };
  const number = decodeJobNumber(await askJobs(cluster, question));
  return await followJob(cluster, { number, around, deadlineMs });
}

export interface Following {
  /** Null follows the newest. */
  readonly number: number | null;
  readonly around: Surroundings;
  readonly deadlineMs: number;
}

/** Prints a job's lines and progress as they come. Its end decides about the exit code. */
export async function followJob(cluster: Cluster, following: Following): Promise<Outcome> {
  const { around, deadlineMs } = following;
  const { world, programs } = around;
  using screen = await programs.openScreen();
  let { number } = following;
  let from = 0;
  let heardAt = world.now();
  for (;;) {
    const page = await readPage(cluster, { number, from, deadlineMs });
    if (page !== null) {
      heardAt = world.now();
      number = page.job.number;
      if (page.from > from) screen.line(`(${page.from - from} older lines are gone)`);
      for (const line of linesToShow(page)) screen.line(line);
      from = page.from + page.lines.length;
      if (page.job.state !== "running") return outcomeOf(page.job);
      screen.progress(progressLine(page.job));
    } else if (world.now() - heardAt > silentMsMax) {
      const because = `no answer for ${silentMsMax / 1_000} s`;
      throw silentAgent(cluster.local, { because }, 0);
    }
    if (screen.detached) return detachedFrom(number);
    await screen.wait(askEveryMs);
    if (screen.detached) return detachedFrom(number);
  }
}

/** A job that did not end well ends with its reason, which the outcome tells. */
function linesToShow({ job, lines }: JobPage): readonly string[] {
  const told = ["failed", "canceled"].includes(job.state) && lines.at(-1) === job.sentence;
  return told ? lines.slice(0, -1) : lines;
}

/** Null while the agent does not answer, as in its restart; the job goes on in the next one. */
async function readPage(
  cluster: Cluster,
  at: { readonly number: number | null; readonly from: number; readonly deadlineMs: number },
): Promise<JobPage | null> {
  const { number, from, deadlineMs } = at;
  const question = { method: "jobs.read", params: { number, from }, deadlineMs };
  const answer = await cluster.call(cluster.local, question);
  if (answer.kind === "refused") throw refused(cluster, answer.because);
  return answer.kind === "silent" ? null : decodeJobPage(answer.result);
}

function outcomeOf(job: JobSummary): Outcome {
  if (job.state === "done") return success("");
  const how = job.state === "canceled" ? "was canceled" : "failed";
  return failure(exitCodes.failed, `Job ${job.number} (${job.kind}) ${how}: ${job.sentence}`);
}

function detachedFrom(number: number | null): Outcome {
  const which = number === null ? "" : ` ${number}`;
  return success(`Detached, the job goes on: xenon jobs follow${which} shows it again\n`);
}

/** One question to the agent of this host about its jobs. */
export async function askJobs(
  cluster: Cluster,
  question: Parameters<Cluster["call"]>[1],
): Promise<unknown> {
  const answer = await cluster.call(cluster.local, question);
  if (answer.kind === "answered") return answer.result;
  if (answer.kind === "silent") throw silentAgent(cluster.local, answer, 0);
  throw refused(cluster, answer.because);
}

/** What a job says against itself tells the next step; a wrong secret has one of its own. */
function refused(cluster: Cluster, because: string): CommandError {
  if (/signature|signed calls|no secret/.test(because)) return refusedBy(cluster.local, because);
  return new CommandError(because, { next: "see the jobs of this node with xenon jobs" });
}
