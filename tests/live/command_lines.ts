/** What everybody on a machine sees of running programs: their command lines. */

const sampleEveryMs = 50;

/** The words of a process, separated by blanks; empty when it has ended. */
export function commandLineOf(pid: number): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
  } catch {
    // It ended meanwhile.
    return "";
  }
}

/** Command lines of everything that runs on this machine until the signal is aborted. */
export async function sampleCommandLines(signal: AbortSignal): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  while (!signal.aborted) {
    for (const { name } of Deno.readDirSync("/proc")) {
      if (/^\d+$/.test(name)) seen.add(commandLineOf(Number(name)));
    }
    await new Promise((resolve) => setTimeout(resolve, sampleEveryMs));
  }
  return seen;
}
