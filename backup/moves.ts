/**
 * Moving a server's files: aside, from the copy into place, and back. Every function may be interrupted
 * anywhere and be called again: it moves what is still to be moved.
 */
import type { RebuildMemo } from "./memo.ts";
import { belongs, type Place, placeFor, placesApart } from "./places.ts";
import type { Folders, Owner } from "./ports.ts";

/** A way back is tried again at most so often. */
const discardedMax = 1_000;

/** What of a job says where its files go. */
export type Moved = Pick<RebuildMemo, "places" | "work" | "owner">;

/** Folder of this job where a place's old entries are. */
function asideOf({ aside }: RebuildMemo, place: Place): string {
  return `${place.folder}/${aside}`;
}

/** Folder of this job for the copy and all that its making needs; goes at the end. */
export function workOf(memo: Moved): string {
  return `${dataOf(memo).folder}/${memo.work}`;
}

/** Folder into which the copy is made. */
export function targetOf(memo: Moved): string {
  return `${workOf(memo)}/copy`;
}

/** The place of the data folder. */
export function dataOf({ places }: Moved): Place {
  const data = places.find(({ role }) => role === "data");
  if (data === undefined) throw new Error("Cannot rebuild as the data folder is not known");
  return data;
}

/** Moves the old data aside, and says where it went. */
export async function moveAside(folders: Folders, memo: RebuildMemo): Promise<readonly string[]> {
  const moved: string[] = [];
  for (const place of placesApart(memo.places)) {
    const entries = await entriesOf(folders, place);
    if (entries.length === 0) continue;
    const aside = asideOf(memo, place);
    await folders.make(aside, memo.owner);
    await moveAll(folders, { names: entries, from: place.folder, to: aside });
    moved.push(aside);
  }
  return moved;
}

/** Moves the finished copy to where the server reads it. */
export async function putInPlace(folders: Folders, memo: Moved): Promise<void> {
  const target = targetOf(memo);
  for (const name of await folders.list(target) ?? []) {
    const place = placeFor(memo.places, name);
    await folders.make(place.folder, memo.owner);
    await folders.move(name, target, place.folder);
  }
  // A folder for logs inside the data folder went aside with it, and the server wants it there.
  for (const { folder } of memo.places) {
    await folders.make(folder, memo.owner);
    await folders.sync(folder);
  }
  await folders.sync(target);
}

/**
 * The first half of the way back, while the old data is aside as a whole: all that is in place came
 * from the copy, and goes. The journal must know when it is done: the old entries come next.
 */
export async function takeOut(folders: Folders, memo: Moved): Promise<void> {
  for (const place of placesApart(memo.places)) {
    await discard(folders, memo, { place, names: await entriesOf(folders, place) });
  }
}

/** Entries go into the job's own folder, and with it. */
async function discard(
  folders: Folders,
  memo: Moved,
  { place, names }: { readonly place: Place; readonly names: readonly string[] },
): Promise<void> {
  if (names.length === 0) return;
  const work = `${place.folder}/${memo.work}`;
  await folders.make(work, memo.owner);
  const discarded = await newFolder(folders, `${work}/discarded`, memo.owner);
  await moveAll(folders, { names, from: place.folder, to: discarded });
}

/** On disk when it returns: the journal says so next, or the other copy goes. */
async function moveAll(
  folders: Folders,
  { names, from, to }: {
    readonly names: readonly string[];
    readonly from: string;
    readonly to: string;
  },
): Promise<void> {
  for (const name of names) await folders.move(name, from, to);
  await folders.sync(to);
  await folders.sync(from);
}

/** A name that was discarded before may come again. */
async function newFolder(folders: Folders, wanted: string, owner: Owner): Promise<string> {
  for (let number = 1; number <= discardedMax; number++) {
    const folder = `${wanted}-${number}`;
    if (await folders.makeNew(folder, owner)) return folder;
  }
  throw new Error(`Cannot make "${wanted}-N" as there are too many: remove them`);
}

/**
 * The second half: the old entries return to where they were. What has the name of one that is still aside
 * is none of them: a server that somebody started in the empty folder left it.
 */
export async function putBack(folders: Folders, memo: RebuildMemo): Promise<void> {
  for (const place of placesApart(memo.places)) {
    const aside = asideOf(memo, place);
    const names = await folders.list(aside) ?? [];
    const present = await entriesOf(folders, place);
    await discard(folders, memo, { place, names: names.filter((name) => present.includes(name)) });
    await moveAll(folders, { names, from: aside, to: place.folder });
    await folders.removeTree(aside);
  }
  await removeWork(folders, memo);
}

/** Removes what this job made besides the data. */
export async function removeWork(folders: Folders, memo: Moved): Promise<void> {
  for (const place of placesApart(memo.places)) {
    await folders.removeTree(`${place.folder}/${memo.work}`);
  }
}

/** Removes the old data for good, and says from where. */
export async function removeOld(folders: Folders, memo: RebuildMemo): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const place of placesApart(memo.places)) {
    const aside = asideOf(memo, place);
    if (await folders.list(aside) === null) continue;
    await folders.removeTree(aside);
    removed.push(aside);
  }
  return removed;
}

/** Where old data lies now. */
export async function oldFolders(folders: Folders, memo: RebuildMemo): Promise<readonly string[]> {
  const found: string[] = [];
  for (const place of placesApart(memo.places)) {
    const aside = asideOf(memo, place);
    if (await folders.list(aside) !== null) found.push(aside);
  }
  return found;
}

async function entriesOf(folders: Folders, place: Place): Promise<readonly string[]> {
  const names = await folders.list(place.folder) ?? [];
  return names.filter((name) => belongs(place, name));
}
