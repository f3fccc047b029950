/**
 * The folders of a server on the real file system. Entries are renamed, never copied; nothing is
 * removed whose path names no folder of a job; no shell and no patterns are involved.
 */
import { lchown } from "node:fs/promises";
import { freeBytes } from "../mysql/data_folder.ts";
import { syncFolder } from "./folder.ts";
import { ownPrefix } from "./places.ts";
import type { Folders, Owner } from "./ports.ts";
import { messageOf } from "../mysql/message_of.ts";

const folderMode = 0o750;
const fileMode = 0o640;

/** The real folders of this host. */
export const realFolders: Folders = {
  async list(folder) {
    try {
      const names: string[] = [];
      for await (const { name } of Deno.readDir(folder)) names.push(name);
      return names.sort();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw failure(`list ${JSON.stringify(folder)}`, error);
    }
  },
  async realPath(path) {
    return await orNull(Deno.realPath(path));
  },
  async move(name, from, to) {
    try {
      await refuseExisting(`${to}/${name}`);
      await Deno.rename(`${from}/${name}`, `${to}/${name}`);
    } catch (error) {
      throw failure(`move ${JSON.stringify(`${from}/${name}`)} to ${JSON.stringify(to)}`, error);
    }
  },
  async sync(folder) {
    try {
      await orNull(syncFolder(folder, { deep: false }));
    } catch (error) {
      throw failure(`put the folder ${JSON.stringify(folder)} on disk`, error);
    }
  },
  async make(folder, owner) {
    if (await orNull(Deno.stat(folder)) !== null) return;
    await realFolders.makeNew(folder, owner);
  },
  async makeNew(folder, owner) {
    try {
      await Deno.mkdir(folder, { mode: folderMode });
      await own(folder, owner);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return false;
      throw failure(`make the folder ${JSON.stringify(folder)}`, error);
    }
  },
  async owner(path) {
    const info = await orNull(Deno.stat(path));
    return info === null ? null : { uid: info.uid ?? 0, gid: info.gid ?? 0 };
  },
  async ownerNamed(user) {
    const self = { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
    if (user === undefined || self.uid !== 0) return self;
    const line = (await Deno.readTextFile("/etc/passwd")).split("\n").map((one) => one.split(":"))
      .find(([name, , uid]) => name === user || uid === user);
    if (line === undefined) throw new Error(`Cannot find the user "${user}" of the server`);
    return { uid: Number(line[2]), gid: Number(line[3]) };
  },
  async give(folder, owner) {
    // A server's files that another user made are files the server cannot open.
    if (Deno.uid() !== 0) return;
    await own(folder, owner);
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await realFolders.give(`${folder}/${name}`, owner);
      else await own(`${folder}/${name}`, owner);
    }
  },
  async write(path, text, owner) {
    await Deno.writeTextFile(path, text, { mode: fileMode });
    await own(path, owner);
  },
  read: (path) => orNull(Deno.readTextFile(path)),
  async removeFile(path) {
    await orNull(Deno.remove(path));
  },
  async removeTree(path) {
    const parts = path.split("/");
    const ours = parts.some((part) => part.startsWith(ownPrefix));
    if (!path.startsWith("/") || !ours || parts.includes("..")) {
      throw new Error(`Cannot remove ${JSON.stringify(path)} as it is no folder of a job`);
    }
    await orNull(Deno.remove(path, { recursive: true }));
  },
  async freeBytes(folder) {
    let existing = folder;
    while (await orNull(Deno.stat(existing)) === null) {
      existing = existing.slice(0, existing.lastIndexOf("/")) || "/";
    }
    return await freeBytes(existing);
  },
  async device(path) {
    // Layered file systems give their files, unlike their folders, the numbers of the layers.
    const info = await orNull(Deno.lstat(path));
    return info?.isDirectory === true ? info.dev : null;
  },
};

/** A rename would silently replace an empty folder. */
async function refuseExisting(path: string): Promise<void> {
  if (await orNull(Deno.lstat(path)) !== null) throw new Error("there is such an entry already");
}

async function own(path: string, { uid, gid }: Owner): Promise<void> {
  if (Deno.uid() === 0) await lchown(path, uid, gid);
}

async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function failure(what: string, cause: unknown): Error {
  const because = messageOf(cause);
  return new Error(`Cannot ${what}: ${because}`, { cause });
}
