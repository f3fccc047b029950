/**
 * A cluster with a virtual address on hosts of their own: each has a server and an agent, the real
 * command forms it, and this process is a client in their network.
 */
import { Locator, type Target } from "../../cmd/demo/locator.ts";
import { poll } from "../../cmd/demo/lab.ts";
import { type Account, tableName } from "../../cmd/demo/workload.ts";
import { probesName } from "../../bench/watchers.ts";
import { describeResult, type ProcessResult, succeeded } from "../../mysql/process.ts";
import { type Host, HostNetwork } from "./hosts.ts";
import type { HostDisk } from "./hosts_disk.ts";
import { HostNode, mysqlPort } from "./hosts_lab_node.ts";
import { findMysqld, TemporaryFolder } from "./lab.ts";

const countDefault = 3;
const upMs = 30_000;
const formMs = 30_000;
const commandMs = 30_000;
const statementMs = 5_000;

/** Writers that know one address only, as applications of a cluster with a virtual one do. */
export class FixedLocator extends Locator {
  readonly #target: Target;

  constructor(host: string) {
    super([]);
    this.#target = { host, port: mysqlPort, name: `${host}:${mysqlPort}` };
  }

  override best(): Target {
    return this.#target;
  }
}

export interface HostsLabOptions {
  /** More sections for the configuration of a host's agent; `folder` is that of the laboratory. */
  readonly moreConfig?: (host: Host, folder: string) => string;
  /** False: everything is on the machine's disk, which has more room. */
  readonly ownDisks?: boolean;
}

export class HostsLab implements AsyncDisposable {
  readonly network: HostNetwork;
  readonly nodes: readonly HostNode[];
  readonly address: string;
  readonly account: Account = { user: "writer", password: newSecret() };
  readonly #folder: TemporaryFolder;

  private constructor(
    network: HostNetwork,
    parts: HostsLabOptions & {
      readonly folder: TemporaryFolder;
      readonly mysqld: string;
      readonly disks: readonly HostDisk[];
    },
  ) {
    const { folder, mysqld, disks, moreConfig } = parts;
    this.network = network;
    this.address = network.virtual.four;
    this.#folder = folder;
    const secrets = { root: newSecret(), replication: newSecret(), rpc: newSecret() };
    for (const [name, secret] of Object.entries(secrets)) {
      Deno.writeTextFileSync(`${folder.path}/${name}.secret`, `${secret}\n`, { mode: 0o600 });
    }
    this.nodes = network.hosts.map((host, index) => {
      const shared = { folder: folder.path, mysqld, rootPassword: secrets.root };
      const own = { host, number: index + 1, disk: disks[index] ?? null };
      const more = moreConfig?.(host, folder.path) ?? "";
      return new HostNode({ ...shared, ...own, address: this.address, moreConfig: more });
    });
  }

  /**
   * Builds hosts with disks of their own, servers and agents, and forms the cluster; there is a table
   * to write to.
   */
  static async open(count = countDefault, options: HostsLabOptions = {}): Promise<HostsLab> {
    const mysqld = await findMysqld();
    const network = await HostNetwork.open(count);
    const disks: HostDisk[] = [];
    try {
      const own = options.ownDisks === false ? [] : network.hosts;
      for (const host of own) disks.push(await network.disk(host));
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
    const folder = new TemporaryFolder();
    const lab = new HostsLab(network, { ...options, folder, mysqld, disks });
    try {
      await network.join();
      await lab.#form();
      return lab;
    } catch (error) {
      const said = lab.nodes.map((node) => node.lastWords()).join("\n");
      await lab[Symbol.asyncDispose]();
      throw new Error(`Cannot open the hosts: ${String(error)}\n${said}`, { cause: error });
    }
  }

  /** Everything of the laboratory lies below. */
  get folder(): string {
    return this.#folder.path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) node.signalAgent("SIGKILL");
    await this.network[Symbol.asyncDispose]();
    for (const node of this.nodes) await node.agentGone();
    for (const node of this.nodes) node.removeSocketFolder();
    this.#folder[Symbol.dispose]();
  }

  /** Waits for an open leader other than `except`; fails when there is none in time. */
  async leader(deadlineMs: number, except?: HostNode): Promise<HostNode> {
    const found = await poll(deadlineMs, async () => {
      const open = await Promise.all(this.nodes.map((node) => node.open()));
      return this.nodes.find((node, index) => open[index] && node !== except) ?? null;
    });
    if (found !== undefined) return found;
    throw new Error(`Cannot find a leader within ${deadlineMs} ms: ${await this.sentences()}`);
  }

  /**
   * Waits until one node leads and all others follow it with running threads. The vote of a server
   * that was replaced or lost its power counts fully only from then on that it is in step.
   */
  async whole(deadlineMs: number): Promise<boolean> {
    const whole = await poll(deadlineMs, async () => {
      const statuses = await Promise.all(this.nodes.map((node) => node.status()));
      const [leading, ...more] = statuses.filter((status) => status?.role === "LEADER");
      const following = statuses.filter((status) =>
        status?.role === "FOLLOWER" && status.mysql.receiverRunning &&
        status.mysql.applierRunning && status.leader === leading?.id &&
        !status.sentence.includes("uncertain")
      );
      const others = this.nodes.length - 1;
      const all = leading?.voters.length === this.nodes.length;
      return all && more.length === 0 && following.length === others ? true : null;
    });
    return whole ?? false;
  }

  /** What each node says about itself. */
  async sentences(): Promise<string> {
    const statuses = await Promise.all(this.nodes.map((node) => node.status()));
    return this.nodes.map(({ id }, index) => {
      const status = statuses[index];
      return `${id} ${status?.role ?? "?"}: ${status?.sentence ?? "no answer"}`;
    }).join("\n");
  }

  async #form(): Promise<void> {
    // One after the other: the first may have to prepare the data folder that all of them copy.
    for (const node of this.nodes) await node.createServer();
    await Promise.all(this.nodes.map((node) => node.startServer()));
    await Promise.all(this.nodes.map((node) => node.startAgent()));
    const healthy = await Promise.all(
      this.nodes.map((node) => poll(upMs, async () => await node.healthy() ? true : null)),
    );
    if (healthy.includes(undefined)) throw new Error("an agent does not answer");
    const [first, ...others] = this.nodes;
    const names = others.map(({ id }) => id).join(",");
    // The agents look at their servers after they answer, so the first refusals mean nothing.
    let last: ProcessResult | undefined;
    const formed = await poll(formMs, async () => {
      last = await first?.xenon(["cluster", "add", names], commandMs);
      return last !== undefined && succeeded(last) ? true : null;
    });
    if (formed !== true && last !== undefined) throw new Error(describeResult(last));
    await this.#createTable(await this.leader(formMs));
  }

  async #createTable(leader: HostNode): Promise<void> {
    const { user, password } = this.account;
    await using connection = await leader.root(statementMs);
    const statements = [
      `CREATE DATABASE ${tableName.replace(/\..*/, "")}`,
      `CREATE TABLE ${tableName} (number BIGINT NOT NULL PRIMARY KEY)`,
      `CREATE TABLE ${probesName} (number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY)`,
      `CREATE USER ${user} IDENTIFIED BY '${password}'`,
      `GRANT SELECT, INSERT ON ${tableName} TO ${user}`,
      `GRANT INSERT ON ${probesName} TO ${user}`,
    ];
    for (const sql of statements) await connection.query(sql, { deadlineMs: statementMs });
  }
}

/** Letters and digits only: it stands in option files and statements. */
function newSecret(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toHex();
}
