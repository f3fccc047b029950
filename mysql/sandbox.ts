/**
 * Throwaway MySQL servers for the demo and the tests.
 *
 * A data folder is initialised once for each version of the server and kept as a template; a new
 * server is a copy of it. Everything of one server lies in one folder and is removed with it.
 */

import { Connection } from "./client.ts";
import { DatabaseError } from "./client_error.ts";
import { describeResult, run, succeeded } from "./process.ts";
import { redoLogLine, sandboxOptionFile } from "./sandbox_options.ts";
import { look, MysqlServer, versionOf } from "./server.ts";
import type { ServerProcess } from "./server_process.ts";
import type { Version } from "./version.ts";
import { pause } from "./time_left.ts";

export interface CreateSandbox {
  /** The server program, of version 8.0 or later. */
  readonly mysqld: string;
  /** The folder of this server; it must not exist yet. */
  readonly folder: string;
  /** Where initialised templates are kept from one call to the next. */
  readonly cacheFolder: string;
  readonly serverId: number;
  readonly port: number;
  /** 127.0.0.1 where none is given. */
  readonly bindAddress?: string;
  /** Of root@localhost and root@'%'; empty where none is given. */
  readonly rootPassword?: string;
  /** Lines for the group [mysqld]. */
  readonly extraLines?: readonly string[];
}

/** One server that was made, whether it runs or not. */
export interface Sandbox {
  readonly mysqld: string;
  readonly folder: string;
  readonly myCnfPath: string;
  readonly dataFolder: string;
  readonly socket: string;
  /** The socket's own folder, outside `folder` where that path would be too long for a socket. */
  readonly socketFolder: string;
  readonly pidFile: string;
  readonly errorLog: string;
  readonly bindAddress: string;
  readonly port: number;
  readonly serverId: number;
  readonly rootPassword: string;
  readonly version: Version;
  readonly server: MysqlServer;
}

/** A socket's path has at most 107 bytes on Linux. */
const socketPathMax = 100;
const initialiseMs = 120_000;
const copyMs = 60_000;
const goneMs = 5_000;
const answerMs = 1_000;
const answerEveryMs = 50;

/** Makes the files of one server. It does not run yet; see `startSandbox`. */
export async function createSandbox(options: CreateSandbox): Promise<Sandbox> {
  const version = await versionOf(options.mysqld);
  const rootPassword = options.rootPassword ?? "";
  const template = await initialise({ ...options, version, rootPassword });
  Deno.mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const folder = Deno.realPathSync(options.folder);
  const socketFolder = chooseSocketFolder(folder);
  const sandbox: Sandbox = {
    mysqld: options.mysqld,
    folder,
    myCnfPath: `${folder}/my.cnf`,
    dataFolder: `${folder}/data`,
    socket: `${socketFolder}/mysql.sock`,
    socketFolder,
    pidFile: `${folder}/mysqld.pid`,
    errorLog: `${folder}/error.log`,
    bindAddress: options.bindAddress ?? "127.0.0.1",
    port: options.port,
    serverId: options.serverId,
    rootPassword,
    version,
    server: new MysqlServer({
      kind: "direct",
      mysqld: options.mysqld,
      defaultsFile: `${folder}/my.cnf`,
      pidFile: `${folder}/mysqld.pid`,
      errorLog: `${folder}/error.log`,
    }),
  };
  await copyTemplate(template, sandbox.dataFolder);
  Deno.writeTextFileSync(sandbox.myCnfPath, optionFileOf(sandbox, options.extraLines ?? []));
  return sandbox;
}

/**
 * Starts a server and waits until it answers. It is closed (super_read_only) and replicates from
 * nobody. Where it dies meanwhile, the error holds the end of its error log.
 */
export async function startSandbox(
  sandbox: Sandbox,
  limits: { readonly deadlineMs: number },
): Promise<ServerProcess> {
  const endsAt = performance.now() + limits.deadlineMs;
  const process = await sandbox.server.start();
  while (!await answers(sandbox)) {
    const dead = look(process) === "dead";
    if (dead || performance.now() >= endsAt) {
      if (dead) await sandbox.server.waitGone(process, goneMs);
      const why = dead ? "it ended" : `it does not answer within ${limits.deadlineMs} ms`;
      throw new Error(
        `Cannot start the server in "${sandbox.folder}" as ${why}; ${sandbox.server.whyItDied()}`,
      );
    }
    await pause(answerEveryMs);
  }
  return process;
}

/** Ends a server at once and removes all its files. */
export async function removeSandbox(sandbox: Sandbox): Promise<void> {
  await sandbox.server.shutdown({ termMs: 0 });
  Deno.removeSync(sandbox.folder, { recursive: true });
  if (sandbox.socketFolder !== sandbox.folder) {
    Deno.removeSync(sandbox.socketFolder, { recursive: true });
  }
}

/** Connects to a server as root through its socket. */
export function connectAsRoot(sandbox: Sandbox, connectMs: number): Promise<Connection> {
  const { socket, rootPassword } = sandbox;
  return Connection.connect({
    user: "root",
    password: rootPassword,
    socketPath: socket,
    connectMs,
  });
}

/** Makes a server writable, as no agent does: for tests that need a source without a cluster. */
export async function openForWrites(sandbox: Sandbox): Promise<void> {
  await using connection = await connectAsRoot(sandbox, answerMs);
  await connection.query("SET GLOBAL super_read_only=OFF", { deadlineMs: answerMs });
  await connection.query("SET GLOBAL read_only=OFF", { deadlineMs: answerMs });
}

/** Below the kernel's range for outgoing connections, one of which could take such a port. */
const portFirst = 20_000;
const portLast = 31_999;
const portTriesMax = 1_000;

/** Finds ports of this machine on which nobody listens, each another one. */
export function findFreePorts(count: number, address = "127.0.0.1"): readonly number[] {
  const listeners: Deno.Listener[] = [];
  try {
    for (let tries = 0; listeners.length < count; tries++) {
      if (tries > portTriesMax) throw new Error(`Cannot find ${count} free ports on ${address}`);
      const port = portFirst + Math.floor(Math.random() * (portLast - portFirst));
      try {
        listeners.push(Deno.listen({ hostname: address, port }));
      } catch (error) {
        if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      }
    }
    return listeners.map((listener) => (listener.addr as Deno.NetAddr).port);
  } finally {
    for (const listener of listeners) listener.close();
  }
}

interface InitialiseOptions extends CreateSandbox {
  readonly version: Version;
  readonly rootPassword: string;
}

/** The template for this version and password, made if there is none yet. Only one makes it. */
async function initialise(options: InitialiseOptions): Promise<string> {
  Deno.mkdirSync(options.cacheFolder, { recursive: true });
  const cache = Deno.realPathSync(options.cacheFolder);
  const template = `${cache}/${await templateName(options)}`;
  using lock = Deno.openSync(`${cache}/template.lock`, { write: true, create: true });
  // The kernel drops this lock with its holder, so a killed run blocks nobody.
  await lock.lock(true);
  if (!exists(template)) await makeTemplate(template, options);
  return template;
}

async function templateName(options: InitialiseOptions): Promise<string> {
  const text = `${options.mysqld}\n${options.version.text}\n${options.rootPassword}\n${Deno.uid()}`;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const { major, minor, patch } = options.version;
  return `template-${major}.${minor}.${patch}-${new Uint8Array(digest).toHex().slice(0, 12)}`;
}

async function makeTemplate(template: string, options: InitialiseOptions): Promise<void> {
  const unfinished = `${template}.new`;
  if (exists(unfinished)) Deno.removeSync(unfinished, { recursive: true });
  Deno.mkdirSync(unfinished, { mode: 0o700 });
  const accounts = `${unfinished}/accounts.sql`;
  Deno.writeTextFileSync(accounts, accountStatements(options.rootPassword), { mode: 0o600 });
  const asRoot = Deno.uid() === 0 ? ["--user=root"] : [];
  const result = await run([
    options.mysqld,
    "--no-defaults",
    ...asRoot,
    "--initialize-insecure",
    `--datadir=${unfinished}/data`,
    `--init-file=${accounts}`,
    `--${redoLogLine(options.version)}`,
  ], { deadlineMs: initialiseMs });
  Deno.removeSync(accounts);
  if (!succeeded(result)) {
    throw new Error(
      `Cannot initialise a data folder: ${describeResult(result)}\n${result.stderrTail.trimEnd()}`,
    );
  }
  // Every copy gets a server UUID of its own at its first start.
  Deno.removeSync(`${unfinished}/data/auto.cnf`);
  Deno.renameSync(unfinished, template);
}

/** Run while the binary log does not exist yet, so these accounts are no transactions. */
function accountStatements(rootPassword: string): string {
  const quoted = `'${rootPassword.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
  return [
    `ALTER USER root@localhost IDENTIFIED BY ${quoted};`,
    `CREATE USER root@'%' IDENTIFIED BY ${quoted};`,
    "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;",
    "",
  ].join("\n");
}

async function copyTemplate(template: string, dataFolder: string): Promise<void> {
  const result = await run(
    ["cp", "-a", "--reflink=auto", "--", `${template}/data`, dataFolder],
    { deadlineMs: copyMs },
  );
  if (!succeeded(result)) throw new Error(`Cannot copy a data folder: ${describeResult(result)}`);
}

function optionFileOf(sandbox: Sandbox, extraLines: readonly string[]): string {
  return sandboxOptionFile({ ...sandbox, asRoot: Deno.uid() === 0, extraLines });
}

function chooseSocketFolder(folder: string): string {
  const bytes = new TextEncoder().encode(`${folder}/mysql.sock`).length;
  return bytes <= socketPathMax ? folder : Deno.makeTempDirSync({ prefix: "xenon-" });
}

async function answers(sandbox: Sandbox): Promise<boolean> {
  try {
    await using connection = await connectAsRoot(sandbox, answerMs);
    await connection.query("SELECT 1", { deadlineMs: answerMs });
    return true;
  } catch (error) {
    // Not yet: it still starts. A wrong password will not become right by waiting.
    if (error instanceof DatabaseError && error.kind !== "denied") return false;
    throw error;
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
