/** What the tests with real servers share: where mysqld is, and folders that go away again. */

import { createSandbox, findFreePorts, type Sandbox, startSandbox } from "../../mysql/sandbox.ts";
import { removeSandbox } from "../../mysql/sandbox.ts";
import { describeResult, run, succeeded } from "../../mysql/process.ts";

const root = new URL("../../", import.meta.url).pathname;
const fetchMs = 900_000;
const startMs = 60_000;

/** Initialised data folders are kept here between runs. */
export const cacheFolder = `${root}.cache/templates`;

/** The server program: XENON_MYSQLD, or what packaging/fetch_mysql.sh finds or brings. */
export async function findMysqld(): Promise<string> {
  const given = Deno.env.get("XENON_MYSQLD");
  if (given !== undefined && given !== "") return given;
  const result = await run([`${root}packaging/fetch_mysql.sh`], { deadlineMs: fetchMs });
  const path = result.stdoutTail.trimEnd().split("\n").at(-1) ?? "";
  if (succeeded(result) && path !== "") return path;
  throw new Error(`Cannot find a MySQL server: ${describeResult(result)}\n${result.stderrTail}`);
}

/** A folder that is removed at the end of the scope. */
export class TemporaryFolder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "xenon-lab-" });

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** One running server in a folder of its own; both are gone at the end of the scope. */
export class LabServer implements AsyncDisposable {
  readonly sandbox: Sandbox;

  private constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
  }

  /** `extraLines` go to its option file, after all others. */
  static async start(serverId = 1, extraLines: readonly string[] = []): Promise<LabServer> {
    const folder = Deno.makeTempDirSync({ prefix: "xenon-lab-" });
    const [port = 0] = findFreePorts(1);
    const mysqld = await findMysqld();
    const wish = { mysqld, folder, cacheFolder, serverId, port, extraLines };
    const sandbox = await createSandbox(wish);
    const server = new LabServer(sandbox);
    try {
      await startSandbox(sandbox, { deadlineMs: startMs });
      return server;
    } catch (error) {
      await removeSandbox(sandbox);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeSandbox(this.sandbox);
  }
}
