/** The process a command really runs in. */
import type { World } from "../ports.ts";
import { pause } from "../../mysql/time_left.ts";

/** The world of this process; `version` is what `xenon version` says. */
export function createWorld(version: string): World {
  return {
    workingFolder: Deno.cwd(),
    // The self-extracting file runs its program from a cache, so it passes on where it stands.
    executable: Deno.env.get("XENON_SELF") ?? "",
    version,
    get colour() {
      return !Deno.noColor && Deno.stdout.isTerminal();
    },
    now: () => performance.now(),
    sleep: (ms) => pause(ms),
    date: () => Date.now(),
    say: (line) => {
      Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
    },
    readSecret: async (source, fileOption) =>
      await (await import("./secret_input.ts")).readSecret(source, fileOption),
    env: (name) => Deno.env.get(name),
    readText,
  };
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
