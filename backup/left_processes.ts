/** Ends processes that outlived whoever started them and may still write into a folder of a job. */
import { argumentsOf } from "../mysql/server_process.ts";
import { pause } from "../mysql/time_left.ts";

const lookEveryMs = 50;

export interface LeftProcesses {
  /** Are these the words of such a process? */
  readonly are: (words: readonly string[]) => boolean;
  /** What they do, for the error: `unpack into "/data"`. */
  readonly doing: string;
  readonly endMs: number;
}

/** Resolves when none of them is left; rejects when some do not end in time. */
export async function endLeft({ are, doing, endMs }: LeftProcesses): Promise<void> {
  const endsAt = performance.now() + endMs;
  for (let pids = find(are); pids.length > 0; pids = find(are)) {
    if (performance.now() >= endsAt) {
      throw new Error(`Cannot end process ${pids.join(", ")}, which may still ${doing}`);
    }
    for (const pid of pids) kill(pid);
    await pause(lookEveryMs);
  }
}

function find(are: LeftProcesses["are"]): readonly number[] {
  const pids: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (/^\d+$/.test(name) && are(argumentsOf(Number(name)))) pids.push(Number(name));
  }
  return pids;
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It ended meanwhile, or it is another user's: the next look tells which.
  }
}
