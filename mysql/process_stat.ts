/**
 * What Linux says about a process in /proc/PID/stat, and what that means for a server.
 *
 * The death of a process shows there about a hundred milliseconds before its sockets are closed,
 * because the kernel gives its memory back in between.
 */

/** The fields of /proc/PID/stat that are needed here. See proc_pid_stat(5). */
export interface ProcessStat {
  readonly pid: number;
  /** One letter: R, S, D, T, t, Z, X, I and a few more. */
  readonly state: string;
  readonly flags: number;
  /** Threads that are not yet gone, the main one included. */
  readonly threads: number;
  /** Start time in clock ticks after boot, as written: it tells two processes with one id apart. */
  readonly startTime: string;
  /** True when SIGKILL was sent to it: it runs nothing of its own any more, and has yet to leave. */
  readonly killed: boolean;
}

export type Liveness =
  /** It runs, or sleeps and could run. */
  | "running"
  /** Somebody stopped it with SIGSTOP or a debugger. */
  | "stopped"
  /** Its main thread is in an uninterruptible wait, mostly for a disk; short ones are normal. */
  | "uninterruptible"
  /** It is gone, going, or the process id belongs to another process now. */
  | "dead";

/** The kernel sets this flag when a process has begun to exit. */
const exitingFlag = 0x4;
const kernelThreadFlag = 0x200000;
/** SIGKILL in a set of signals. */
const killBit = 1 << 8;

/** Reads one line of /proc/PID/stat; undefined for text that is not one. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  // The second field is a name in parentheses that may itself hold spaces and parentheses.
  const nameEnd = text.lastIndexOf(")");
  if (nameEnd < 0) return undefined;
  const pid = Number.parseInt(text, 10);
  const fields = text.slice(nameEnd + 2).split(" ");
  const state = fields[0];
  const flags = Number(fields[6]);
  const threads = Number(fields[17]);
  const startTime = fields[19];
  if (!Number.isSafeInteger(pid) || !Number.isSafeInteger(flags)) return undefined;
  if (state === undefined || state === "" || startTime === undefined) return undefined;
  const killed = (Number(fields[28]) & killBit) !== 0;
  return { pid, state, flags, threads, startTime: startTime.trim(), killed };
}

/** How alive is the process that started at `startTime`, as seen in `stat`? */
export function livenessOf(stat: ProcessStat | undefined, startTime: string): Liveness {
  if (stat === undefined || stat.startTime !== startTime) return "dead";
  if ((stat.flags & exitingFlag) !== 0) return "dead";
  switch (stat.state) {
    case "Z":
    case "X":
    case "x":
      return "dead";
    case "T":
    case "t":
      return "stopped";
    case "D":
      return "uninterruptible";
    default:
      return "running";
  }
}

/**
 * Has this life given back its memory, files and locks, so that the next one can begin? True also
 * for a zombie that its parent has not collected yet, once no other thread of it is left.
 */
export function isReleased(stat: ProcessStat | undefined, startTime: string): boolean {
  if (stat === undefined || stat.startTime !== startTime) return true;
  return "ZXx".includes(stat.state) && stat.threads <= 1;
}

/**
 * True when this life of a server is over or was ended, though its process may still be there. A
 * killed process shows it in its pending signals before a processor is free for its exit.
 */
export function isEnding(stat: ProcessStat): boolean {
  return stat.killed || livenessOf(stat, stat.startTime) === "dead";
}

/**
 * True for a process whose empty argument list says nothing: between the moments when it takes up
 * another program and when that one has its arguments, which a busy machine makes 20 ms long.
 */
export function mayBecomeServer(stat: ProcessStat): boolean {
  return (stat.flags & kernelThreadFlag) === 0 && !isEnding(stat);
}

/** What tells our server from another process that happens to have its process id. */
export interface ServerCommandLine {
  readonly defaultsFile: string;
  /** Its own pid file names the process, so a command line without any option file is enough. */
  readonly namedByPidFile: boolean;
}

/** Options with which the server program does something else than serve. */
const otherWork = /^--(initialize(-insecure)?|help|validate-config|print-defaults|version)\b/;
const defaultsOption = "--defaults-file=";

/** Is this argument list (from /proc/PID/cmdline) that of the server which is wanted? */
export function isServerCommandLine(
  argumentList: readonly string[],
  wanted: ServerCommandLine,
): boolean {
  if (!isServerProgram(argumentList)) return false;
  if (argumentList.some((argument) => otherWork.test(argument))) return false;
  const file = argumentList.find((argument) => argument.startsWith(defaultsOption));
  if (file === undefined) return wanted.namedByPidFile;
  return file.slice(defaultsOption.length) === wanted.defaultsFile;
}

/** Is this the command line of a server program, also behind a loader or a wrapper script? */
export function isServerProgram(argumentList: readonly string[]): boolean {
  const names = argumentList.map((argument) => argument.slice(argument.lastIndexOf("/") + 1));
  return names.some((name) => name === "mysqld" || name === "mariadbd");
}
