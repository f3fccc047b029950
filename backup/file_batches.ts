/** Many files in portions for one program each: small enough for a command line, and for progress. */

export interface SizedFile {
  readonly path: string;
  readonly bytes: number;
}

/** Their names must fit on one command line. */
const filesMax = 200;
const bytesMax = 2 * 1024 ** 3;

/** Portions in the order of the files. A file that is larger than a portion has one of its own. */
export function batchesOf<File extends SizedFile>(
  files: Iterable<File>,
): readonly (readonly File[])[] {
  const batches: File[][] = [];
  let bytesInLast = 0;
  for (const file of files) {
    const last = batches.at(-1);
    if (last === undefined || last.length >= filesMax || bytesInLast + file.bytes > bytesMax) {
      batches.push([file]);
      bytesInLast = file.bytes;
    } else {
      last.push(file);
      bytesInLast += file.bytes;
    }
  }
  return batches;
}
