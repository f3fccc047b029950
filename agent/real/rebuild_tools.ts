/** What a rebuild does to the server of this host: its process, its SQL, its program and its log. */
import { saveTransactions } from "../../backup/saved.ts";
import { Connection, type Endpoint } from "../../mysql/client.ts";
import { dialectOf } from "../../mysql/dialect.ts";
import { parse } from "../../mysql/gtid.ts";
import { describeResult, run, succeeded } from "../../mysql/process.ts";
import { rowsOf, text } from "../../mysql/rows.ts";
import { look, type MysqlServer } from "../../mysql/server.ts";
import type { ServerProcess } from "../../mysql/server_process.ts";
import { readHelpVariables, type ServerVariables } from "../../mysql/server_variables.ts";
import { quoteString } from "../../mysql/text.ts";
import { parseVersion } from "../../mysql/version.ts";
import type { RebuildTools } from "../rebuild_host.ts";

export interface RebuildToolsOptions {
  readonly server: MysqlServer;
  readonly mysqld: string;
  readonly basedir: string;
  readonly defaultsFile: string;
  readonly errorLog: string;
  /** The agent's account on the server of this host. */
  readonly endpoint: Endpoint;
  /** Where transactions are saved, in a folder for each job. */
  readonly savedFolder: string;
}

const connectMs = 2_000;
const statementMs = 30_000;
const helpMs = 20_000;
/** A follower's server normally stops within a second; its data is about to be replaced. */
const termMs = 10_000;
const killedMs = 10_000;
const serversMax = 5;
/** By number or name in the formats of the log, and by its words in logs without either. */
const forcedShutdownLine =
  /MY-011145|ER_SEMISYNC_FORCED_SHUTDOWN|Forced shutdown\. Some updates might not be replicated/i;
/** How much of the error log is searched, from its end. */
const logBytesMax = 16 * 1024 * 1024;

/** The real tools of this host. */
export function createRebuildTools(options: RebuildToolsOptions): RebuildTools {
  const { server } = options;
  // What was started is known by its process id at once, and by its command line some time later: on a
  // busy machine the script that wraps a server program may need a second for it.
  let started: ServerProcess | null = null;
  return {
    variables: () => variables(options),
    async stopServer() {
      await stopCold(options.endpoint);
      await stopAll(server, started);
    },
    async startServer() {
      started = await server.start();
    },
    async serverRuns() {
      return started !== null && look(started) !== "dead" || await server.identify() !== null;
    },
    async executed() {
      await using connection = await connect(options.endpoint);
      return await one(connection, "SELECT @@GLOBAL.gtid_executed AS value");
    },
    forgetSource: () => forgetSource(options.endpoint),
    setPurged: (gtids) => setPurged(options.endpoint, gtids),
    whyItDied: () => server.whyItDied(),
    forcedShutdown: () => forcedShutdown(options.errorLog),
    async saveTransactions(gtids, job) {
      await using connection = await connect(options.endpoint);
      const folder = `${options.savedFolder}/saved-job-${job}`;
      return await saveTransactions({
        connection,
        gtids: parse(gtids),
        folder,
        tools: await binlogTools(options),
      });
    },
  };
}

/**
 * The data is about to be replaced, so its pages are not written out, only the logs: should the server
 * run on it again, it recovers as after a crash. See "innodb_fast_shutdown" in the manual. A server that
 * does not answer stops as it is set.
 */
async function stopCold(endpoint: Endpoint): Promise<void> {
  try {
    await using connection = await connect(endpoint);
    await connection.query("SET GLOBAL innodb_fast_shutdown = 2", { deadlineMs: connectMs });
  } catch {
    // It only takes longer.
  }
}

/**
 * A second process on the same data, which waits for the lock of the files, would take its place; so
 * would one that was started a moment ago and is not known by its command line yet.
 */
async function stopAll(server: MysqlServer, started: ServerProcess | null): Promise<void> {
  for (let tries = 0; tries < serversMax; tries++) {
    if ((await server.shutdown({ termMs })).kind !== "notRunning") continue;
    if (started === null || look(started) === "dead") return;
    server.kill(started);
    await server.waitGone(started, killedMs);
  }
  throw new Error("Cannot stop the server as somebody starts it again and again");
}

/** Asks the running server; where it does not answer, its program reads the option files. */
async function variables(options: RebuildToolsOptions): Promise<ServerVariables> {
  const [help, live] = await Promise.all([
    helpVariables(options),
    // A server that does not run has none.
    liveVariables(options.endpoint).catch(() => []),
  ]);
  return new Map([...help, ...live]);
}

async function liveVariables(endpoint: Endpoint) {
  await using connection = await connect(endpoint);
  const sql = "SHOW GLOBAL VARIABLES";
  const rows = rowsOf(await connection.query(sql, { deadlineMs: statementMs }));
  return rows.map((row) => [text(row, "Variable_name"), text(row, "Value", "")] as const);
}

async function helpVariables(options: RebuildToolsOptions): Promise<ServerVariables> {
  const { mysqld, defaultsFile } = options;
  const command = [mysqld, `--defaults-file=${defaultsFile}`, "--verbose", "--help"];
  const result = await run(command, { deadlineMs: helpMs });
  if (succeeded(result)) return readHelpVariables(result.stdoutTail);
  throw new Error(`Cannot read the options of the server: ${describeResult(result)}`);
}

async function forgetSource(endpoint: Endpoint): Promise<void> {
  await using connection = await connect(endpoint);
  const dialect = await dialectHere(connection);
  for (const sql of [dialect.stopReplica, dialect.resetReplicaAll]) {
    await connection.query(sql, { deadlineMs: statementMs });
  }
}

/** The copy's own history is not what its tool says: it begins anew with that. */
async function setPurged(endpoint: Endpoint, gtids: string): Promise<void> {
  await using connection = await connect(endpoint);
  const dialect = await dialectHere(connection);
  const statements = [
    "SET GLOBAL super_read_only = OFF",
    dialect.resetBinaryLogs,
    `SET GLOBAL gtid_purged = ${quoteString(gtids)}`,
    "SET GLOBAL super_read_only = ON",
  ];
  for (const sql of statements) await connection.query(sql, { deadlineMs: statementMs });
}

async function dialectHere(connection: Connection) {
  const read = parseVersion(await one(connection, "SELECT @@version AS value"));
  if (!read.ok) throw new Error(`Cannot manage the new server: ${read.because}`);
  return dialectOf(read.version);
}

/** A server that is asked to stop tells clients "committed" whose commits still wait. */
async function forcedShutdown(errorLog: string): Promise<string | null> {
  const lines = (await tail(errorLog)).split("\n");
  const line = lines.findLast((one) => forcedShutdownLine.test(one));
  if (line === undefined) return null;
  const at = /\d{4}-\d\d-\d\d[T ][\d:.]+\w*/.exec(line)?.[0] ?? "some time ago";
  return `"${errorLog}" has MY-011145 of ${at}: the server was stopped while commits waited`;
}

async function tail(path: string): Promise<string> {
  try {
    using file = await Deno.open(path);
    const { size } = await file.stat();
    await file.seek(Math.max(0, size - logBytesMax), Deno.SeekMode.Start);
    return await new Response(file.readable).text();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw new Error(`Cannot read the error log "${path}" of the server`, { cause: error });
  }
}

/** Beside the server program, and where packages put it. */
async function binlogTools({ mysqld, basedir }: RebuildToolsOptions): Promise<readonly string[]> {
  const real = await Deno.realPath(mysqld);
  const folders = [real, mysqld].map((path) => path.slice(0, path.lastIndexOf("/")));
  return [...new Set([...folders, `${basedir.replace(/\/$/, "")}/bin`, "/usr/bin"])]
    .map((folder) => `${folder}/mysqlbinlog`);
}

function connect(endpoint: Endpoint): Promise<Connection> {
  return Connection.connect({ ...endpoint, connectMs, programName: "xenon-job" });
}

async function one(connection: Connection, sql: string): Promise<string> {
  const [row = {}] = rowsOf(await connection.query(sql, { deadlineMs: statementMs }));
  return text(row, "value", "");
}
