/** Whether this machine has so much memory that the disks of its hosts can lie in it. */
import { statfsSync } from "node:fs";

/** Five disks that are full, their servers, and what the kernel keeps of them. */
const bytesNeeded = 16 * 2 ** 30;

/** True where /dev/shm and the memory itself have enough left. */
export function isPlentiful(): boolean {
  return Deno.systemMemoryInfo().available >= bytesNeeded && freeBytes("/dev/shm") >= bytesNeeded;
}

function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    // There is no such folder.
    return 0;
  }
}
