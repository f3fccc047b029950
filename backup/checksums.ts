/** SHA-256 of all files below a folder, computed by a program beside the agent so that it stays awake. */
import { describeResult, run, succeeded } from "../mysql/process.ts";
import { batchesOf, type SizedFile } from "./file_batches.ts";
import { walk } from "./folder.ts";
import type { ManifestFile } from "./manifest.ts";

export interface Contents {
  readonly folders: readonly string[];
  readonly files: readonly ManifestFile[];
}

const batchMs = 6 * 3_600_000;
const outputBytesMax = 4 * 1024 ** 2;

/** Lists what is below a folder, with the sum of every file. */
export async function contentsOf(
  folder: string,
  control: { readonly signal: AbortSignal; readonly progress: (bytesDone: number) => void },
): Promise<Contents> {
  const folders: string[] = [];
  const sized: SizedFile[] = [];
  for await (const { path, entry } of walk(folder)) {
    const name = path.slice(folder.length + 1);
    if (entry.isDirectory) folders.push(name);
    else if (entry.isFile) {
      sized.push({ path: name, bytes: (await Deno.lstat(path)).size });
    } else throw new Error(`Cannot keep "${path}" as it is neither a file nor a folder`);
  }
  const files: ManifestFile[] = [];
  let bytesDone = 0;
  for (const batch of batchesOf(sized)) {
    files.push(...await sumsOf(folder, batch, control.signal));
    bytesDone += batch.reduce((sum, { bytes }) => sum + bytes, 0);
    control.progress(bytesDone);
  }
  return { folders: folders.sort(), files: files.sort((a, b) => a.path < b.path ? -1 : 1) };
}

async function sumsOf(
  folder: string,
  batch: readonly SizedFile[],
  signal: AbortSignal,
): Promise<readonly ManifestFile[]> {
  // With -z no name is escaped, and a line ends where no name can.
  const command = ["sha256sum", "-b", "-z", "--", ...batch.map(({ path }) => path)];
  const result = await run(command, {
    folder,
    signal,
    deadlineMs: batchMs,
    stdoutBytesMax: outputBytesMax,
  });
  signal.throwIfAborted();
  if (!succeeded(result)) {
    throw new Error(`Cannot compute checksums in "${folder}": ${describeResult(result)}`);
  }
  const sums = result.stdoutTail.split("\0").filter((line) => line !== "");
  return batch.map(({ path, bytes }, index) => {
    const [, sha256 = "", name] = /^([0-9a-f]{64}) \*([\s\S]*)$/.exec(sums[index] ?? "") ?? [];
    if (name !== path) throw new Error(`Cannot compute the checksum of "${path}" in "${folder}"`);
    return { path, bytes, sha256 };
  });
}
