/** Whole folders: how large they are, and whom they belong to. Links are never followed. */

const folderMode = 0o750;
const fileMode = 0o640;

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
    if (Deno.uid() === 0) await Deno.chown(path, owner.uid, owner.gid);
    await Deno.chmod(path, mode);
  };
  await hand(folder, folderMode);
  for await (const { path, entry } of walk(folder)) {
    if (!entry.isSymlink) await hand(path, entry.isDirectory ? folderMode : fileMode);
  }
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
