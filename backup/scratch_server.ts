/**
 * A throwaway server of the joiner that receives a clone: freshly initialised in a folder of the job,
 * reachable over its socket only, and gone with the folder. The joiner's own server may be broken, or
 * not exist yet.
 */
import { Connection } from "../mysql/client.ts";
import { describeResult, run, succeeded } from "../mysql/process.ts";
import { look, MysqlServer } from "../mysql/server.ts";
import type { CloneOffer } from "./clone_offer.ts";
import { endLeft } from "./left_processes.ts";
import type { Folders, Owner } from "./ports.ts";
import type { ScratchTemplate } from "./scratch_template.ts";
import { pause } from "../mysql/time_left.ts";

export interface ScratchOptions {
  readonly mysqld: string;
  /** Exists; everything of the server lies below. */
  readonly folder: string;
  readonly owner: Owner;
  readonly folders: Folders;
  readonly offer: CloneOffer;
  /** Spares the initialisation where an earlier copy left one. */
  readonly template: ScratchTemplate;
  /** `host:port` of the donor's MySQL. */
  readonly donor: string;
  readonly signal: AbortSignal;
}

const initialiseMs = 300_000;
const startMs = 120_000;
const answerMs = 1_000;
const pollMs = 50;
const goneMs = 30_000;
/** A socket's path has at most 107 bytes on Linux. */
const socketPathMax = 100;

/** A running scratch server. Disposing of it ends it at once. */
export class ScratchServer implements AsyncDisposable {
  readonly #server: MysqlServer;
  readonly #socket: string;

  private constructor(server: MysqlServer, socket: string) {
    this.#server = server;
    this.#socket = socket;
  }

  static async start(options: ScratchOptions): Promise<ScratchServer> {
    const { folder, folders, owner, template, signal } = options;
    const socket = socketOf(folder);
    await folders.write(`${folder}/scratch.cnf`, optionFile(options, socket), owner);
    const data = dataOf(folder);
    if (await template.take(data)) {
      try {
        return await ScratchServer.#run(options, socket);
      } catch {
        signal.throwIfAborted();
        // Whatever is wrong with it: a new one is a matter of seconds.
        await template.forget();
      }
    }
    await folders.removeTree(data);
    await initialise(options);
    await folders.removeFile(`${data}/auto.cnf`);
    await template.keep(data);
    return await ScratchServer.#run(options, socket);
  }

  static async #run(
    { folder, mysqld, signal }: ScratchOptions,
    socket: string,
  ): Promise<ScratchServer> {
    const scratch = new ScratchServer(serverIn(folder, mysqld), socket);
    try {
      await scratch.#untilItAnswers(signal);
      return scratch;
    } catch (error) {
      await scratch[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** As root, who has no password there. */
  connect(): Promise<Connection> {
    return Connection.connect({
      user: "root",
      password: "",
      socketPath: this.#socket,
      connectMs: answerMs,
      programName: "xenon-job",
    });
  }

  whyItDied(): string {
    return this.#server.whyItDied();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#server);
  }

  async #untilItAnswers(signal: AbortSignal): Promise<void> {
    const endsAt = performance.now() + startMs;
    const process = await this.#server.start();
    for (;;) {
      signal.throwIfAborted();
      try {
        await using connection = await this.connect();
        await connection.query("SELECT 1", { deadlineMs: answerMs });
        return;
      } catch (error) {
        if (look(process) === "dead" || performance.now() >= endsAt) {
          const why = this.#server.whyItDied();
          throw new Error(`Cannot start the receiving server; ${why}`, { cause: error });
        }
      }
      await pause(pollMs);
    }
  }
}

/** Ends a scratch server that an earlier agent may have left in this folder. */
export async function endScratch(folder: string, mysqld: string): Promise<void> {
  await end(serverIn(folder, mysqld));
  // An initialisation outlives its agent too.
  const option = `--defaults-file=${folder}/scratch.cnf`;
  const are = (words: readonly string[]) => words.includes(option);
  await endLeft({ are, doing: `write to "${folder}"`, endMs: goneMs });
}

async function end(server: MysqlServer): Promise<void> {
  const process = await server.identify();
  if (process === null) return;
  // What it received is synced already; its own data is nobody's.
  server.kill(process);
  await server.waitGone(process, goneMs);
}

function serverIn(folder: string, mysqld: string): MysqlServer {
  return new MysqlServer({
    kind: "direct",
    mysqld,
    defaultsFile: `${folder}/scratch.cnf`,
    pidFile: `${folder}/scratch.pid`,
    errorLog: `${folder}/scratch.log`,
  });
}

async function initialise({ mysqld, folder, signal }: ScratchOptions): Promise<void> {
  const command = [
    mysqld,
    `--defaults-file=${folder}/scratch.cnf`,
    "--initialize-insecure",
    // Half its time would pass in syncs behind what the old server writes while it stops. The server
    // that receives the copy then has the usual method: the copy must be on the disk.
    "--innodb-flush-method=nosync",
  ];
  const result = await run(command, { deadlineMs: initialiseMs, signal });
  signal.throwIfAborted();
  if (succeeded(result)) return;
  const said = serverIn(folder, mysqld).whyItDied();
  throw new Error(`Cannot make the receiving server: ${describeResult(result)}; ${said}`);
}

function dataOf(folder: string): string {
  return `${folder}/scratch`;
}

function socketOf(folder: string): string {
  const path = `${folder}/scratch.sock`;
  const short = new TextEncoder().encode(path).length <= socketPathMax;
  return short ? path : `${Deno.makeTempDirSync({ prefix: "xenon-" })}/scratch.sock`;
}

/** Its data is thrown away, so nothing of it is written with care. */
function optionFile({ folder, owner, offer, donor }: ScratchOptions, socket: string): string {
  return [
    "[mysqld]",
    // A server that root starts takes the user by number as well.
    ...(Deno.uid() === 0 ? [`user=${owner.uid}`] : []),
    `datadir="${dataOf(folder)}"`,
    `socket="${socket}"`,
    `pid_file="${folder}/scratch.pid"`,
    `log_error="${folder}/scratch.log"`,
    "skip_networking=ON",
    "skip_log_bin",
    "loose_mysqlx=0",
    // Nobody connects but over the socket.
    "loose_auto_generate_certs=OFF",
    "loose_caching_sha2_password_auto_generate_rsa_keys=OFF",
    "loose_sha256_password_auto_generate_rsa_keys=OFF",
    "secure_file_priv=NULL",
    "performance_schema=ON",
    `innodb_page_size=${offer.pageSize}`,
    `innodb_data_file_path=${offer.dataFilePath}`,
    `character_set_server=${offer.characterSet}`,
    `collation_server=${offer.collation}`,
    "innodb_buffer_pool_size=64M",
    "innodb_doublewrite=OFF",
    "innodb_flush_log_at_trx_commit=0",
    "loose_innodb_redo_log_capacity=64M",
    ...libraries(offer).map((library) => `plugin_load_add=${library}`),
    `loose_clone_valid_donor_list=${donor}`,
    "",
  ].join("\n");
}

/** Semi-sync comes with every start by us; a plugin that is named twice fails loudly. */
function libraries(offer: CloneOffer): readonly string[] {
  const others = offer.libraries.filter((library) =>
    /^[\w.-]+$/.test(library) && !/^semisync_/.test(library) && library !== "mysql_clone.so"
  );
  return ["mysql_clone.so", ...others];
}
