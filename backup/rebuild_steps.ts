/**
 * The steps of a rebuild that change something, S4 to the end, through ports. `rebuild.ts` decides when
 * they run, and what happens when one of them fails.
 */
import { formatLine, parse } from "../mysql/gtid.ts";
import { parseVersion } from "../mysql/version.ts";
import type { CopyControl, CopyLimits, CopyMethod } from "./copy_method.ts";
import { problemOf } from "./donor.ts";
import type { RebuildMemo } from "./memo.ts";
import {
  dataOf,
  moveAside,
  oldFolders,
  putInPlace,
  removeOld,
  removeWork,
  targetOf,
  workOf,
} from "./moves.ts";
import { persistedSettings } from "./persisted.ts";
import type { Folders, Host, LocalNode, Task, Ticker } from "./ports.ts";
import { copyWishOf, missingFrom } from "./rebuild_checks.ts";
import type { RebuildRecord } from "./rebuild_record.ts";
import { untilAnswers } from "./wait_for_server.ts";

export interface RebuildOptions {
  readonly host: Host;
  readonly folders: Folders;
  readonly ticker: Ticker;
  readonly methods: readonly CopyMethod[];
  readonly limits: CopyLimits;
  readonly localTransactionsMax: number;
  readonly configuredFolder: string | null;
  readonly keepOld: boolean;
  /** Present time in milliseconds since 1970, for a file of the server. */
  readonly date: () => number;
}

/** A member finds its leader within a few elections. */
const followMsMax = 600_000;
/** A donor that is further behind is no donor now. */
const catchUpMsMax = 300_000;
const pollMs = 200;
/** The last words of a rebuild that went well; the original's, so that scripts find them. */
const completed = "completed OK!";

/** One rebuild that is under way. */
export interface Run {
  readonly options: RebuildOptions;
  readonly task: Task;
  readonly record: RebuildRecord;
  /** When it began in this agent. */
  readonly startedAt: number;
}

/** S4 to S10. */
export async function replace(run: Run, memo: RebuildMemo, method: CopyMethod): Promise<string> {
  const { host, folders } = run.options;
  const { task } = run;
  let at = await run.record.enter(memo, "stopping", "S4");
  task.say("S4 this node is a learner now: it does not stand and does not vote");
  task.say("S5 the monitor is off");
  await folders.make(dataOf(at).folder, at.owner);
  await folders.make(workOf(at), at.owner);
  using early = beginCopy(run, at, method);
  if (host.local().running) {
    await host.stopServer();
    task.say("S6 the server is stopped");
  } else {
    task.say("S6 not needed: the server does not run");
  }
  await checkDonorAgain(run, at, { maySend: method.begin !== undefined });
  early.donorReady();
  await stopAgain(run);
  at = await run.record.enter(at, "movingAside", "S8");
  const moved = await moveAside(folders, at);
  await refuseServer(run);
  task.say(
    moved.length === 0
      ? "S8 not needed: there is no old data"
      : `S8 old data moved aside to ${moved.join(", ")}`,
  );
  at = await copy(run, at, { method, begunAt: early.begunAt });
  return await goOn(run, at);
}

/** S7 may wait for minutes, and a person or a service manager knows nothing of this job. */
async function stopAgain({ options: { host }, task }: Run): Promise<void> {
  if (!await host.serverRuns()) return;
  await host.stopServer();
  task.say("S7 somebody started the server meanwhile: it is stopped again");
}

/** A server whose files are moved under it would pass for the new one, and lose what it acknowledges. */
async function refuseServer({ options: { host } }: Run): Promise<void> {
  if (!await host.serverRuns()) return;
  throw new Error("Somebody started the server while its data was aside: leave it to this job");
}

/** A copy that begins before its step. Disposing of it ends the wait for the donor. */
interface Early extends Disposable {
  /** Null where the method cannot. */
  readonly begunAt: number | null;
  /** S7 has found the donor ready. */
  readonly donorReady: () => void;
}

/** A method that can copies while the server stops. */
function beginCopy(run: Run, memo: RebuildMemo, method: CopyMethod): Early {
  const over = new AbortController();
  const later = Promise.withResolvers<void>();
  const { signal } = run.task;
  if (method.begin !== undefined) {
    // What speaks against it now may have passed at S7, and is told there where it has not.
    const until = { maySend: false, signal: AbortSignal.any([signal, over.signal]) };
    const donorReady = untilDonorReady(run, memo, until)
      .catch(() => later.promise);
    method.begin(copyWishOf(memo, run.options.limits), { donorReady, signal });
  }
  return {
    begunAt: method.begin === undefined ? null : run.options.ticker.now(),
    donorReady: later.resolve,
    [Symbol.dispose]: () => over.abort(),
  };
}

async function checkDonorAgain(
  run: Run,
  memo: RebuildMemo,
  how: { readonly maySend: boolean },
): Promise<void> {
  await untilDonorReady(run, memo, { ...how, signal: run.task.signal });
  run.task.say(`S7 the donor ${memo.donor.id} is still fine`);
}

/** It must be well, and have what the copy must hold. Where the copy may have begun, it may be busy with it. */
async function untilDonorReady(
  { options: { host, ticker } }: Run,
  memo: RebuildMemo,
  { maySend, signal }: { readonly maySend: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { id } = memo.donor;
  const endsAt = ticker.now() + catchUpMsMax;
  for (;;) {
    const { members } = await host.survey(id);
    const donor = members.find((member) => member.id === id);
    const problem = donor === undefined ? `${id} is gone` : problemOf(donor, { maySend });
    if (problem !== null) throw new Error(`The donor changed meanwhile: ${problem}`);
    const missing = missingFrom(donor?.seen?.executed ?? "", memo.wanted);
    if (missing === null) return;
    if (ticker.now() >= endsAt) {
      throw new Error(`The donor ${id} does not catch up with the leader: it lacks ${missing}`);
    }
    await ticker.wait(pollMs, signal);
  }
}

/** S9, and the first half of S10. */
async function copy(
  run: Run,
  memo: RebuildMemo,
  { method, begunAt }: { readonly method: CopyMethod; readonly begunAt: number | null },
): Promise<RebuildMemo> {
  const { folders, limits, ticker } = run.options;
  const { task } = run;
  let at = await run.record.enter(memo, "copying", "S9");
  const wish = copyWishOf(at, limits);
  task.say(`S9 copying ${at.donor.id} by ${method.name}`);
  const startedAt = begunAt ?? ticker.now();
  const copied = await method.copy(wish, controlOf(run.task));
  task.say(`S9 copied ${sizeOf(copied.bytes, ticker.now() - startedAt)}`);
  at = { ...at, gtids: copied.gtids };
  if (method.prepare === undefined) {
    task.say("S10 preparing is not needed: the copy is complete");
  } else {
    await run.record.write(at, "S10");
    await method.prepare(wish, controlOf(run.task));
    task.say("S10 the copy is prepared");
  }
  await closeFirstStart(run, at);
  await folders.give(targetOf(at), at.owner);
  return await run.record.enter(at, "placing", "S10");
}

/** A new identity, and closed and quiet whoever starts it. */
async function closeFirstStart(run: Run, memo: RebuildMemo): Promise<void> {
  const { folders, date } = run.options;
  const target = targetOf(memo);
  await folders.removeFile(`${target}/auto.cnf`);
  const read = parseVersion(memo.donor.version);
  const before = await folders.read(`${dataOf(memo).folder}/${memo.aside}/mysqld-auto.cnf`);
  const text = read.ok
    ? persistedSettings(before, { version: read.version, timestampMs: date() })
    : null;
  if (text !== null) await folders.write(`${target}/mysqld-auto.cnf`, text, memo.owner);
}

/** From the complete copy to the end; also what the next agent goes on with. */
export async function goOn(run: Run, memo: RebuildMemo): Promise<string> {
  const { folders, host } = run.options;
  let at = memo;
  if (at.phase === "placing") {
    await refuseServer(run);
    await putInPlace(folders, at);
    // From here on a server that runs was started on the new data.
    await refuseServer(run);
    at = await run.record.enter(at, "starting", "S11");
  }
  if (at.phase === "starting") {
    await start(run, at);
    await removeWork(folders, at);
    // The last moment for a cancel.
    at = await run.record.enter(at, "following", "S16");
    host.hurry();
    run.task.say("S16 the monitor is on and the server is the agent's again");
  }
  await follow(run, at);
  return await finish(run, at);
}

/** S11 to S15. */
async function start(run: Run, memo: RebuildMemo): Promise<void> {
  const { host } = run.options;
  const { task } = run;
  await host.startServer();
  task.say("S11 the server is started");
  const executed = await untilAnswers(run.options, task.signal);
  task.say("S12 the server runs");
  const set = memo.gtids ?? executed;
  const missing = missingFrom(set, memo.wanted);
  if (missing !== null) {
    throw new Error(`The copy lacks transactions that the leader had: ${missing.slice(0, 500)}`);
  }
  task.say("S13 the server answers and has everything that the leader had when this began");
  await host.forgetSource();
  task.say("S14 it has forgotten whom the donor replicated from");
  if (memo.gtids === null || formatLine(parse(memo.gtids)) === formatLine(parse(executed))) {
    task.say("S15 not needed: the copy knows its transactions itself");
  } else {
    await host.setPurged(memo.gtids);
    task.say("S15 the purged transactions are set");
  }
}

/** S17 and S18: the agent itself points the server at the leader. */
async function follow(run: Run, memo: RebuildMemo): Promise<void> {
  const { task } = run;
  if (!memo.member) {
    task.say("S17 not needed: this node is in no cluster yet");
    task.say(
      `S18 not needed: run "xenon cluster add ${run.options.host.self}" on a member next`,
    );
    await run.record.write(memo, "S18");
    return;
  }
  await until(run, "replicates from the leader", ({ follows }) => follows);
  task.say("S17 it replicates from the leader");
  await run.record.write(memo, "S17");
  await until(run, "is in step with the leader", ({ inStep }) => inStep);
  task.say("S18 it is in step with the leader");
  await run.record.write(memo, "S18");
}

async function until(
  run: Run,
  what: string,
  holds: (local: LocalNode) => boolean,
): Promise<void> {
  const { host, ticker } = run.options;
  const endsAt = ticker.now() + followMsMax;
  while (!holds(host.local())) {
    if (ticker.now() >= endsAt) {
      throw new Error(
        `The new server has not got so far that it ${what}: ${host.local().sentence}`,
      );
    }
    await ticker.wait(pollMs, run.task.signal);
  }
}

async function finish(run: Run, memo: RebuildMemo): Promise<string> {
  const { folders, ticker } = run.options;
  const { task } = run;
  if (memo.keepOld) {
    const kept = await oldFolders(folders, memo);
    if (kept.length > 0) {
      task.say(`The old data is kept in ${kept.join(", ")}: remove it by hand`);
    }
  } else {
    const removed = await removeOld(folders, memo);
    if (removed.length > 0) task.say(`Removed the old data in ${removed.join(", ")}`);
  }
  const seconds = Math.round((ticker.now() - run.startedAt) / 1_000);
  task.say(`This node was rebuilt from ${memo.donor.id} in ${seconds} s`);
  return completed;
}

/** What a copy method reports to. */
export function controlOf({ signal, progress, say }: Task): CopyControl {
  return { signal, progress, say };
}

/** "2.1 GB in 12 s, 180 MB/s". */
function sizeOf(bytes: number, ms: number): string {
  const seconds = Math.max(0.001, ms / 1_000);
  const megabytes = bytes / 1_048_576;
  const amount = megabytes >= 1_024
    ? `${(megabytes / 1_024).toFixed(1)} GB`
    : `${Math.round(megabytes)} MB`;
  return `${amount} in ${seconds.toFixed(1)} s, ${Math.round(megabytes / seconds)} MB/s`;
}
