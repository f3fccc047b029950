/**
 * A rebuild from its checks to its end: what runs, what happens when a step fails or is canceled, and
 * what the next agent does with one that was under way.
 *
 * Until the new server is given back to the agent every failure and every cancel ends with the old data
 * where it was; after that the old data stays aside, because the new server may have acknowledged
 * transactions already.
 */
import { formatLine, isEmpty } from "../mysql/gtid.ts";
import { messageOf } from "../mysql/message_of.ts";
import type { CopyMethod } from "./copy_method.ts";
import { decodeMemo, type RebuildMemo } from "./memo.ts";
import { dataOf, oldFolders, putBack, removeWork, takeOut, workOf } from "./moves.ts";
import { afterRestart, rebuildPlan, wayBack } from "./plan.ts";
import type { Task } from "./ports.ts";
import { type Checked, checkRebuild, copyWishOf, type RebuildWish } from "./rebuild_checks.ts";
import { RebuildRecord, wordOf } from "./rebuild_record.ts";
import { controlOf, goOn, type RebuildOptions, replace, type Run } from "./rebuild_steps.ts";

export type { RebuildOptions } from "./rebuild_steps.ts";

/** One rebuild, from its wish or from what an earlier agent had remembered of it. */
export async function rebuild(
  options: RebuildOptions,
  task: Task,
  wish: RebuildWish,
): Promise<string> {
  const startedAt = options.ticker.now();
  const run: Run = { options, task, record: new RebuildRecord(task), startedAt };
  return task.resumed ? await resume(run, decodeMemo(task.memo)) : await begin(run, wish);
}

/** All steps from the first on. */
async function begin(run: Run, wish: RebuildWish): Promise<string> {
  const { options, task } = run;
  const control = controlOf(task);
  // Before anybody else is looked at: of two nodes that begin at once, one sees the other.
  if (!wish.dryRun) await task.remember({ step: "S1", memo: null, word: wordOf("S1") });
  const result = await checkRebuild({ ...options, wish, job: task.number, control });
  if (result.kind === "problems") throw refusal(task, result.problems);
  const { memo, method } = result.checked;
  task.say(`S3 nothing speaks against a copy of ${memo.donor.id} by ${method.name}`);
  if (wish.dryRun) return tellPlan(task, result.checked);
  const saved = await save(run, result.checked);
  return await guarded(run, saved, () => replace(run, saved, method));
}

/** What an earlier agent had begun. */
async function resume(run: Run, begun: RebuildMemo | null): Promise<string> {
  const { task } = run;
  const next = begun === null ? "nothing" : afterRestart(begun.phase);
  if (begun === null || next === "nothing") {
    throw new Error(
      "The agent was restarted before anything was touched: run xenon mysql rebuildme again",
    );
  }
  const { phase } = begun;
  if (next === "goOn") {
    task.say(`The agent was restarted while the rebuild was at "${phase}": going on`);
    return await guarded(run, begun, () => goOn(run, begun));
  }
  task.say(`The agent was restarted while the rebuild was at "${phase}": rolling back`);
  const because = "The agent was restarted during the copy";
  await undo(run, begun, because);
  throw new Error(
    `${because}: rolled back, the old data is in place again. Run xenon mysql rebuildme again`,
  );
}

/** Says each problem on a line of its own; the error holds them all for the status. */
function refusal(task: Task, problems: readonly string[]): Error {
  for (const problem of problems) task.say(`problem: ${problem}`);
  const { length } = problems;
  const speaks = length === 1 ? "one thing speaks" : `${length} things speak`;
  return new Error(
    `Cannot rebuild this node as ${speaks} against it, and nothing was touched: ` +
      problems.join("; "),
  );
}

function tellPlan(task: Task, { memo, oldData, method }: Checked): string {
  const plan = rebuildPlan({
    method: method.name,
    donor: memo.donor.id,
    runs: memo.ran,
    oldData,
    aside: memo.aside,
    prepares: method.prepare !== undefined,
    member: memo.member,
    keepOld: memo.keepOld,
  });
  for (const { name, does, notNeeded } of plan.slice(3)) {
    task.say(`would do ${name} ${notNeeded === null ? does : `not needed: ${notNeeded}`}`);
  }
  return "dry run: nothing on this node was touched";
}

/** Transactions that exist only here go into files while their server still runs. */
async function save({ options, task, record }: Run, checked: Checked): Promise<RebuildMemo> {
  const { extra, memo } = checked;
  if (extra === null || isEmpty(extra)) return memo;
  const saved = await options.host.saveTransactions(formatLine(extra), task.number);
  task.say(`Saved what exists only here to ${saved.folder}: ${saved.what}`);
  return await record.write({ ...memo, keepOld: memo.keepOld || !saved.complete }, "S3");
}

/** Runs the rest of the steps; whatever ends them early is undone as far as it can be. */
async function guarded(
  run: Run,
  memo: RebuildMemo,
  work: () => Promise<string>,
): Promise<string> {
  try {
    return await work();
  } catch (error) {
    if (run.task.agentEnds()) throw error;
    const now = run.record.last ?? memo;
    const because = messageOf(error);
    switch (wayBack(now.phase)) {
      case "nothing":
        throw error;
      case "none":
        throw new Error(await noWayBack(run, now, because));
      case "rollBack":
        run.task.say(`${because}: putting the old data back`);
        await undo(run, now, because);
        throw new Error(`${because}; the old data is in place again and nothing was lost`);
    }
  }
}

async function undo(run: Run, memo: RebuildMemo, because: string): Promise<void> {
  try {
    const { methods, limits } = run.options;
    const method: CopyMethod | undefined = methods.find(({ name }) => name === memo.method);
    const at = await turnBack(run, memo);
    await method?.abandon?.(copyWishOf(at, limits));
    await rollBack(run, at);
  } catch (error) {
    const why = messageOf(error);
    const data = dataOf(memo).folder;
    throw new Error(
      `${because}; the old data could not be put back (${why}), and the server is not started. It ` +
        `is in ${data}/${memo.aside}: remove what is in the way and restart the agent, which tries ` +
        `again; or stop the agent, move the entries to ${data}, remove ${workOf(memo)}, start it`,
    );
  }
}

/** The next agent would go on with a copy that is complete: it must know better before that is untrue. */
async function turnBack({ record }: Run, memo: RebuildMemo): Promise<RebuildMemo> {
  const { phase } = memo;
  const complete = phase === "placing" || phase === "starting";
  return complete ? await record.write({ ...memo, phase: "undoing" }, "undo") : memo;
}

/** The old data is in place when this ends, and the server is the agent's again. */
async function rollBack(run: Run, memo: RebuildMemo): Promise<void> {
  const { options, record } = run;
  const { host, folders } = options;
  const { phase } = memo;
  let at = memo;
  // Nothing is moved under a server, whoever started it; one that has all its data runs on.
  const isAside = (await oldFolders(folders, memo)).length > 0;
  if (isAside && await host.serverRuns()) await host.stopServer();
  if (phase === "undoing") {
    await host.stopServer();
    await takeOut(folders, memo);
    at = await record.write({ ...memo, phase: "copying" }, "undo");
  }
  if (phase === "stopping") await removeWork(folders, at);
  else await putBack(folders, at);
  if (memo.ran) await startOld(run);
  await record.write({ ...at, phase: "checking" }, "undo");
}

/** Before the monitor may do it too. That it fails is no reason to leave the server to the job. */
async function startOld({ options, task }: Run): Promise<void> {
  try {
    await options.host.startServer();
  } catch (error) {
    task.say(messageOf(error));
  }
}

async function noWayBack({ options }: Run, memo: RebuildMemo, because: string): Promise<string> {
  const old = await oldFolders(options.folders, memo);
  const kept = old.length === 0 ? "" : `; the old data is kept in ${old.join(", ")}`;
  return `${because}; the new server runs and may have acknowledged transactions, so it stays` +
    `${kept}. See what it waits for with xenon cluster status`;
}
