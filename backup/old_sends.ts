/** Clears up after an agent that was killed while it sent a copy. */
import { endLeft } from "./left_processes.ts";

/** Begins the name of the private folder of each copy that is sent. */
export const sendPrefix = "send-";
const endMs = 5_000;

/**
 * Ends the programs of such copies and removes their folders below `parentFolder`, each with an option
 * file that holds a password. Half of a pipe waits for the other half for ever, so the programs do not
 * end by themselves. Gives a sentence for each copy whose programs could not be ended.
 */
export async function removeOldSends(parentFolder: string): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const { name } of [...Deno.readDirSync(parentFolder)]) {
    if (!name.startsWith(sendPrefix)) continue;
    const folder = `${parentFolder}/${name}`;
    const own = [`${folder}/pipe`, `--defaults-file=${folder}/options.cnf`];
    const are = (words: readonly string[]) => words.some((word) => own.includes(word));
    const ended = endLeft({ are, doing: `send the copy of "${folder}"`, endMs });
    await ended.catch((error: Error) => problems.push(error.message));
    Deno.removeSync(folder, { recursive: true });
  }
  return problems;
}
