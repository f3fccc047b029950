/** A file system in memory for the tests of moves and rebuilds: paths, trees and a full disk. */
import { ownPrefix } from "./places.ts";
import type { Folders, Owner } from "./ports.ts";

export interface MemoryFolders extends Folders {
  /** Every file with its text, by path. */
  readonly files: Map<string, string>;
  /** Fails the move with this number, counted from 1; then the disk is well again. */
  failMove: number | null;
  /** Folders whose names were changed by moves since they were put on disk. */
  readonly unsynced: Set<string>;
  /** Where another file system is mounted. */
  readonly mounts: Set<string>;
}

const root: Owner = { uid: 0, gid: 0 };

/** Folders exist by their files and by `make`. */
export function memoryFolders(files: Readonly<Record<string, string>>): MemoryFolders {
  const known = new Map(Object.entries(files));
  const made = new Set<string>();
  const below = (folder: string) =>
    [...known.keys(), ...made].filter((path) => path.startsWith(`${folder}/`));
  const exists = (path: string) => known.has(path) || made.has(path) || below(path).length > 0;
  let moves = 0;
  const disk: MemoryFolders = {
    files: known,
    failMove: null,
    unsynced: new Set(),
    mounts: new Set(),
    list: (folder) => {
      if (!made.has(folder) && below(folder).length === 0) return Promise.resolve(null);
      const names = below(folder).map((path) => path.slice(folder.length + 1).split("/")[0] ?? "");
      return Promise.resolve([...new Set(names)].sort());
    },
    realPath: (path) => Promise.resolve(exists(path) ? path : null),
    move: (name, from, to) => {
      moves++;
      if (moves === disk.failMove) return Promise.reject(new Error("Cannot move: disk trouble"));
      const [source, target] = [`${from}/${name}`, `${to}/${name}`];
      if (exists(target)) return Promise.reject(new Error(`Cannot move: ${target} exists`));
      for (const path of [source, ...below(source)]) {
        const text = known.get(path);
        if (text !== undefined) known.set(target + path.slice(source.length), text);
        if (made.has(path)) made.add(target + path.slice(source.length));
        known.delete(path);
        made.delete(path);
      }
      made.add(from);
      disk.unsynced.add(from).add(to);
      return Promise.resolve();
    },
    sync: (folder) => Promise.resolve(void disk.unsynced.delete(folder)),
    make: (folder) => Promise.resolve(void made.add(folder)),
    makeNew: (folder) => {
      const isNew = !exists(folder);
      made.add(folder);
      return Promise.resolve(isNew);
    },
    owner: (path) => Promise.resolve(exists(path) ? root : null),
    ownerNamed: () => Promise.resolve(root),
    give: () => Promise.resolve(),
    write: (path, text) => Promise.resolve(void known.set(path, text)),
    read: (path) => Promise.resolve(known.get(path) ?? null),
    removeFile: (path) => Promise.resolve(void known.delete(path)),
    removeTree: (path) => {
      if (!path.includes(`/${ownPrefix}`)) throw new Error(`Cannot remove ${path}`);
      for (const one of [path, ...below(path)]) {
        known.delete(one);
        made.delete(one);
        disk.unsynced.delete(one);
      }
      return Promise.resolve();
    },
    device: (path) => {
      if (!made.has(path) && below(path).length === 0) return Promise.resolve(null);
      const mounts = [...disk.mounts];
      return Promise.resolve(1 + mounts.findIndex((one) => `${path}/`.startsWith(`${one}/`)));
    },
    freeBytes: () => Promise.resolve(1e12),
  };
  return disk;
}
