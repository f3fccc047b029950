/** A real sshd on a host, with keys, configuration and known hosts of its own in one folder. */
import type { SshIdentity, SshPlace } from "../../backup/ssh.ts";
import { startDetached } from "../../mysql/process.ts";
import { poll } from "../../cmd/demo/lab.ts";
import type { Host } from "./hosts.ts";
import { must, signalOne } from "./hosts_sweep.ts";

const program = "/usr/sbin/sshd";
const port = 22;
const upMs = 10_000;
const goneMs = 60_000;
/** sshd gives up its rights into this folder, which the package makes at its start only. */
const privilegeFolder = "/run/sshd";

/** Why there can be no sshd; null when there can. */
export function whyNoSshd(): string | null {
  try {
    Deno.statSync(program);
    return null;
  } catch {
    return "run: apt-get install openssh-server openssh-client";
  }
}

/** Keys of the clients of one laboratory. */
export class SshKeys {
  readonly folder: string;
  readonly key: string;
  readonly knownHosts: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.key = `${folder}/id`;
    this.knownHosts = `${folder}/known_hosts`;
  }

  static async make(folder: string): Promise<SshKeys> {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const keys = new SshKeys(folder);
    await makeKey(keys.key);
    Deno.writeTextFileSync(keys.knownHosts, "", { mode: 0o600 });
    return keys;
  }

  /** How a host logs in with these. */
  get identity(): SshIdentity {
    return { key: this.key, knownHosts: this.knownHosts, compress: false };
  }

  /** Learns the key of a host, as an operator does with ssh-keyscan. */
  know(sshd: Sshd): void {
    const [kind = "", key = ""] = Deno.readTextFileSync(`${sshd.hostKey}.pub`).split(" ");
    this.learn(`${sshd.place.host} ${kind} ${key}`);
  }

  learn(line: string): void {
    Deno.writeTextFileSync(this.knownHosts, `${line}\n`, { append: true });
  }

  forget(): void {
    Deno.writeTextFileSync(this.knownHosts, "");
  }
}

/** One sshd. It ends with its host, or when it is stopped. */
export class Sshd {
  readonly place: SshPlace;
  readonly hostKey: string;
  readonly #host: Host;
  readonly #folder: string;
  #pid = 0;

  constructor(host: Host, folder: string) {
    this.#host = host;
    this.#folder = folder;
    this.hostKey = `${folder}/host_key`;
    this.place = { user: "root", host: host.address, port };
  }

  /** Starts it; it lets in whoever has the key. */
  async start(keys: SshKeys): Promise<void> {
    Deno.mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    Deno.mkdirSync(privilegeFolder, { recursive: true, mode: 0o755 });
    if (!exists(this.hostKey)) await this.makeHostKey();
    Deno.copyFileSync(`${keys.key}.pub`, `${this.#folder}/authorized_keys`);
    const config = `${this.#folder}/sshd_config`;
    Deno.writeTextFileSync(config, this.#configText());
    const outputFile = `${this.#folder}/sshd.log`;
    const command = this.#host.command([program, "-D", "-e", "-f", config]);
    this.#pid = await startDetached(command, { outputFile });
    const up = await poll(upMs, () => {
      const said = Deno.readTextFileSync(outputFile);
      return Promise.resolve(said.includes("Server listening") ? true : null);
    });
    if (up === undefined) throw new Error(Deno.readTextFileSync(outputFile));
  }

  /** A new identity; before the start only. */
  async makeHostKey(): Promise<void> {
    Deno.mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    await makeKey(this.hostKey);
  }

  /** Ends the listener; sessions go on. */
  async stop(): Promise<void> {
    signalOne(this.#pid, "SIGKILL");
    const gone = await poll(goneMs, () => Promise.resolve(!exists(`/proc/${this.#pid}`) || null));
    if (gone === undefined) throw new Error(`sshd ${this.#pid} does not end`);
    Deno.removeSync(`${this.#folder}/sshd.log`);
  }

  #configText(): string {
    return [
      `Port ${port}`,
      `ListenAddress ${this.#host.address}`,
      `HostKey ${this.hostKey}`,
      `AuthorizedKeysFile ${this.#folder}/authorized_keys`,
      `PidFile ${this.#folder}/sshd.pid`,
      "UsePAM no",
      "StrictModes no",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "PermitRootLogin prohibit-password",
      "UseDNS no",
      "",
    ].join("\n");
  }
}

async function makeKey(path: string): Promise<void> {
  await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "xenon test", "-f", path]);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
