/**
 * The mysqld of this node as a process: find it, start it, see it die, stop it.
 *
 * A server is started in a session of its own, so that it outlives its agent, and is found again by
 * its pid file or its command line. Its process id is trusted only together with its start time.
 * Where the machine runs it as a service, systemctl starts and stops it instead.
 */

import {
  isReleased,
  isServerCommandLine,
  type Liveness,
  livenessOf,
  parseProcessStat,
  type ProcessStat,
} from "./process_stat.ts";
import { describeResult, run, startDetached, succeeded } from "./process.ts";

/** One life of a server: another start is another incarnation, also with the same process id. */
export interface ServerProcess {
  readonly pid: number;
  /** Clock ticks after boot, as /proc/PID/stat writes them. */
  readonly startTime: string;
  readonly bootId: string;
  /** `bootId/pid/startTime`: equal only for the same life of the same server. */
  readonly incarnation: string;
}

interface CommonSettings {
  /** The server's own pid file; see pid_file in the MySQL reference manual. */
  readonly pidFile: string;
  /** Where the server writes its errors. Its last lines explain a start that failed. */
  readonly errorLog: string;
}

/** A server that the agent starts itself. */
export interface DirectSettings extends CommonSettings {
  readonly kind: "direct";
  readonly mysqld: string;
  /** Absolute path; it is also what tells this server from others on the machine. */
  readonly defaultsFile: string;
  /** Further options for the server program, after ours. */
  readonly options?: readonly string[];
}

/** A server that systemd starts. */
export interface ServiceSettings extends CommonSettings {
  readonly kind: "service";
  readonly service: string;
}

export type ServerSettings = DirectSettings | ServiceSettings;

export type ShutdownResult =
  | { readonly kind: "notRunning" }
  | { readonly kind: "stopped"; readonly afterMs: number }
  /** It did not stop in time and was ended by SIGKILL. */
  | { readonly kind: "killed"; readonly afterMs: number };

/** A server started by us is closed and replicates from nobody until an elected term says so. */
const closedOptions = ["--super-read-only=ON", "--skip-replica-start=ON"] as const;

const systemctlMs = 5_000;
const serviceStartMs = 20_000;
const lookEveryMs = 20;
const killedMs = 30_000;
const logTailBytesMax = 4_096;
const logTailLinesMax = 8;

/** Looks once whether this life of the server goes on. Reads one small file; takes about 20 µs. */
export function look(process: ServerProcess): Liveness {
  return livenessOf(readStat(process.pid), process.startTime);
}

/** Finds, starts and stops the one server that `settings` describe. */
export class MysqlServer {
  readonly #settings: ServerSettings;

  constructor(settings: ServerSettings) {
    this.#settings = settings;
  }

  /** The server that runs now, also one that an earlier agent or a person started; or null. */
  async identify(): Promise<ServerProcess | null> {
    const settings = this.#settings;
    if (settings.kind === "service") return livingProcess(await servicePid(settings.service));
    const fromPidFile = readPidFile(settings.pidFile);
    if (isOurs(fromPidFile, settings, true)) return livingProcess(fromPidFile);
    // A server writes its pid file only after its crash recovery, which may take long.
    return livingProcess(findByCommandLine(settings));
  }

  /**
   * Starts the server unless it runs already, and returns as soon as its process exists. It is not
   * ready to answer then: crash recovery comes first. `whyItDied` explains a start that failed.
   */
  async start(): Promise<ServerProcess> {
    const running = await this.identify();
    if (running !== null) return running;
    const settings = this.#settings;
    return settings.kind === "service"
      ? await this.#startService(settings)
      : await this.#startDirectly(settings);
  }

  /** Asks the server to stop. Only for one that acknowledges nothing any more: see `kill`. */
  async terminate(process: ServerProcess): Promise<void> {
    if (this.#settings.kind === "service") {
      await systemctl(["stop", "--no-block", this.#settings.service]);
    } else {
      this.#signal(process, "SIGTERM");
    }
  }

  /**
   * Ends the server at once. This is the only way to end a server that may be an unfenced leader:
   * asked to stop, it would acknowledge the commits that still wait for a replica.
   */
  kill(process: ServerProcess): void {
    this.#signal(process, "SIGKILL");
  }

  /**
   * Waits until this life of the server is over and its files are free for the next one, which is
   * later than its death as `look` sees it. False when that is not within `deadlineMs`.
   */
  async waitGone(process: ServerProcess, deadlineMs: number): Promise<boolean> {
    const endsAt = performance.now() + deadlineMs;
    while (!isReleased(readStat(process.pid), process.startTime)) {
      if (performance.now() >= endsAt) return false;
      await sleep(lookEveryMs);
    }
    return true;
  }

  /** Stops the server by a ladder: ask, wait for `termMs`, force. It is gone afterwards. */
  async shutdown(limits: { readonly termMs: number }): Promise<ShutdownResult> {
    const startedAt = performance.now();
    const process = await this.identify();
    if (process === null) return { kind: "notRunning" };
    // A stopped process gets no signal but this one.
    if (look(process) !== "stopped") {
      await this.terminate(process);
      if (await this.waitGone(process, limits.termMs)) {
        return { kind: "stopped", afterMs: Math.round(performance.now() - startedAt) };
      }
    }
    this.kill(process);
    if (!await this.waitGone(process, killedMs)) {
      throw new Error(
        `Cannot stop mysqld ${process.pid} as it does not end within ${killedMs} ms of SIGKILL:` +
          ` it waits for a device, check its disk; state is "${look(process)}"`,
      );
    }
    return { kind: "killed", afterMs: Math.round(performance.now() - startedAt) };
  }

  /** The last lines of the error log, errors first in interest: a sentence for an operator. */
  whyItDied(): string {
    const { errorLog } = this.#settings;
    const lines = tailLines(errorLog);
    if (lines.length === 0) return `its error log "${errorLog}" is empty or cannot be read`;
    const errors = lines.filter((line) => /\[ERROR\]/.test(line));
    const shown = (errors.length > 0 ? errors : lines).slice(-logTailLinesMax);
    return `the last lines of its error log "${errorLog}" are:\n${shown.join("\n")}`;
  }

  async #startDirectly(settings: DirectSettings): Promise<ServerProcess> {
    const command = [
      settings.mysqld,
      `--defaults-file=${settings.defaultsFile}`,
      ...closedOptions,
      ...settings.options ?? [],
    ];
    const pid = await startDetached(command, { outputFile: settings.errorLog });
    const process = livingProcess(pid);
    if (process === null) {
      throw new Error(`Cannot start "${settings.mysqld}" as it ended at once: ${this.whyItDied()}`);
    }
    return process;
  }

  async #startService(settings: ServiceSettings): Promise<ServerProcess> {
    const { service } = settings;
    // A unit that failed too often refuses to start; our own back-off decides that instead.
    await run(["systemctl", "reset-failed", service], { deadlineMs: systemctlMs });
    await systemctl(["start", "--no-block", service]);
    const endsAt = performance.now() + serviceStartMs;
    while (performance.now() < endsAt) {
      const process = livingProcess(await servicePid(service));
      if (process !== null) return process;
      await sleep(10 * lookEveryMs);
    }
    throw new Error(
      `Cannot start service "${service}" within ${serviceStartMs} ms:` +
        ` see "systemctl status ${service}"; ${this.whyItDied()}`,
    );
  }

  /** Between the check and the signal no other code of ours runs, so the id is still the same. */
  #signal(process: ServerProcess, signal: Deno.Signal): void {
    if (look(process) === "dead") return;
    try {
      Deno.kill(process.pid, signal);
    } catch (cause) {
      if (look(process) === "dead") return;
      throw new Error(
        `Cannot send ${signal} to mysqld ${process.pid}: run the agent as the user of mysqld,` +
          ` or give it the capability CAP_KILL`,
        { cause },
      );
    }
  }
}

function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseProcessStat(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    // No such process. Nothing else makes this file unreadable.
    return undefined;
  }
}

/** The process with this id as one life of a server, or null where none lives. */
function livingProcess(pid: number): ServerProcess | null {
  const stat = pid > 0 ? readStat(pid) : undefined;
  if (stat === undefined || livenessOf(stat, stat.startTime) === "dead") return null;
  const bootId = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  const { startTime } = stat;
  return { pid, startTime, bootId, incarnation: `${bootId}/${pid}/${startTime}` };
}

/** The id in a pid file, or 0 where there is none. */
function readPidFile(path: string): number {
  try {
    const pid = Number(Deno.readTextFileSync(path).trim());
    return Number.isSafeInteger(pid) && pid > 0 ? pid : 0;
  } catch {
    // Absent while the server is down or still recovering.
    return 0;
  }
}

/** A pid file may be older than the process that has its number now. */
function isOurs(pid: number, settings: DirectSettings, namedByPidFile: boolean): boolean {
  if (pid <= 0) return false;
  const { defaultsFile } = settings;
  return isServerCommandLine(argumentsOf(pid), { defaultsFile, namedByPidFile });
}

function argumentsOf(pid: number): readonly string[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
  } catch {
    // It ended meanwhile.
    return [];
  }
}

function findByCommandLine(settings: DirectSettings): number {
  for (const entry of Deno.readDirSync("/proc")) {
    const pid = /^\d+$/.test(entry.name) ? Number(entry.name) : 0;
    if (isOurs(pid, settings, false)) return pid;
  }
  return 0;
}

async function servicePid(service: string): Promise<number> {
  const text = await systemctl(["show", "--property=MainPID", "--value", service]);
  const pid = Number(text.trim());
  return Number.isSafeInteger(pid) ? pid : 0;
}

async function systemctl(args: readonly string[]): Promise<string> {
  const result = await run(["systemctl", "--no-ask-password", ...args], {
    deadlineMs: systemctlMs,
  });
  if (succeeded(result)) return result.stdoutTail;
  throw new Error(
    `Cannot manage the service "${args.at(-1)}": ${describeResult(result)};` +
      ` check [mysql] service in the config and that the agent may use systemctl`,
  );
}

/** The last lines of a log that may be large, read from its end. */
function tailLines(path: string): readonly string[] {
  try {
    using file = Deno.openSync(path);
    const { size } = file.statSync();
    file.seekSync(Math.max(0, size - logTailBytesMax), Deno.SeekMode.Start);
    const bytes = new Uint8Array(logTailBytesMax);
    const count = file.readSync(bytes) ?? 0;
    const lines = new TextDecoder().decode(bytes.subarray(0, count)).split("\n");
    // The first line is cut in the middle, unless the whole file fits.
    return lines.slice(size > logTailBytesMax ? 1 : 0).filter((line) => line.trim() !== "");
  } catch {
    // The caller says that the log cannot be read.
    return [];
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
