/** A cluster on hosts that can copy each other over ssh: an sshd on each, keys, and the stand-in. */
import { installStandin, whyNoStandin } from "../fixtures/xtrabackup/install.ts";
import type { Host } from "./hosts.ts";
import { HostsLab } from "./hosts_lab.ts";
import { Sshd, SshKeys, whyNoSshd } from "./hosts_sshd.ts";
import { findMysqld } from "./lab.ts";

/** Why there can be no such cluster; null when there can. */
export async function whyNoCopies(): Promise<string | null> {
  return whyNoSshd() ?? await whyNoStandin();
}

export class CopyLab implements AsyncDisposable {
  readonly lab: HostsLab;
  readonly keys: SshKeys;
  readonly sshds: readonly Sshd[];
  readonly #started: Sshd[] = [];

  private constructor(lab: HostsLab, keys: SshKeys) {
    this.lab = lab;
    this.keys = keys;
    this.sshds = lab.network.hosts.map((host) => new Sshd(host, `${lab.folder}/sshd-${host.name}`));
  }

  static async open(): Promise<CopyLab> {
    const lab = await HostsLab.open(3, { moreConfig: backupSection, ownDisks: false });
    try {
      installStandin(toolFolderOf(lab.folder), await findMysqld());
      const copies = new CopyLab(lab, await SshKeys.make(`${lab.folder}/keys`));
      await copies.#start();
      return copies;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where xtrabackup and xbstream are, on all hosts. */
  get toolFolder(): string {
    return toolFolderOf(this.lab.folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const sshd of this.#started) await sshd.stop();
    await this.lab[Symbol.asyncDispose]();
  }

  async #start(): Promise<void> {
    for (const sshd of this.sshds) {
      await sshd.start(this.keys);
      this.#started.push(sshd);
      this.keys.know(sshd);
    }
  }
}

function toolFolderOf(folder: string): string {
  return `${folder}/bin`;
}

/** Everything that an agent needs for copies over ssh. */
function backupSection({ address }: Host, folder: string): string {
  return [
    "[backup]",
    `ssh-host = "${address}"`,
    'ssh-user = "root"',
    `ssh-key = "${folder}/keys/id"`,
    `ssh-known-hosts = "${folder}/keys/known_hosts"`,
    `xtrabackup-bindir = "${toolFolderOf(folder)}"`,
    'backup-use-memory = "64MB"',
    "keep-count = 2",
    "",
  ].join("\n");
}
