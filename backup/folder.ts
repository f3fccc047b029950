/** Whole folders: how large they are, their modes, and their way to the disk. Links are never followed. */
import { lchown } from "node:fs/promises";
import { pause } from "../mysql/time_left.ts";

const folderMode = 0o750;
const fileMode = 0o640;
const numbersMax = 1_000;
const removeMs = 20_000;
const removeEveryMs = 200;

/** Makes a private folder of this name, or with the next free number behind it, and gives its path. */
export async function makeFolder(wanted: string): Promise<string> {
  for (let number = 1; number <= numbersMax; number++) {
    const path = number === 1 ? wanted : `${wanted}-${number}`;
    try {
      await Deno.mkdir(path, { mode: 0o700 });
      return path;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
  throw new Error(`Cannot make "${wanted}" beside ${numbersMax} of that name: remove some`);
}

/** Bytes of all files below a folder. */
export async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for await (const { path, entry } of walk(folder)) {
    if (entry.isFile) bytes += (await Deno.lstat(path)).size;
  }
  return bytes;
}

/** Hands a folder over to the user of a server, readable for its group. Needs root for another user. */
export async function giveAway(
  folder: string,
  owner: { readonly uid: number; readonly gid: number },
): Promise<void> {
  const hand = async (path: string, mode: number) => {
    if (Deno.uid() === 0) await lchown(path, owner.uid, owner.gid);
    await Deno.chmod(path, mode);
  };
  await hand(folder, folderMode);
  for await (const { path, entry } of walk(folder)) {
    if (!entry.isSymlink) await hand(path, entry.isDirectory ? folderMode : fileMode);
  }
}

/** Puts a folder on disk, and with `deep` everything below it. */
export async function syncFolder(
  folder: string,
  { deep }: { readonly deep: boolean },
): Promise<void> {
  if (deep) {
    for await (const { path, entry } of walk(folder)) if (!entry.isSymlink) await sync(path);
  }
  await sync(folder);
}

/**
 * Removes a folder that a server may still be writing to for a moment, as after a copy that was ended.
 * False where that does not work in time.
 */
export async function removeSoon(folder: string): Promise<boolean> {
  const endsAt = performance.now() + removeMs;
  while (performance.now() < endsAt) {
    try {
      await Deno.remove(folder, { recursive: true });
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return true;
      await pause(removeEveryMs);
    }
  }
  return false;
}

/** Everything below a folder, folders before what is in them. */
export async function* walk(
  folder: string,
): AsyncGenerator<{ readonly path: string; readonly entry: Deno.DirEntry }> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    yield { path, entry };
    if (entry.isDirectory) yield* walk(path);
  }
}

async function sync(path: string): Promise<void> {
  using file = await Deno.open(path);
  await file.sync();
}
