/**
 * The words of Percona XtraBackup: argument lists, the option file that carries the password, and what
 * its output and its info files say. Pure. See its option reference and "xtrabackup_info" in its manual.
 */
import { format, parse } from "../mysql/gtid.ts";
import { atLeast, type Version } from "../mysql/version.ts";

/** Where the tool connects to. The password is in the option file, never among the arguments. */
export interface ServerPlace {
  readonly user: string;
  readonly host: string;
  readonly port: number;
  /** Used in place of host and port when given. */
  readonly socket: string | null;
}

export interface BackupWish {
  /** Folder of xtrabackup and xbstream. */
  readonly toolFolder: string;
  /** See `optionFile`. */
  readonly optionFile: string;
  readonly server: ServerPlace;
  /** Where the tool keeps its small temporary files. */
  readonly workFolder: string;
  readonly parallel: number;
  /** Chunks of 10 MB a second. */
  readonly throttle: number;
}

export interface PrepareWish {
  readonly toolFolder: string;
  readonly folder: string;
  /** As the tool takes it, such as "2GB". */
  readonly useMemory: string;
}

/** What the tool says about the copy that it took. */
export interface CopyInfo {
  /** GTID set that the copy holds, in our order; empty where the server has no GTIDs. */
  readonly gtidSet: string;
  readonly toolVersion: string;
  readonly serverVersion: string;
}

/** Files that the tool writes last: a copy without them is not whole. */
export const infoFileNames = ["xtrabackup_checkpoints", "xtrabackup_info"] as const;
export const positionFileName = "xtrabackup_binlog_info";

/** Copies a running server to standard output. */
export function backupCommand(wish: BackupWish): readonly string[] {
  const { server } = wish;
  const place = server.socket === null
    ? [`--host=${server.host}`, `--port=${server.port}`]
    : [`--socket=${server.socket}`];
  return [
    `${wish.toolFolder}/xtrabackup`,
    // The tool reads this option only where it comes first.
    `--defaults-file=${wish.optionFile}`,
    ...place,
    `--user=${server.user}`,
    "--backup",
    `--throttle=${wish.throttle}`,
    `--parallel=${wish.parallel}`,
    "--stream=xbstream",
    `--target-dir=${wish.workFolder}`,
  ];
}

/** Makes a copy fit to be started. It needs no server and no password. */
export function prepareCommand({ toolFolder, folder, useMemory }: PrepareWish): readonly string[] {
  return [
    `${toolFolder}/xtrabackup`,
    `--use-memory=${useMemory}`,
    "--prepare",
    `--target-dir=${folder}`,
  ];
}

/** Unpacks standard input into a folder that exists. */
export function receiveCommand(
  { toolFolder, folder, parallel }: {
    readonly toolFolder: string;
    readonly folder: string;
    readonly parallel: number;
  },
): readonly string[] {
  return [`${toolFolder}/xbstream`, "-x", `--parallel=${parallel}`, "-C", folder];
}

/**
 * The options of the server and, after them, the password. The tool reads one file only when it is
 * told which, so ours includes the server's.
 */
export function optionFile(serverFile: string, password: string): string {
  const quoted = password.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return `!include ${serverFile}\n[client]\npassword="${quoted}"\n`;
}

/** Why this output is not that of a run that finished; null when it is. */
export function whyUnfinished(output: string): string | null {
  const lines = output.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const last = lines.at(-1) ?? "";
  if (/(^|\s)completed OK!$/.test(last)) return null;
  const marker = 'its last line is not "completed OK!"';
  return last === "" ? `${marker}: it wrote nothing` : `${marker}: ${lastError(lines) ?? last}`;
}

/** The tool logs much after an error, so the last line alone may say little. */
function lastError(lines: readonly string[]): string | undefined {
  return lines.findLast((line) => /\[ERROR\]|\berror:|\bfailed\b/i.test(line));
}

/**
 * Reads `xtrabackup_binlog_info`: file, position and GTID set, separated by tabs. A set of several
 * servers goes on in the next lines.
 */
export function readPosition(text: string): string {
  const fields = text.trimEnd().split("\t");
  if (fields.length < 2 || !/^\d+$/.test(fields[1] ?? "")) {
    throw new SyntaxError(`Cannot read ${positionFileName}: it begins with ${shown(text)}`);
  }
  return format(parse(fields.slice(2).join("")));
}

/** Reads `xtrabackup_info`: lines `name = value`, of which the position may take several. */
export function readInfo(text: string): CopyInfo {
  const value = (name: string) => new RegExp(`^${name} = (.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
  const serverVersion = value("server_version");
  if (serverVersion === "") {
    throw new SyntaxError(`Cannot read xtrabackup_info: it begins with ${shown(text)}`);
  }
  const set = /GTID of the last change '([^']*)'/.exec(text)?.[1] ?? "";
  return { gtidSet: format(parse(set)), toolVersion: value("tool_version"), serverVersion };
}

/** Reads the answer to `xtrabackup --version`, or undefined where it is another program's. */
export function readToolVersion(output: string): string | undefined {
  return /\bxtrabackup version (\d+\.\d+\.\d+\S*)/.exec(output)?.[1];
}

/** Why this version of the tool cannot copy this server; null when it can. */
export function whyUnfit(tool: string, server: Version): string | null {
  const wanted = wantedSeries(server);
  const cannot = `xtrabackup ${tool} cannot copy MySQL ${server.text}`;
  if (!tool.startsWith(`${wanted}.`)) return `${cannot}: install Percona XtraBackup ${wanted}`;
  const patch = Number(/^\d+\.\d+\.(\d+)/.exec(tool)?.[1]);
  if (wanted !== "8.0" || patch >= newerServersFrom || patch >= server.patch) return null;
  return `${cannot}, which is newer: install Percona XtraBackup 8.0.${newerServersFrom} or newer`;
}

/** Before it, an 8.0 of the tool refuses a server of a later patch; see "supported versions" in its manual. */
const newerServersFrom = 34;

/** The series of the tool is that of the server, except before MySQL 8. */
function wantedSeries(server: Version): string {
  return atLeast(server, 8, 0, 0) ? `${server.major}.${server.minor}` : "2.4";
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
