/**
 * The mysqld of this node as a process: find it, start it, see it die, stop it.
 *
 * A server is started in a session of its own, so that it outlives its agent, and is found again by
 * its pid file or its command line. Its process id is trusted only together with its start time.
 * Where the machine runs it as a service, systemctl starts and stops it instead.
 */

import {
  isEnding,
  isReleased,
  isServerProgram,
  type Liveness,
  livenessOf,
} from "./process_stat.ts";
import { describeResult, type ProcessResult, run, startDetached, succeeded } from "./process.ts";
import { closedStartOptions } from "./start_options.ts";
import {
  argumentsOf,
  findServer,
  livingProcess,
  readPidFile,
  readStat,
  type ServerProcess,
} from "./server_process.ts";
import { parseVersion, type Version } from "./version.ts";
import { pause } from "./time_left.ts";

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
  /** The program that manages services, where it is not the systemctl of the PATH. */
  readonly systemctl?: string;
}

export type ServerSettings = DirectSettings | ServiceSettings;

export type ShutdownResult =
  | { readonly kind: "notRunning" }
  | { readonly kind: "stopped"; readonly afterMs: number }
  /** It did not stop in time and was ended by SIGKILL. */
  | { readonly kind: "killed"; readonly afterMs: number };

const versionMs = 20_000;
const systemctlMs = 5_000;
const serviceStartMs = 20_000;
const lookEveryMs = 20;
const killedMs = 30_000;
/** A new server refuses to start while the process id in an old socket lock still exists. */
const uncollectedMs = 2_000;
/** What a server says, and goes on, when its option file names a plugin that we name too. */
const pluginLoadedTwice = /'rpl_semi_sync_\w+' (already exists|with soname)/;
const logTailBytesMax = 4_096;
const logTailLinesMax = 8;

/** Looks once whether this life of the server goes on. Reads one small file; takes about 20 µs. */
export function look(process: ServerProcess): Liveness {
  return livenessOf(readStat(process.pid), process.startTime);
}

/** Finds, starts and stops the one server that `settings` describe. */
export class MysqlServer {
  readonly #settings: ServerSettings;
  /** Two starts at once would both find no server and make one each: the second joins the first. */
  #starting: Promise<ServerProcess> | null = null;
  /** Where the error log ended at the last start: what stands before tells of others. */
  #logBegin = 0;

  constructor(settings: ServerSettings) {
    this.#settings = settings;
  }

  /** The server that runs now, also one that an earlier agent or a person started; or null. */
  async identify(): Promise<ServerProcess | null> {
    const settings = this.#settings;
    if (settings.kind === "service") return (await serviceState(settings)).process;
    return await findServer(settings);
  }

  /**
   * Starts the server unless it runs already, and returns as soon as its process exists. It is not
   * ready to answer then: crash recovery comes first. `whyItDied` explains a start that failed.
   */
  start(): Promise<ServerProcess> {
    this.#starting ??= this.#startUnlessRunning().finally(() => this.#starting = null);
    return this.#starting;
  }

  async #startUnlessRunning(): Promise<ServerProcess> {
    const running = await this.identify();
    if (running !== null) return running;
    const settings = this.#settings;
    this.#logBegin = sizeOf(settings.errorLog);
    return settings.kind === "service"
      ? await this.#startService(settings)
      : await this.#startDirectly(settings);
  }

  /** Asks the server to stop. Only for one that acknowledges nothing any more: see `kill`. */
  async terminate(process: ServerProcess): Promise<void> {
    if (this.#settings.kind === "service") {
      await systemctl(this.#settings, ["stop", "--no-block"]);
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
  waitGone(process: ServerProcess, deadlineMs: number): Promise<boolean> {
    return goneWithin(process, deadlineMs, () => false);
  }

  /** Stops the server by a ladder: ask, wait for `termMs`, force. It is gone afterwards. */
  async shutdown(limits: { readonly termMs: number }): Promise<ShutdownResult> {
    const startedAt = performance.now();
    const process = await this.identify();
    if (process === null) {
      await formerGone(this.#settings);
      return { kind: "notRunning" };
    }
    await this.terminate(process);
    // A frozen process will not act on that signal, so nobody waits for it.
    if (await goneWithin(process, limits.termMs, () => look(process) === "stopped")) {
      return { kind: "stopped", afterMs: Math.round(performance.now() - startedAt) };
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

  /** The last lines of the error log since the last start, errors first: a sentence for an operator. */
  whyItDied(): string {
    const { errorLog } = this.#settings;
    const lines = tailLines(errorLog, this.#logBegin).filter((line) =>
      !pluginLoadedTwice.test(line)
    );
    if (lines.length === 0) {
      return this.#logBegin > 0
        ? `its error log "${errorLog}" says nothing about this start`
        : `its error log "${errorLog}" is empty or cannot be read`;
    }
    const errors = lines.filter((line) => /\[ERROR\]/.test(line));
    const shown = (errors.length > 0 ? errors : lines).slice(-logTailLinesMax);
    return `the last lines of its error log "${errorLog}" are:\n${shown.join("\n")}`;
  }

  async #startDirectly(settings: DirectSettings): Promise<ServerProcess> {
    const command = [
      settings.mysqld,
      `--defaults-file=${settings.defaultsFile}`,
      ...closedStartOptions(await versionOf(settings.mysqld)),
      ...settings.options ?? [],
    ];
    createLog(settings.errorLog);
    await formerGone(settings);
    const pid = await startDetached(command, { outputFile: settings.errorLog });
    const process = livingProcess(pid);
    if (process === null) {
      throw new Error(`Cannot start "${settings.mysqld}" as it ended at once: ${this.whyItDied()}`);
    }
    return process;
  }

  async #startService(settings: ServiceSettings): Promise<ServerProcess> {
    // A unit that failed too often refuses to start; our own back-off decides that instead. It
    // fails for a unit that is not in memory, which is fine.
    await runSystemctl(settings, ["reset-failed"]);
    await systemctl(settings, ["start", "--no-block"]);
    const endsAt = performance.now() + serviceStartMs;
    let seen = await serviceState(settings);
    while (performance.now() < endsAt && seen.active !== "failed") {
      if (seen.process !== null) return seen.process;
      await pause(10 * lookEveryMs);
      seen = await serviceState(settings);
    }
    throw new Error(
      `Cannot start service "${settings.service}" as it is "${seen.active}" after its start:` +
        ` see "systemctl status ${settings.service}"; ${this.whyItDied()}`,
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

/**
 * A killed server is dead at once and may take seconds to leave, as long as its disk is busy: so long the
 * next one would find its process id in the lock of the socket and refuse to start.
 */
async function formerGone({ pidFile }: CommonSettings): Promise<void> {
  const stat = readStat(readPidFile(pidFile));
  if (stat === undefined || !isEnding(stat)) return;
  await goneWithin(stat, killedMs, () => false);
}

async function goneWithin(
  process: Pick<ServerProcess, "pid" | "startTime">,
  deadlineMs: number,
  isHopeless: () => boolean,
): Promise<boolean> {
  const endsAt = performance.now() + deadlineMs;
  let releasedAt: number | undefined;
  while (readStat(process.pid)?.startTime === process.startTime) {
    const now = performance.now();
    if (isReleased(readStat(process.pid), process.startTime)) releasedAt ??= now;
    // Normally its parent collects it at once. A container may have nobody who does.
    if (releasedAt !== undefined && now - releasedAt >= uncollectedMs) return true;
    if (now >= endsAt || isHopeless()) return releasedAt !== undefined;
    await pause(lookEveryMs);
  }
  return true;
}

interface ServiceState {
  /** ActiveState of the unit: active, activating, inactive, failed and so on. */
  readonly active: string;
  readonly process: ServerProcess | null;
}

async function serviceState(settings: ServiceSettings): Promise<ServiceState> {
  const text = await systemctl(settings, ["show", "--property=MainPID,ActiveState"]);
  const pid = Number(/^MainPID=(\d+)$/m.exec(text)?.[1] ?? 0);
  const active = /^ActiveState=(\S+)$/m.exec(text)?.[1] ?? "unknown";
  // The main process may be the script mysqld_safe; the server itself is in the pid file then.
  const candidates = [pid, readPidFile(settings.pidFile)];
  const server = candidates.find((candidate) => isServerProgram(argumentsOf(candidate))) ?? 0;
  return { active, process: pid > 0 ? livingProcess(server) : null };
}

async function systemctl(settings: ServiceSettings, args: readonly string[]): Promise<string> {
  const result = await runSystemctl(settings, args);
  if (succeeded(result)) return result.stdoutTail;
  throw new Error(
    `Cannot manage the service "${settings.service}": ${describeResult(result)};` +
      ` check [mysql] service in the config and that the agent may use systemctl`,
  );
}

function runSystemctl(settings: ServiceSettings, args: readonly string[]): Promise<ProcessResult> {
  const { service, systemctl: program = "systemctl" } = settings;
  const command = [program, "--no-ask-password", ...args, "--", service];
  return run(command, { deadlineMs: systemctlMs });
}

/** Asks a server program for its version. */
export async function versionOf(mysqld: string): Promise<Version> {
  const result = await run([mysqld, "--version"], { deadlineMs: versionMs });
  if (!succeeded(result)) throw new Error(`Cannot use mysqld: ${describeResult(result)}`);
  const read = parseVersion(result.stdoutTail);
  if (!read.ok) throw new Error(`Cannot use "${mysqld}" as the server: ${read.because}`);
  return read.version;
}

/** A log made by root belongs to whom its folder belongs, because the server changes its user. */
function createLog(path: string): void {
  try {
    Deno.openSync(path, { write: true, createNew: true, mode: 0o640 }).close();
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    throw new Error(`Cannot create the error log "${path}" of mysqld`, { cause: error });
  }
  const { uid, gid } = Deno.statSync(path.replace(/[^/]*$/, "") || ".");
  if (Deno.uid() === 0 && uid !== null && gid !== null) Deno.chownSync(path, uid, gid);
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0; // Not there yet; who cannot read it says so later.
  }
}

/** The last lines behind `begin` of a log that may be large. One that is shorter was begun anew. */
function tailLines(path: string, begin: number): readonly string[] {
  try {
    using file = Deno.openSync(path);
    const { size } = file.statSync();
    const first = size < begin ? 0 : begin;
    const cut = size - first > logTailBytesMax;
    file.seekSync(cut ? size - logTailBytesMax : first, Deno.SeekMode.Start);
    const bytes = new Uint8Array(logTailBytesMax);
    const count = file.readSync(bytes) ?? 0;
    const lines = new TextDecoder().decode(bytes.subarray(0, count)).split("\n");
    // The first line is cut in the middle, unless all of it fits.
    return lines.slice(cut ? 1 : 0).filter((line) => line.trim() !== "");
  } catch {
    // The caller says that the log cannot be read.
    return [];
  }
}
