/** What a data folder holds, and how much more would fit. */
import { statfs } from "node:fs/promises";

/** The data dictionary: a file since 8.0, a folder before. */
const dictionaries = ["mysql.ibd", "mysql"];

/**
 * True when nothing of a server's dictionary is there: the files were deleted, or never made. Small
 * files do not count, as a start in an empty folder that fails leaves some.
 */
export async function holdsNoData(folder: string): Promise<boolean> {
  for (const name of dictionaries) {
    if (!await isAbsent(`${folder}/${name}`)) return false;
  }
  return true;
}

async function isAbsent(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return false;
  } catch (error) {
    // A file that may not be looked at may be there.
    return error instanceof Deno.errors.NotFound;
  }
}

/** Bytes that a user without special rights can still write to the disk of a folder that exists. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return Number(bavail) * Number(bsize);
}

/**
 * What a start writes: temporary tablespaces and new logs. One that finds no room stands still, and
 * looks for some once a minute only.
 */
const startBytes = 16 * 2 ** 20;

/** True when a server that is started on this disk would only wait for space. */
export async function isFull(folder: string): Promise<boolean> {
  return await freeBytes(folder) < startBytes;
}
