/**
 * A backup as a job: the donor's data comes into an unfinished folder, is prepared, started once and
 * listed with its checksums; only then it gets its name. Nothing that was there before is touched, but
 * for older backups whose time is over, after all of that.
 */
import { foldersOf } from "../mysql/server_variables.ts";
import {
  backupName,
  backupsIn,
  outdated,
  partName,
  whyNoBackupFolder,
  whyOverlaps,
} from "./backup_folders.ts";
import {
  type BackupOptions,
  type BackupTask,
  type BackupWish,
  decodeBackupWish,
  decodePart,
} from "./backup_plan.ts";
import { contentsOf } from "./checksums.ts";
import type { CopyDonor, CopyMethod, CopyWish } from "./copy_method.ts";
import { chooseDonor } from "./donor.ts";
import { syncFolder } from "./folder.ts";
import {
  dataName,
  encodeManifest,
  type Manifest,
  manifestName,
  whyNotVerifiable,
} from "./manifest.ts";
import type { Owner } from "./ports.ts";
import { missingFrom } from "./rebuild_checks.ts";
import { counted } from "../mysql/counted.ts";

/** Logs and temporary files of a copy. */
const roomFactor = 1.1;
/** So many hosts share a folder and begin in one second. */
const namesMax = 60;

interface Backup {
  readonly wish: BackupWish;
  readonly name: string;
  /** The unfinished folder. */
  readonly part: string;
  readonly method: CopyMethod;
  readonly copy: CopyWish;
  readonly startedAt: Date;
  /** Of the server program of this host. */
  readonly serverVersion: string;
  /** What the donor had when it was chosen. */
  readonly wanted: string;
}

/** Takes a backup and gives the last sentence. A failure or a cancel leaves nothing behind. */
export async function takeBackup(options: BackupOptions, task: BackupTask): Promise<string> {
  if (task.resumed) return await giveUp(options, task);
  const backup = await reserve(options, await choose(options, task));
  const done = await make(options, backup, task);
  await task.remember({ step: "S7", memo: null });
  await removeOutdated(options, backup, task);
  return `${done}: completed OK!`;
}

/** S2 to S6. Gives what there is then, as a sentence. */
async function make(options: BackupOptions, backup: Backup, task: BackupTask): Promise<string> {
  try {
    await task.remember({ step: "S2", memo: { part: backup.part } });
    await options.folders.make(backup.copy.workFolder, backup.copy.owner);
    task.say(`S2 the backup comes into ${backup.part} until it is verified`);
    const gtids = await bringOver(backup, task);
    const manifest = await verify(options, { backup, task, gtids });
    await finish(options, backup, manifest);
    task.say("S6 all checksums are in its manifest");
    return `${backup.wish.to}/${backup.name} holds ${sizeOf(manifest)}`;
  } catch (error) {
    // The next agent sees to what this one has no time for.
    if (!task.agentEnds()) await options.folders.removeTree(backup.part);
    throw error;
  }
}

/** An agent that was ended in the middle cannot take up the stream again: what there is of it goes. */
async function giveUp(
  { methods, folders, limits }: BackupOptions,
  task: BackupTask,
): Promise<never> {
  const part = decodePart(task.memo);
  if (part !== null) {
    const copy = {
      target: `${part}/${dataName}`,
      workFolder: `${part}/work`,
      limits,
      // Whoever copied is of no account any more; the folders tell what still writes there.
      donor: { id: "", mysql: { host: "", port: 0 }, version: "", dataBytes: null },
      owner: { uid: 0, gid: 0 },
    };
    for (const method of methods) await method.abandon?.(copy);
    await folders.removeTree(part);
  }
  throw new Error(
    "The agent was restarted during the backup, nothing of it was kept: " +
      "run the same xenon mysql backup again",
  );
}

/** S1: whom to copy, how, and whether there is anything against it. Nothing is changed yet. */
async function choose(options: BackupOptions, task: BackupTask): Promise<Backup> {
  const { host, folders, limits } = options;
  const wish = decodeBackupWish(task.wish);
  await task.remember({ step: "S1", memo: null });
  const survey = await host.survey(wish.from);
  const choice = chooseDonor(survey.members, { self: host.self, from: wish.from });
  const { owner, problems } = await placeFor(options, wish.to);
  if (choice.kind === "none") throw cannot([...choice.problems, ...problems]);
  const { id, seen } = choice.donor;
  if (seen === null) throw cannot([`${id} does not answer`, ...problems]);
  const { mysql, version, executed } = seen;
  const dataBytes = await host.dataBytes(id);
  const serverVersion = await options.serverVersion();
  const donor: CopyDonor = { id, mysql, version, dataBytes };
  const startedAt = options.now();
  const copy: CopyWish = { donor, target: "", workFolder: "", owner, limits };
  const draft = named({ wish, copy, startedAt, serverVersion, wanted: executed }, startedAt);
  const full = dataBytes === null ? null : await whyNoRoom(folders, wish.to, dataBytes);
  const method = await chooseMethod(options, { wish, copy: draft.copy, task });
  const found = [full, whyNotVerifiable(version, serverVersion)].filter((one) => one !== null);
  const reasons = [...problems, ...found, ...method.problems];
  if (method.method === null || reasons.length > 0) throw cannot(reasons);
  task.say(`S1 the donor is ${id}: ${choice.why}; the method is ${method.method.name}`);
  return { ...draft, method: method.method };
}

/** Whom the backup is to belong to: the user of the server here, who may have to write and read it. */
async function placeFor(
  { host, folders }: BackupOptions,
  to: string,
): Promise<{ readonly owner: Owner; readonly problems: readonly string[] }> {
  const variables = await host.variables();
  const data = foldersOf(variables)?.data ?? null;
  const owner = (data === null ? null : await folders.owner(data)) ??
    await folders.ownerNamed(variables.get("user"));
  const problems = [
    data === null ? null : whyOverlaps(
      await realPathOf(folders, to),
      await realPathOf(folders, data),
    ),
    whyNoBackupFolder(to, await folders.list(to) ?? []),
  ];
  return { owner, problems: problems.filter((problem) => problem !== null) };
}

/** Where a folder is, or will be when it is made: a link above it may lead elsewhere. */
async function realPathOf(folders: BackupOptions["folders"], path: string): Promise<string> {
  const real = await folders.realPath(path);
  if (real !== null || path === "") return real ?? path;
  const slash = path.lastIndexOf("/");
  return `${await realPathOf(folders, path.slice(0, slash))}${path.slice(slash)}`;
}

async function whyNoRoom(
  folders: BackupOptions["folders"],
  to: string,
  dataBytes: number,
): Promise<string | null> {
  const free = await folders.freeBytes(to);
  return free >= dataBytes * roomFactor
    ? null
    : `"${to}" has room for ${free} bytes and the donor has ${dataBytes} bytes of data: make room ` +
      "there, or name another place";
}

/** The first method that nothing speaks against; all reasons where there is none. */
async function chooseMethod(
  { methods }: BackupOptions,
  { wish, copy, task }: {
    readonly wish: BackupWish;
    readonly copy: CopyWish;
    readonly task: BackupTask;
  },
): Promise<{ readonly method: CopyMethod | null; readonly problems: readonly string[] }> {
  const reasons: string[] = [];
  for (const method of methods) {
    if (wish.method !== "auto" && wish.method !== method.name) continue;
    const problems = await method.check(copy, task);
    if (problems.length === 0) return { method, problems: [] };
    reasons.push(...problems.map((problem) => `${method.name}: ${problem}`));
  }
  return { method: null, problems: reasons };
}

function cannot(reasons: readonly string[]): Error {
  return new Error(`Cannot take a backup, and nothing was touched: ${reasons.join("; ")}`);
}

/** The unfinished folder is this backup's alone: where hosts share a folder, the later one is a second later. */
async function reserve({ folders }: BackupOptions, chosen: Backup): Promise<Backup> {
  const { to } = chosen.wish;
  // The server, and whoever unpacks for it, must be able to write there.
  await Deno.mkdir(to, { recursive: true, mode: 0o755 });
  for (let second = 0; second < namesMax; second++) {
    const backup = named(chosen, new Date(chosen.startedAt.getTime() + 1_000 * second));
    if (!await folders.makeNew(backup.part, chosen.copy.owner)) continue;
    if (await folders.realPath(`${to}/${backup.name}`) === null) return backup;
    await folders.removeTree(backup.part);
  }
  const { name } = chosen;
  throw new Error(`Cannot take a backup as "${to}" has ${name} and ${namesMax} more: try again`);
}

/** The same backup under the name of this time. */
function named<Nameless extends Pick<Backup, "wish" | "copy">>(
  backup: Nameless,
  at: Date,
): Nameless & Pick<Backup, "name" | "part" | "copy"> {
  const name = backupName(at);
  const part = `${backup.wish.to}/${partName(name)}`;
  const copy = { ...backup.copy, target: `${part}/${dataName}`, workFolder: `${part}/work` };
  return { ...backup, name, part, copy };
}

/** S3 and S4. Gives the GTIDs where the method knows them. */
async function bringOver({ method, copy, part }: Backup, task: BackupTask) {
  await task.remember({ step: "S3", memo: { part }, word: "BACKUPING" });
  const { gtids } = await method.copy(copy, task);
  task.say(`S3 ${copy.donor.id} is copied by ${method.name}`);
  await task.remember({ step: "S4", memo: { part }, word: "APPLYLOGGING" });
  await method.prepare?.(copy, task);
  const prepared = method.prepare === undefined ? "preparing is not needed" : "it is prepared";
  task.say(`S4 ${prepared}`);
  return gtids;
}

/** S5 and S6: a server starts on it, and every file gets its checksum. */
async function verify(
  { folders, startOnce, now }: BackupOptions,
  { backup, task, gtids }: {
    readonly backup: Backup;
    readonly task: BackupTask;
    readonly gtids: string | null;
  },
): Promise<Manifest> {
  const { target, workFolder, donor, owner } = backup.copy;
  const { signal } = task;
  await folders.give(target, owner);
  const started = await startOnce({ dataFolder: target, workFolder, uid: owner.uid, signal });
  const set = gtids ?? started;
  const missing = missingFrom(set, backup.wanted);
  if (missing !== null) throw new Error(`The copy lacks transactions of the donor: ${missing}`);
  task.say("S5 a server has started on it, and has everything that the donor had");
  const { folders: below, files } = await contentsOf(target, {
    signal,
    progress: (bytesDone) => task.progress({ bytesDone, bytesTotal: null }),
  });
  return {
    format: 1,
    method: backup.method.name,
    serverVersion: backup.serverVersion,
    donorVersion: donor.version,
    source: donor.id,
    gtids: set,
    startedAt: backup.startedAt.toISOString(),
    endedAt: now().toISOString(),
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    folders: below,
    files,
  };
}

/** Everything is on disk before the backup gets its name. */
async function finish(
  { folders }: BackupOptions,
  { wish, name, part, copy }: Backup,
  manifest: Manifest,
): Promise<void> {
  await folders.removeTree(copy.workFolder);
  await folders.write(`${part}/${manifestName}`, encodeManifest(manifest), copy.owner);
  await syncFolder(part, { deep: true });
  await Deno.rename(part, `${wish.to}/${name}`);
  await syncFolder(wish.to, { deep: false });
}

/** S7: older backups whose time is over. The new one is whole by now. */
async function removeOutdated(
  { folders, retention, now }: BackupOptions,
  { wish, name: made }: Backup,
  task: BackupTask,
): Promise<void> {
  const names: string[] = [];
  for (const name of backupsIn(await folders.list(wish.to) ?? [])) {
    const manifest = `${wish.to}/${name}/${manifestName}`;
    if (await folders.realPath(manifest) !== null) names.push(name);
  }
  const old = outdated({ names, made }, retention, now().getTime());
  for (const name of old) {
    // Without its name first: a backup that is half removed must not look like one.
    const part = `${wish.to}/${partName(name)}`;
    await Deno.rename(`${wish.to}/${name}`, part);
    await folders.removeTree(part);
  }
  task.say(old.length === 0 ? "S7 no backup is outdated" : `S7 removed ${old.join(", ")}`);
}

function sizeOf({ bytes, files }: Manifest): string {
  return `${counted(files.length, "file")}, ${Math.round(bytes / 1_048_576)} MB`;
}
