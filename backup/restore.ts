/**
 * A restore as a job: a backup becomes the data of a host that has none. The copy of it is compared
 * with the manifest before anything is put in place, and until the server answers every failure leaves
 * the host as empty as it was. The backup itself is only read.
 */
import * as v from "valibot";
import { formatLine, parse } from "../mysql/gtid.ts";
import { messageOf } from "../mysql/message_of.ts";
import { foldersOf } from "../mysql/server_variables.ts";
import { parseVersion } from "../mysql/version.ts";
import { backupsIn } from "./backup_folders.ts";
import { decodeRestoreWish } from "./backup_plan.ts";
import { contentsOf } from "./checksums.ts";
import { copyFiles } from "./copy_files.ts";
import { filledWith, whyNotPlaced } from "./file_systems.ts";
import { syncFolder } from "./folder.ts";
import { jobFolders } from "./job_folders.ts";
import {
  dataName,
  decodeManifest,
  differences,
  isSealed,
  type Manifest,
  manifestName,
  whyNotRestorable,
} from "./manifest.ts";
import { placeSchema } from "./memo.ts";
import { dataOf, putInPlace, removeWork, targetOf, workOf } from "./moves.ts";
import { persistedSettings } from "./persisted.ts";
import { belongs, pathProblem, type Place, placesApart, placesOf } from "./places.ts";
import type { Folders, Host, Task, Ticker } from "./ports.ts";
import { untilAnswers } from "./wait_for_server.ts";
import { counted } from "../mysql/counted.ts";

export interface RestoreOptions {
  readonly host: Host;
  readonly folders: Folders;
  readonly ticker: Ticker;
  /** The version of the server program of this host. */
  readonly serverVersion: () => Promise<string>;
  /** Present time in milliseconds since 1970, for a file of the server. */
  readonly date: () => number;
}

export type RestoreTask = Task & { readonly wish: unknown };

const memoSchema = v.object({
  /**
   * Nothing is touched in "stopping"; the copy is beside the data in "copying", and then in place. In
   * "undoing" it is being taken away, and in "done" the server is the agent's: nothing is left to do.
   */
  phase: v.picklist(["stopping", "copying", "placing", "starting", "undoing", "done"]),
  backup: v.string(),
  gtids: v.string(),
  places: v.array(placeSchema),
  owner: v.object({ uid: v.number(), gid: v.number() }),
  work: v.string(),
});

type RestoreMemo = v.InferOutput<typeof memoSchema>;

/** What a start without data leaves behind: worth nothing, and in the way of the backup's files. */
const leftover = /^auto\.cnf$|\.index$/;
/** What may be there and stays: logs and keys, which no backup brings. */
const harmless = /\.(err|log|pem|pid|sock|lock)$/;

const shownMax = 5;
/** The last words of a restore that went well. */
const completed = "completed OK!";
const roomFactor = 1.05;

/** Restores a backup, or goes on with what an earlier agent had begun. Gives the last sentence. */
export async function restore(options: RestoreOptions, task: RestoreTask): Promise<string> {
  if (task.resumed) return await resume(options, task);
  const { memo, manifest } = await check(options, task);
  await closeDoor(options, task, { memo, manifest });
  return await guarded(options, { task, memo }, async () => {
    await enter(task, memo, "R3");
    await takeAway(options.folders, memo, "leftovers");
    await bringOver(options, task, { memo, manifest });
    return await goOn(options, task, { ...memo, phase: "placing" });
  });
}

async function resume(options: RestoreOptions, task: RestoreTask): Promise<string> {
  const memo = task.memo === null ? null : v.parse(memoSchema, task.memo);
  switch (memo?.phase) {
    case "done":
      return completed;
    case "placing":
    case "starting":
      if (await isMember(options)) return await leaveAlone(task, memo);
      task.say(`The agent was restarted while the restore was at "${memo.phase}": going on`);
      return await guarded(options, { task, memo }, () => goOn(options, task, memo));
    case "copying":
    case "undoing":
      await undo(options, task, memo);
      break;
    case "stopping":
    case undefined:
      await task.remember({ step: "R0", memo: null, apart: null });
  }
  throw new Error(
    "The agent was restarted during the restore, and the host is as empty as before: " +
      "run the same xenon mysql restore again",
  );
}

/** A cluster that cannot be asked about this node now has it. */
async function isMember({ host }: RestoreOptions): Promise<boolean> {
  return await host.survey(null).then(({ member }) => member, () => true);
}

/** A restore ends before its host can be added, so all of it was done; only its end is not written. */
async function leaveAlone(task: RestoreTask, memo: RestoreMemo): Promise<string> {
  await task.remember({ step: "R8", memo: { ...memo, phase: "done" }, apart: null });
  task.say("R8 this node is in a cluster already, so the restore had ended: nothing is touched");
  return completed;
}

/** R1 and R2: the backup, and everything that speaks against it. Nothing is touched. */
async function check(options: RestoreOptions, task: RestoreTask): Promise<{
  readonly memo: RestoreMemo;
  readonly manifest: Manifest;
}> {
  const { host, folders } = options;
  await task.remember({ step: "R1", memo: null });
  const { backup, manifest, sealed } = await findBackup(folders, decodeRestoreWish(task.wish).from);
  task.say(`R1 the backup is ${backup}, taken of ${manifest.source} at ${manifest.endedAt}`);
  if (!sealed) task.say("R1 its manifest is of an earlier version, without a checksum of its own");
  const variables = await host.variables();
  const named = foldersOf(variables);
  const places = named === null ? [] : await realPlaces(folders, placesOf(named));
  const problems = [
    whyNotRestorable(manifest, await options.serverVersion()),
    ...await nodeProblems(host),
    named === null ? "the data folder is not known: write datadir into the option file" : null,
    ...await placeProblems(folders, places, manifest),
  ].filter((problem) => problem !== null);
  if (problems.length > 0) {
    throw new Error(`Cannot restore, and nothing was touched: ${problems.join("; ")}`);
  }
  const data = places[0]?.folder ?? "";
  const owner = await folders.owner(data) ?? await folders.ownerNamed(variables.get("user"));
  const { work } = await jobFolders(folders, places, task.number);
  const mutable = places.map((place) => ({
    ...place,
    names: place.names === null ? null : [...place.names],
  }));
  const { gtids } = manifest;
  task.say(`R2 nothing speaks against a restore into ${data}`);
  return { memo: { phase: "copying", backup, gtids, places: mutable, owner, work }, manifest };
}

/** The folder of a backup, or one of several, of which the newest counts. */
async function findBackup(folders: Folders, from: string) {
  const newest = backupsIn(await folders.list(from) ?? []).at(-1);
  const candidates = [from, ...newest === undefined ? [] : [`${from}/${newest}`]];
  for (const backup of candidates) {
    const text = await folders.read(`${backup}/${manifestName}`);
    if (text === null) continue;
    return { backup, manifest: decodeManifest(text), sealed: isSealed(text) };
  }
  throw new Error(
    `Cannot restore as "${from}" holds no backup of xenon: name the folder of "xenon mysql backup"`,
  );
}

/** What this node must not be. A member gets its data from the cluster, which has more of it. */
async function nodeProblems(host: Host): Promise<readonly string[]> {
  const problems: string[] = [];
  const { member, leader } = await host.survey(null);
  if (member) {
    problems.push(
      leader === null
        ? "this node is in a cluster: a restore is for a host that is in none"
        : "this node is in a cluster that has a leader: use xenon mysql rebuildme",
    );
  }
  // One that only tries to start does not answer, and is stopped later.
  if (host.local().alive) problems.push("its MySQL answers: a restore is for an empty host");
  return problems;
}

async function realPlaces(folders: Folders, places: readonly Place[]): Promise<readonly Place[]> {
  const real: Place[] = [];
  for (const place of places) {
    real.push({ ...place, folder: await folders.realPath(place.folder) ?? place.folder });
  }
  return real;
}

/** Every folder of the server must be there for the taking: empty, allowed and large enough. */
async function placeProblems(
  folders: Folders,
  places: readonly Place[],
  { bytes, files }: Manifest,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const place of places) {
    const wrong = pathProblem(place.folder);
    if (wrong !== null) problems.push(wrong);
    const names = (await entriesOf(folders, place)).filter((name) => !leftover.test(name));
    if (names.length === 0) continue;
    const shown = names.slice(0, shownMax).join(", ");
    problems.push(
      `"${place.folder}" is not empty (${shown}): a restore never replaces data; move it away, or ` +
        "use xenon mysql rebuildme, which keeps it aside",
    );
  }
  const data = places[0]?.folder;
  const free = data === undefined ? Infinity : await folders.freeBytes(data);
  if (free < bytes * roomFactor) {
    problems.push(`"${data}" has room for ${free} bytes and the backup has ${bytes}: make room`);
  }
  if (data !== undefined) {
    const names = files.map(({ path }) => path.split("/")[0] ?? "");
    problems.push(...await whyNotPlaced(folders, data, filledWith(places, names)));
  }
  return problems;
}

/** The agent no longer starts the server, and nothing has come into its folders meanwhile. */
async function closeDoor(
  { host, folders }: RestoreOptions,
  task: RestoreTask,
  { memo, manifest }: { readonly memo: RestoreMemo; readonly manifest: Manifest },
): Promise<void> {
  await enter(task, { ...memo, phase: "stopping" }, "R2");
  try {
    await host.stopServer();
    const problems = await placeProblems(folders, memo.places, manifest);
    if (problems.length > 0) throw new Error(`Cannot restore: ${problems.join("; ")}`);
  } catch (error) {
    if (!task.agentEnds()) await task.remember({ step: "R2", memo: null, apart: null });
    throw error;
  }
}

/** R3 to R5: the copy, its comparison with the manifest, and what a first start needs. */
async function bringOver(
  { folders, date }: RestoreOptions,
  task: RestoreTask,
  { memo, manifest }: { readonly memo: RestoreMemo; readonly manifest: Manifest },
): Promise<void> {
  const { owner, backup } = memo;
  const [work, target] = [workOf(memo), targetOf(memo)];
  await folders.make(dataOf(memo).folder, owner);
  await folders.make(work, owner);
  await folders.make(target, owner);
  await copyFiles({ from: `${backup}/${dataName}`, to: target, manifest }, task);
  task.say(`R3 ${counted(manifest.files.length, "file is", "files are")} copied`);
  const { files } = await contentsOf(target, { signal: task.signal, progress: () => {} });
  const wrong = differences(manifest, files);
  if (wrong.length > 0) {
    const shown = wrong.slice(0, shownMax).join(", ");
    const found = counted(wrong.length, "file differs", "files differ");
    throw new Error(`The backup "${backup}" is damaged, ${found}: ${shown}`);
  }
  task.say("R4 all checksums are right");
  const version = parseVersion(manifest.serverVersion);
  const text = version.ok
    ? persistedSettings(null, { version: version.version, timestampMs: date() })
    : null;
  if (text !== null) await folders.write(`${target}/mysqld-auto.cnf`, text, owner);
  await folders.give(target, owner);
  await syncFolder(target, { deep: true });
  task.say("R5 the files belong to the server, which will start closed");
}

/** R6 to R8: from the complete copy to a server that answers. */
async function goOn(
  options: RestoreOptions,
  task: RestoreTask,
  memo: RestoreMemo,
): Promise<string> {
  const { folders, host } = options;
  if (memo.phase === "placing") {
    await enter(task, memo, "R6");
    await putInPlace(folders, memo);
    task.say(`R6 the data is in ${dataOf(memo).folder}`);
  }
  await enter(task, { ...memo, phase: "starting" }, "R7");
  await host.startServer();
  const executed = await untilAnswers(options, task.signal);
  await host.forgetSource();
  const set = formatLine(parse(executed));
  if (set !== memo.gtids) await host.setPurged(memo.gtids);
  task.say("R7 the server answers and has all transactions of the backup");
  await removeWork(folders, memo);
  await task.remember({ step: "R8", memo: { ...memo, phase: "done" }, apart: null });
  host.hurry();
  task.say(`R8 run "xenon cluster add ${host.self}" on a member next`);
  return completed;
}

/** Until the server is the agent's again, a failure and a cancel leave nothing behind. */
async function guarded(
  options: RestoreOptions,
  { task, memo }: { readonly task: RestoreTask; readonly memo: RestoreMemo },
  work: () => Promise<string>,
): Promise<string> {
  try {
    return await work();
  } catch (error) {
    // The next agent goes on where this one ends.
    if (task.agentEnds()) throw error;
    await undo(options, task, memo).catch((trouble) => {
      throw new Error(
        `${messageOf(error)}; it could not be undone (${
          messageOf(trouble)
        }), and the server is not ` +
          "started: remove what is in the way and restart the agent, which tries again",
      );
    });
    throw error;
  }
}

/** The places were empty, so all that is in them came from the backup. */
async function undo(
  { host, folders }: RestoreOptions,
  task: RestoreTask,
  memo: RestoreMemo,
): Promise<void> {
  // The next agent would go on with a copy that is in place: it must know better before it is not.
  const apart = `job ${task.number} undoes its restore`;
  await task.remember({ step: "R0", memo: { ...memo, phase: "undoing" }, apart });
  await host.stopServer();
  await takeAway(folders, memo, "undone");
  await removeWork(folders, memo);
  await task.remember({ step: "R0", memo: null, apart: null });
}

/** Moves what is in the places into the job's own folder, which goes at its end. */
async function takeAway(folders: Folders, memo: RestoreMemo, into: string): Promise<void> {
  for (const place of placesApart(memo.places)) {
    const entries = await entriesOf(folders, place);
    if (entries.length === 0) continue;
    const work = `${place.folder}/${memo.work}`;
    const discarded = `${work}/${into}`;
    await folders.make(work, memo.owner);
    await folders.make(discarded, memo.owner);
    for (const name of entries) await folders.move(name, place.folder, discarded);
    await folders.sync(place.folder);
  }
}

async function entriesOf(folders: Folders, place: Place): Promise<readonly string[]> {
  const names = await folders.list(place.folder) ?? [];
  return names.filter((name) => belongs(place, name) && !harmless.test(name));
}

async function enter(task: RestoreTask, memo: RestoreMemo, step: string): Promise<void> {
  task.signal.throwIfAborted();
  const apart = `job ${task.number} restores it (${step})`;
  await task.remember({ step, memo, apart });
}
