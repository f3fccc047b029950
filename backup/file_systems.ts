/**
 * Files are renamed, never copied, so what moves must stay on its file system: the entries of each place
 * go aside beside it, and the copy comes from a folder beside the data. Seen before anything is copied.
 */
import type { CopyMethodName } from "./copy_method.ts";
import { belongs, type Place, placeFor } from "./places.ts";
import type { Folders } from "./ports.ts";

const shownMax = 3;

/** Why the old entries of a place cannot be moved aside within its folder; null when they can. */
export async function whyNotAside(folders: Folders, place: Place): Promise<string | null> {
  const device = await folders.device(place.folder);
  const mounted: string[] = [];
  for (const name of await folders.list(place.folder) ?? []) {
    const path = `${place.folder}/${name}`;
    if (!belongs(place, name)) continue;
    // A file has none, and neither has what is gone by now: a running server makes and removes files.
    const own = await folders.device(path);
    if (own !== null && own !== device) mounted.push(path);
  }
  if (mounted.length === 0) return null;
  const shown = mounted.slice(0, shownMax).join(", ");
  return `"${place.folder}" cannot be moved aside as other file systems are mounted in it (${shown}): ` +
    "mount them elsewhere";
}

/** Places that a copy by this method brings files for. Only xtrabackup brings a binary log. */
export function filledBy(places: readonly Place[], method: CopyMethodName): readonly Place[] {
  return places.filter(({ role }) =>
    role !== "relayLog" && (role !== "binaryLog" || method === "xtrabackup")
  );
}

/** Places that these entries of a copy go to. */
export function filledWith(places: readonly Place[], names: readonly string[]): readonly Place[] {
  return [...new Set(names.map((name) => placeFor(places, name)))];
}

/** Why the copy cannot be moved from beside the data into these places; nothing where it can. */
export async function whyNotPlaced(
  folders: Folders,
  data: string,
  filled: readonly Place[],
): Promise<readonly string[]> {
  const device = await deviceFor(folders, data);
  const problems: string[] = [];
  for (const { role, folder } of filled) {
    if (await deviceFor(folders, folder) === device) continue;
    problems.push(
      `"${folder}" (${role}) is on another file system than "${data}", and the copy is moved there by ` +
        "renames: put both on one",
    );
  }
  return problems;
}

/** Of a folder that may have to be made first. */
async function deviceFor(folders: Folders, path: string): Promise<number | null> {
  const device = await folders.device(path || "/");
  if (device !== null || path === "") return device;
  return await deviceFor(folders, path.slice(0, path.lastIndexOf("/")));
}
