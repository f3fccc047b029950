/** Copies the files of a backup into an empty folder, by a program so that the agent stays awake. */
import { describeResult, run, succeeded } from "../mysql/process.ts";
import type { CopyProgress } from "./copy_method.ts";
import { batchesOf } from "./file_batches.ts";
import type { Manifest } from "./manifest.ts";

const batchMs = 6 * 3_600_000;

/** Copies all files of the manifest, in batches with progress. Rejects with what the program said. */
export async function copyFiles(
  { from, to, manifest }: {
    readonly from: string;
    readonly to: string;
    readonly manifest: Manifest;
  },
  control: {
    readonly signal: AbortSignal;
    readonly progress: (progress: CopyProgress) => void;
  },
): Promise<void> {
  for (const folder of manifest.folders) {
    await Deno.mkdir(`${to}/${folder}`, { recursive: true, mode: 0o750 });
  }
  let bytesDone = 0;
  for (const batch of batchesOf(manifest.files)) {
    const paths = batch.map(({ path }) => path);
    const command = ["cp", "--reflink=auto", "--parents", "-t", to, "--", ...paths];
    const { signal } = control;
    const result = await run(command, { folder: from, deadlineMs: batchMs, signal });
    signal.throwIfAborted();
    if (!succeeded(result)) throw new Error(`Cannot copy the backup: ${describeResult(result)}`);
    bytesDone += batch.reduce((sum, { bytes }) => sum + bytes, 0);
    control.progress({ bytesDone, bytesTotal: manifest.bytes });
  }
}
