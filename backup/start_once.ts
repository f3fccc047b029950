/**
 * Starts a server on a copy once, lets it recover, asks it what it holds, and stops it cleanly. Nobody
 * can connect to it meanwhile: the question stands in its init file.
 */
import { describeResult, run, succeeded } from "../mysql/process.ts";
import { versionOf } from "../mysql/server.ts";
import { closedStartOptions } from "../mysql/start_options.ts";
import type { Version } from "../mysql/version.ts";

export interface StartOnce {
  readonly mysqld: string;
  /** The option file of the server that the copy is for; null for none. */
  readonly defaultsFile: string | null;
  readonly dataFolder: string;
  /** A folder that the server may write to. It exists; what is in it afterwards is no harm. */
  readonly workFolder: string;
  /** User that the server runs as, when we are root. */
  readonly uid: number;
  readonly memoryBytes: number;
  readonly signal?: AbortSignal;
}

const startMs = 24 * 3_600_000;
const shownLinesMax = 5;
const shownCharactersMax = 1_000;

/** Gives the GTID set that the server finds in its data; rejects with why it does not start. */
export async function startOnce(options: StartOnce): Promise<string> {
  const { dataFolder, workFolder } = options;
  const questions = `${workFolder}/questions.sql`;
  const answer = `${workFolder}/executed`;
  Deno.writeTextFileSync(questions, questionsInto(answer), { mode: 0o644 });
  const result = await run(commandOf(options, questions, await versionOf(options.mysqld)), {
    deadlineMs: startMs,
    ownSession: true,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  options.signal?.throwIfAborted();
  if (!succeeded(result)) {
    const why = `${describeResult(result)}\n${lastLines(`${workFolder}/error.log`)}`;
    throw new Error(`The copy in "${dataFolder}" cannot be started: ${why}`);
  }
  // The identity that it gave itself; every server gets one of its own at its first real start.
  Deno.removeSync(`${dataFolder}/auto.cnf`);
  return Deno.readTextFileSync(answer).trim();
}

function questionsInto(answer: string): string {
  const path = answer.replaceAll("\\", "\\\\").replaceAll("'", "''");
  // Line breaks of the set stay as they are.
  const question = `SELECT @@GLOBAL.gtid_executed INTO OUTFILE '${path}' FIELDS ESCAPED BY '';`;
  return `${question}\nSHUTDOWN;\n`;
}

function commandOf(
  options: StartOnce,
  questions: string,
  version: Version,
): readonly string[] {
  const { mysqld, defaultsFile, dataFolder, workFolder, uid, memoryBytes } = options;
  return [
    mysqld,
    defaultsFile === null ? "--no-defaults" : `--defaults-file=${defaultsFile}`,
    ...(Deno.uid() === 0 ? [`--user=${uid}`] : []),
    // Whatever the option file says: it must not come near the files of the running server.
    ...["datadir", "innodb-data-home-dir", "innodb-undo-directory", "innodb-log-group-home-dir"]
      .map((option) => `--${option}=${dataFolder}`),
    `--loose-innodb-doublewrite-dir=${dataFolder}`,
    `--init-file=${questions}`,
    `--socket=${workFolder}/s`,
    `--pid-file=${workFolder}/pid`,
    `--log-error=${workFolder}/error.log`,
    "--secure-file-priv=",
    "--skip-networking",
    "--loose-mysqlx=0",
    "--gtid-mode=ON",
    "--enforce-gtid-consistency=ON",
    // It must write nothing that a backup would then hold.
    "--skip-log-bin",
    `--relay-log=${workFolder}/relay`,
    // With the libraries that the option file may count on.
    ...closedStartOptions(version),
    "--event-scheduler=OFF",
    "--loose-auto-generate-certs=OFF",
    "--loose-sha256-password-auto-generate-rsa-keys=OFF",
    "--loose-caching-sha2-password-auto-generate-rsa-keys=OFF",
    "--innodb-buffer-pool-dump-at-shutdown=OFF",
    "--performance-schema=OFF",
    "--general-log=OFF",
    "--slow-query-log=OFF",
    "--server-id=4294967295",
    `--innodb-buffer-pool-size=${memoryBytes}`,
  ];
}

function lastLines(path: string): string {
  try {
    const lines = Deno.readTextFileSync(path).trimEnd().split("\n");
    const errors = lines.filter((line) => line.includes("[ERROR]"));
    const shown = errors.length > 0 ? errors : lines;
    return shown.slice(-shownLinesMax).join("\n").slice(-shownCharactersMax);
  } catch {
    return "it wrote no error log";
  }
}
