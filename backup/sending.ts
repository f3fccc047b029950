/** The donor's tools: its xtrabackup, its login at another host, and one private folder a copy. */
import { removeSoon } from "./folder.ts";
import { Connection } from "../mysql/client.ts";
import { messageOf } from "../mysql/message_of.ts";
import { run, succeeded } from "../mysql/process.ts";
import { rowsOf, text } from "../mysql/rows.ts";
import { parseVersion } from "../mysql/version.ts";
import { sendPrefix } from "./old_sends.ts";
import { explainSsh, sshCommand, type SshIdentity, type SshPlace, whyNoPlace } from "./ssh.ts";
import { sendCopy } from "./stream.ts";
import { missingGrants } from "./tool_grants.ts";
import {
  backupCommand,
  optionFile,
  readToolVersion,
  receiveCommand,
  type ServerPlace,
} from "./xtrabackup.ts";

export interface SendingSettings {
  /** Folder of xtrabackup on this host. */
  readonly toolFolder: string;
  readonly identity: SshIdentity;
  readonly server: ServerPlace;
  /** Gives the server's password. It is written only into a file that goes with the copy. */
  readonly password: () => string;
  /** The option file of the server. */
  readonly defaultsFile: string;
  /** A folder of this agent; each copy makes one of its own in it. */
  readonly parentFolder: string;
}

/** A login and the folder of xbstream behind it. */
export interface SendDestination extends SshPlace {
  readonly toolFolder: string;
}

export interface SendOrder {
  readonly destination: SendDestination;
  readonly target: string;
  readonly parallel: number;
  readonly throttle: number;
}

const versionMs = 15_000;
const loginMs = 20_000;
const askMs = 5_000;
/** A copy of many terabytes. */
const sendMs = 14 * 24 * 3_600_000;
/** The tool may wait long for its lock, and says nothing meanwhile. */
const silenceMs = 600_000;

/** The sending half of a copy: what speaks against it, and the stream over ssh. */
export class Sending {
  readonly #settings: SendingSettings;

  constructor(settings: SendingSettings) {
    this.#settings = settings;
  }

  /** Problems of this host and of the login, each with its next step. */
  async check(destination: SendDestination): Promise<{
    readonly problems: readonly string[];
    readonly toolVersion: string | null;
  }> {
    const place = whyNoPlace(destination);
    if (place !== null) return { problems: [place], toolVersion: null };
    const { toolFolder } = this.#settings;
    const [toolVersion, login, grants] = await Promise.all([
      toolVersionIn(toolFolder),
      this.#whyNoLogin(destination),
      this.#whyNotGranted(),
    ]);
    const tool = toolVersion === null
      ? [`xtrabackup is not in "${toolFolder}": install Percona XtraBackup`]
      : [];
    return { problems: [...tool, ...grants, ...login === null ? [] : [login]], toolVersion };
  }

  /** Sends one copy. Nothing of it stays on this host, the password least of all. */
  async send(
    order: SendOrder,
    control: { readonly signal: AbortSignal; readonly onBytes: (bytes: number) => void },
  ): Promise<{ readonly because: string | null; readonly bytes: number }> {
    const { destination, target, parallel, throttle } = order;
    const { toolFolder, identity, server, password, defaultsFile, parentFolder } = this.#settings;
    const wrong = whyNoPlace(destination);
    if (wrong !== null) return { because: wrong, bytes: 0 };
    const workFolder = Deno.makeTempDirSync({ dir: parentFolder, prefix: sendPrefix });
    try {
      const options = `${workFolder}/options.cnf`;
      const text = optionFile(defaultsFile, password());
      Deno.writeTextFileSync(options, text, { mode: 0o600, createNew: true });
      const wish = { toolFolder, optionFile: options, server, workFolder, parallel, throttle };
      const receive = receiveCommand({
        toolFolder: destination.toolFolder,
        folder: target,
        parallel,
      });
      return await sendCopy({
        source: backupCommand(wish),
        sink: sshCommand(destination, identity, receive),
        place: destination,
        identity,
        workFolder,
      }, { deadlineMs: sendMs, silenceMs, ...control });
    } catch (error) {
      return { because: messageOf(error), bytes: 0 };
    } finally {
      // The password goes first. What cannot be removed now goes with the next start of the agent.
      await removeSoon(`${workFolder}/options.cnf`);
      await removeSoon(workFolder);
    }
  }

  /** The tool would find out in the middle of its work, one after the other. */
  async #whyNotGranted(): Promise<readonly string[]> {
    const { user, host, port, socket } = this.#settings.server;
    const place = socket === null ? { host, port } : { socketPath: socket };
    try {
      await using connection = await Connection.connect({
        user,
        password: this.#settings.password(),
        ...place,
        connectMs: askMs,
        programName: "xenon-job",
      });
      const ask = (sql: string) => connection.query(sql, { deadlineMs: askMs });
      const lines = rowsOf(await ask("SHOW GRANTS")).flatMap((row) => Object.values(row));
      const [row = {}] = rowsOf(
        await ask("SELECT CURRENT_USER() AS account, VERSION() AS version"),
      );
      const read = parseVersion(text(row, "version"));
      if (!read.ok) return [read.because];
      const account = text(row, "account");
      return missingGrants({ grants: lines.map(String), account, version: read.version });
    } catch (error) {
      const because = messageOf(error);
      return [`MySQL does not say what ${user} is granted: ${because}`];
    }
  }

  async #whyNoLogin(destination: SendDestination): Promise<string | null> {
    const { identity } = this.#settings;
    const command = sshCommand(destination, identity, [
      `${destination.toolFolder}/xbstream`,
      "--help",
    ]);
    const result = await run(command, { deadlineMs: loginMs, ownSession: true });
    if (succeeded(result)) return null;
    const said = result.stderrTail.trimEnd().split("\n").at(-1)?.trim() ?? "";
    return explainSsh(result.stderrTail, destination, identity) ??
      `ssh to ${destination.host} failed: ${said || "it said nothing"}`;
  }
}

/** The version of the xtrabackup in a folder, or null. */
export async function toolVersionIn(toolFolder: string): Promise<string | null> {
  const result = await run([`${toolFolder}/xtrabackup`, "--version"], { deadlineMs: versionMs });
  return readToolVersion(`${result.stdoutTail}\n${result.stderrTail}`) ?? null;
}
