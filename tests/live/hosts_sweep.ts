/**
 * Names and removal of what a network of hosts leaves in the machine: namespaces, and small disks.
 * Every name holds the process that made it, so that a later run can clear up after a killed one.
 */
import { describeResult, run, succeeded } from "../../mysql/process.ts";
import { isReleased } from "../../mysql/process_stat.ts";
import { readStat } from "../../mysql/server_process.ts";
import { pause } from "../../mysql/time_left.ts";

const commandMs = 10_000;
/** A killed server leaves only when its disk has taken what it wrote. */
const goneMs = 60_000;
const goneEveryMs = 20;
/** Namespace or folder: program, process id, its start time, number of the network, what it is. */
const nameShape = /^xenon-(\d+)-(\d+)-\d+-[a-z0-9]+$/;

/** Where small disks are mounted. */
export const disksFolder = "/tmp";

/** Where the files of disks with a file system of their own lie that are in memory. */
export const memoryFolder = "/dev/shm";

/** Where the file of the disk that is mounted on `folder` may be. */
export function imagesOf(folder: string): { readonly inMemory: string; readonly beside: string } {
  const name = folder.slice(disksFolder.length + 1);
  return { inMemory: `${memoryFolder}/${name}.img`, beside: `${folder}.img` };
}

let networks = 0;

/** The beginning of all names of one network. */
export function newRunName(): string {
  networks++;
  return `xenon-${Deno.pid}-${startTimeOf(Deno.pid)}-${networks}`;
}

/** Runs a command that has to succeed; gives its output. */
export async function must(command: readonly string[], stdin?: string): Promise<string> {
  const options = { deadlineMs: commandMs, ...(stdin === undefined ? {} : { stdin }) };
  const result = await run(command, options);
  if (!succeeded(result)) throw new Error(`Cannot build the hosts: ${describeResult(result)}`);
  return result.stdoutTail;
}

/** Names of all namespaces of this machine that look like ours. */
export async function listNamespaces(): Promise<readonly string[]> {
  const text = await must(["ip", "netns", "list"]);
  const names = text.split("\n").map((line) => line.split(" ")[0] ?? "");
  return names.filter((name) => nameShape.test(name));
}

/** Mount points of small disks of this machine. */
export function listDisks(): readonly string[] {
  const lines = Deno.readTextFileSync("/proc/mounts").split("\n");
  const folders = lines.map((line) => line.split(" ")[1] ?? "");
  return folders.filter((folder) => {
    return folder.startsWith(`${disksFolder}/`) &&
      nameShape.test(folder.slice(disksFolder.length + 1));
  });
}

/** Removes what runs left behind that are dead by now. */
export async function sweepDeadRuns(): Promise<void> {
  for (const name of await listNamespaces()) {
    if (isDead(name)) await removeNamespace(name);
  }
  for (const folder of listDisks()) {
    if (isDead(folder.slice(disksFolder.length + 1))) await removeDisk(folder);
  }
  // A run that died between making a disk and mounting it, or while its host had no power.
  for (const { name } of [memoryFolder, disksFolder].flatMap(listFolder)) {
    const disk = name.replace(/\.img$/, "");
    if (isDead(disk)) await removeDisk(`${disksFolder}/${disk}`);
  }
}

/** Ends everything that runs in a namespace, and the namespace with its interfaces. */
export async function removeNamespace(name: string): Promise<void> {
  await killAllIn(name);
  await must(["ip", "netns", "del", name]);
}

/** Takes a disk away, mounted or not. */
export async function removeDisk(folder: string): Promise<void> {
  if (listDisks().includes(folder)) await unmount(folder);
  for (const path of [folder, ...Object.values(imagesOf(folder))]) {
    try {
      Deno.removeSync(path);
    } catch (error) {
      // A disk in memory has no file.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Unmounts a disk; files of a killed server stay open for a moment after its end. */
export async function unmount(folder: string): Promise<void> {
  const endsAt = performance.now() + goneMs;
  while (performance.now() < endsAt) {
    if (succeeded(await run(["umount", folder], { deadlineMs: commandMs }))) return;
    await pause(goneEveryMs);
  }
  await must(["umount", folder]);
}

/** SIGKILL for everything that runs in a namespace; ends when all of it is gone. */
export async function killAllIn(name: string): Promise<void> {
  const endsAt = performance.now() + goneMs;
  const killed = new Map<number, string>();
  for (let pids = await pidsIn(name); pids.length > 0; pids = await leftOf(name, killed)) {
    if (performance.now() > endsAt) throw new Error(`Cannot end processes ${pids} of "${name}"`);
    for (const pid of pids) {
      killed.set(pid, startTimeOf(pid) ?? "gone");
      signalOne(pid, "SIGKILL");
    }
    await pause(goneEveryMs);
  }
}

/** A process leaves its namespace before the last of its threads has left the disk. */
async function leftOf(
  name: string,
  killed: ReadonlyMap<number, string>,
): Promise<readonly number[]> {
  const leaving = [...killed].filter(([pid, startTime]) => !isReleased(readStat(pid), startTime));
  return [...await pidsIn(name), ...leaving.map(([pid]) => pid)];
}

/** Process ids of what runs in a namespace. */
export async function pidsIn(name: string): Promise<readonly number[]> {
  const text = await must(["ip", "netns", "pids", name]);
  return text.split("\n").filter((line) => line !== "").map(Number);
}

export function signalOne(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    // It ended between the look and the signal.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Its names; none where there is no such folder. */
function listFolder(path: string): readonly { readonly name: string }[] {
  try {
    return [...Deno.readDirSync(path)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function isDead(name: string): boolean {
  const match = nameShape.exec(name);
  return match !== null && startTimeOf(Number(match[1])) !== match[2];
}

/** Clock ticks after boot; with the process id it names one process for ever. */
function startTimeOf(pid: number): string | undefined {
  return readStat(pid)?.startTime;
}
