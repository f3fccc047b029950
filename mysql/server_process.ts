/** The process of a server, as /proc shows it: found by its pid file or its command line. */

import {
  isEnding,
  isServerCommandLine,
  mayBecomeServer,
  parseProcessStat,
  type ProcessStat,
} from "./process_stat.ts";
import { pause } from "./time_left.ts";

/** One life of a server: another start is another incarnation, also with the same process id. */
export interface ServerProcess {
  readonly pid: number;
  /** Clock ticks after boot, as /proc/PID/stat writes them. */
  readonly startTime: string;
  readonly bootId: string;
  /** `bootId/pid/startTime`: equal only for the same life of the same server. */
  readonly incarnation: string;
}

/** What tells a server from all others of the machine. */
export interface ServerFiles {
  readonly pidFile: string;
  readonly defaultsFile: string;
}

const lookAgainMs = 5;
/** A process that takes up its program for longer is not waited for. */
const startingMs = 500;

/** The server with these files that runs now, also one that was started this very moment; or null. */
export async function findServer(files: ServerFiles): Promise<ServerProcess | null> {
  const endsAt = performance.now() + startingMs;
  while (true) {
    const fromPidFile = readPidFile(files.pidFile);
    if (isOurs(argumentsOf(fromPidFile), files, true)) return livingProcess(fromPidFile);
    // A server writes its pid file only after its crash recovery, which may take long.
    const { found, undecided } = findByCommandLine(files);
    if (found > 0) return livingProcess(found);
    if (!undecided || performance.now() >= endsAt) return null;
    await pause(lookAgainMs);
  }
}

/** What /proc says of a process now; undefined where none has this id. */
export function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseProcessStat(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    // No such process. Nothing else makes this file unreadable.
    return undefined;
  }
}

/** The process with this id as one life of a server, or null where none lives on. */
export function livingProcess(pid: number): ServerProcess | null {
  const stat = pid > 0 ? readStat(pid) : undefined;
  if (stat === undefined || isEnding(stat)) return null;
  const bootId = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  const { startTime } = stat;
  return { pid, startTime, bootId, incarnation: `${bootId}/${pid}/${startTime}` };
}

/** The id in a pid file, or 0 where there is none. */
export function readPidFile(path: string): number {
  try {
    const pid = Number(Deno.readTextFileSync(path).trim());
    return Number.isSafeInteger(pid) && pid > 0 ? pid : 0;
  } catch {
    // Absent while the server is down or still recovering.
    return 0;
  }
}

/** The argument list of a process, from /proc; empty when it has ended. */
export function argumentsOf(pid: number): readonly string[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
  } catch {
    // It ended meanwhile.
    return [];
  }
}

/** A pid file may be older than the process that has its number now. */
function isOurs(words: readonly string[], files: ServerFiles, namedByPidFile: boolean): boolean {
  return isServerCommandLine(words, { defaultsFile: files.defaultsFile, namedByPidFile });
}

/** The id of the server, or 0; undecided while a process has no arguments yet. */
function findByCommandLine(files: ServerFiles): { found: number; undecided: boolean } {
  let undecided = false;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const pid = Number(name);
    const words = argumentsOf(pid);
    if (isOurs(words, files, false)) return { found: pid, undecided };
    if (words.join("") === "") undecided ||= isTakingUpProgram(pid);
  }
  return { found: 0, undecided };
}

function isTakingUpProgram(pid: number): boolean {
  const stat = readStat(pid);
  return stat !== undefined && mayBecomeServer(stat);
}
