/** The names of the folders that a job makes beside the data. Nothing of an earlier job is ever reused. */
import { ownPrefix, type Place, placesApart } from "./places.ts";
import type { Folders } from "./ports.ts";

export interface JobFolders {
  /** For the old data. */
  readonly aside: string;
  /** For the copy and all that its making needs. */
  readonly work: string;
}

const numbersMax = 1_000;

/**
 * Names with the number of the job, or the next ones that are free in every place: an agent whose journal
 * was lost counts from 1 again, and a folder with that number may hold data that was kept.
 */
export async function jobFolders(
  folders: Folders,
  places: readonly Place[],
  job: number,
): Promise<JobFolders> {
  for (let number = job; number < job + numbersMax; number++) {
    const names = { aside: `${ownPrefix}old-${number}`, work: `${ownPrefix}job-${number}` };
    if (await areFree(folders, places, names)) return names;
  }
  throw new Error(`Cannot begin beside so many folders "${ownPrefix}*": remove what is not needed`);
}

async function areFree(
  folders: Folders,
  places: readonly Place[],
  { aside, work }: JobFolders,
): Promise<boolean> {
  for (const { folder } of placesApart(places)) {
    for (const name of [aside, work]) {
      if (await folders.realPath(`${folder}/${name}`) !== null) return false;
    }
  }
  return true;
}
