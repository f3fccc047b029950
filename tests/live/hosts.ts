/**
 * Real hosts on one machine: a network namespace each with an address of its own, joined by a switch
 * that lives in a namespace too. A client has a namespace, and the test itself a leg into the network.
 * Needs root. A killed run leaves namespaces behind; the next one removes them.
 */
import { MysqlServer } from "../../mysql/server.ts";
import type { Sandbox } from "../../mysql/sandbox.ts";
import { type ProcessResult, run } from "../../mysql/process.ts";
import { HostDisk } from "./hosts_disk.ts";
import { type Fault, rulesOf } from "./hosts_faults.ts";
import {
  disksFolder,
  killAllIn,
  must,
  newRunName,
  pidsIn,
  removeDisk,
  removeNamespace,
  signalOne,
  sweepDeadRuns,
} from "./hosts_sweep.ts";

/** Every host's interface has this name inside its namespace. */
export const hostInterface = "eth0";
const bridge = "br0";
const hostsMax = 9;

/** Programs of a network, and the Debian packages that bring them. */
const programs: Readonly<Record<string, string>> = {
  ip: "iproute2",
  nsenter: "util-linux",
  nft: "nftables",
  sysctl: "procps",
  ping: "iputils-ping",
  arping: "iputils-arping",
  ndisc6: "ndisc6",
  ndptool: "libndp-tools",
};

/** Why there can be no hosts on this machine, with what would help; null when there can. */
export async function whyNoHosts(): Promise<string | null> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "namespaces need root on Linux";
  const missing: string[] = [];
  for (const [program, debianPackage] of Object.entries(programs)) {
    const { ended } = await run([program, "-V"], { deadlineMs: 2_000 });
    if (ended.how === "notStarted") missing.push(debianPackage);
  }
  if (missing.length > 0) return `run: apt-get install ${missing.join(" ")}`;
  const { ended } = await run(["unshare", "-n", "true"], { deadlineMs: 2_000 });
  const allowed = ended.how === "exit" && ended.code === 0;
  return allowed ? null : "this machine does not let root make network namespaces";
}

/**
 * Like `Deno.test`, for a test that needs hosts. Where there can be none it is counted as ignored, and
 * its line says why. So it is where something else is missing, which `more` says.
 */
export async function testWithHosts(
  name: string,
  test: (context: Deno.TestContext) => Promise<void>,
  more: string | null = null,
): Promise<void> {
  hindrance ??= whyNoHosts();
  const reason = await hindrance ?? more;
  const shown = reason === null ? name : `${name} (left out: ${reason})`;
  Deno.test({ name: shown, ignore: reason !== null, fn: test });
}

let hindrance: Promise<string | null> | undefined;

/** A machine as far as the network goes. Its disk is that of the real machine. */
export class Host {
  /** Also the name of its port at the switch. */
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly address6: string;
  readonly #switch: string;

  constructor(run: string, name: string, place: { readonly network: Subnet; readonly at: number }) {
    this.name = name;
    this.namespace = `${run}-${name}`;
    this.#switch = `${run}-switch`;
    this.address = `${place.network.four}.${place.at}`;
    this.address6 = `${place.network.six}::${place.at}`;
  }

  /** The same command, to be run in this host. Its process id is the one that is started. */
  command(command: readonly string[]): readonly string[] {
    return ["nsenter", `--net=/run/netns/${this.namespace}`, "--", ...command];
  }

  run(
    command: readonly string[],
    options: { readonly deadlineMs: number },
  ): Promise<ProcessResult> {
    return run(this.command(command), options);
  }

  /** Process ids of everything that runs here. */
  pids(): Promise<readonly number[]> {
    return pidsIn(this.namespace);
  }

  /** One signal for everything that runs here: SIGSTOP freezes the host, SIGCONT thaws it. */
  async signalAll(signal: Deno.Signal): Promise<void> {
    for (const pid of await this.pids()) signalOne(pid, signal);
  }

  /** Pulls the cable: the host sees that its link is down. */
  async unplug(): Promise<void> {
    await must(["ip", "-n", this.#switch, "link", "set", this.name, "down"]);
  }

  async plug(): Promise<void> {
    await must(["ip", "-n", this.#switch, "link", "set", this.name, "up"]);
  }

  /**
   * The power goes: nothing runs any more, and no packet says so. Addresses that were added are gone
   * too. What was written stays, even unsynced: for that a disk must be shut down (see the kernel's
   * EXT4_IOC_SHUTDOWN).
   */
  async powerOff(): Promise<void> {
    await this.unplug();
    await killAllIn(this.namespace);
    const device = ["dev", hostInterface, "scope", "global"];
    await must(["ip", "-n", this.namespace, "addr", "flush", ...device]);
    await this.configure();
  }

  /** The host is back, and nothing runs on it yet. */
  async powerOn(): Promise<void> {
    await this.plug();
  }

  /** Is this address on the host now? */
  async has(address: string): Promise<boolean> {
    const text = await must(["ip", "-n", this.namespace, "-o", "addr", "show", "to", address]);
    return text.includes(address);
  }

  /**
   * The same server, to be started in this host. `folder` gets a small program that does it. Let it
   * listen on 0.0.0.0, as clients come to the virtual address too.
   */
  server(sandbox: Sandbox, folder: string): Sandbox {
    Deno.mkdirSync(folder, { recursive: true });
    // A server is recognised by the name of its program. What gives its agent another clock would make
    // it hang.
    const mysqld = `${folder}/mysqld`;
    const command = this.command([sandbox.mysqld]).map(quoted).join(" ");
    Deno.writeTextFileSync(mysqld, `#!/bin/sh\nunset LD_PRELOAD\nexec ${command} "$@"\n`, {
      mode: 0o755,
    });
    const { pidFile, errorLog, myCnfPath: defaultsFile } = sandbox;
    const server = new MysqlServer({ kind: "direct", mysqld, defaultsFile, pidFile, errorLog });
    return { ...sandbox, mysqld, server };
  }

  /** The addresses that the host has from its start. */
  async configure(): Promise<void> {
    const device = ["dev", hostInterface];
    await must(["ip", "-n", this.namespace, "addr", "add", `${this.address}/24`, ...device]);
    await must(["ip", "-n", this.namespace, "addr", "add", `${this.address6}/64`, ...device]);
  }
}

interface Subnet {
  /** Three numbers of an IPv4 address. */
  readonly four: string;
  /** The first half of an IPv6 address. */
  readonly six: string;
}

/** Hosts, a client and their switch; all of it is gone at the end of the scope. */
export class HostNetwork implements AsyncDisposable {
  readonly hosts: readonly Host[];
  readonly client: Host;
  /** Addresses of this network that no host has, for a virtual one. */
  readonly virtual: { readonly four: string; readonly six: string };
  readonly #run: string;
  readonly #switch: string;
  readonly #subnet: Subnet;
  readonly #made: string[] = [];
  readonly #disks: string[] = [];
  #leg: string | null = null;
  #faults: readonly Fault[] = [];

  private constructor(count: number) {
    const run = newRunName();
    // Runs of two processes at the same time should not share the leg's route.
    const number = Math.floor(Math.random() * 250) + 1;
    const network = { four: `10.213.${number}`, six: `fd21:3:${number}` };
    this.#run = run;
    this.#switch = `${run}-switch`;
    this.#subnet = network;
    this.hosts = Array.from({ length: count }, (_, index) => {
      return new Host(run, `h${index + 1}`, { network, at: 11 + index });
    });
    this.client = new Host(run, "client", { network, at: 200 });
    this.virtual = { four: `${network.four}.100`, six: `${network.six}::100` };
  }

  /** Builds a network of so many hosts. */
  static async open(count: number): Promise<HostNetwork> {
    if (count < 1 || count > hostsMax) throw new RangeError(`Cannot build ${count} hosts`);
    await sweepDeadRuns();
    const network = new HostNetwork(count);
    try {
      await network.#build();
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  host(number: number): Host {
    const host = this.hosts[number - 1];
    if (host === undefined) throw new RangeError(`There is no host ${number}`);
    return host;
  }

  /** Adds faults to those that are there; see hosts_faults.ts. */
  async fault(faults: readonly Fault[]): Promise<void> {
    await this.#apply([...this.#faults, ...faults]);
  }

  /** Ends all faults of the switch. Unplugged hosts stay so. */
  async heal(): Promise<void> {
    await this.#apply([]);
  }

  /**
   * Joins this process to the network, so that a test can speak to agents and servers itself. Gives
   * its address. Faults hit it as they hit a host: its name is "test".
   */
  async join(): Promise<string> {
    const name = `xt${Deno.pid}`;
    const address = `${this.#subnet.four}.250`;
    const place = ["netns", this.#switch];
    await must(["ip", "link", "add", name, "type", "veth", "peer", "name", "test", ...place]);
    this.#leg = name;
    await must(["ip", "addr", "add", `${address}/24`, "dev", name]);
    await must(["ip", "link", "set", name, "up"]);
    await this.#attach("test");
    return address;
  }

  /** A disk that is full after so many megabytes; gives its folder. */
  async smallDisk(name: string, megabytes: number): Promise<string> {
    const folder = `${disksFolder}/${this.#run}-${name}`;
    Deno.mkdirSync(folder, { mode: 0o700 });
    await must(["mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "xenon", folder]);
    this.#disks.push(folder);
    return folder;
  }

  /** A disk of its own for a host: see hosts_disk.ts. It goes with the network. */
  async disk(host: Host): Promise<HostDisk> {
    const disk = await HostDisk.open(`${host.namespace}disk`);
    this.#disks.push(disk.folder);
    return disk;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It would go with its switch, but some time later.
    if (this.#leg !== null) await must(["ip", "link", "del", this.#leg]);
    for (const namespace of this.#made.toReversed()) await removeNamespace(namespace);
    for (const folder of this.#disks) await removeDisk(folder);
  }

  async #build(): Promise<void> {
    await this.#createNamespace(this.#switch);
    await must(["ip", "-n", this.#switch, "link", "add", bridge, "type", "bridge"]);
    await must(["ip", "-n", this.#switch, "link", "set", bridge, "up"]);
    for (const host of [...this.hosts, this.client]) await this.#connect(host);
  }

  async #createNamespace(namespace: string): Promise<void> {
    await must(["ip", "netns", "add", namespace]);
    this.#made.push(namespace);
    await must(["ip", "-n", namespace, "link", "set", "lo", "up"]);
  }

  async #connect(host: Host): Promise<void> {
    await this.#createNamespace(host.namespace);
    // The kernel's own duplicate probe would hold back IPv6 addresses for two seconds.
    await must(host.command(["sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0"]));
    const here = [hostInterface, "netns", host.namespace];
    const there = ["peer", "name", host.name, "netns", this.#switch];
    await must(["ip", "link", "add", ...here, "type", "veth", ...there]);
    await must(["ip", "-n", host.namespace, "link", "set", hostInterface, "up"]);
    await host.configure();
    await this.#attach(host.name);
  }

  async #attach(port: string): Promise<void> {
    await must(["ip", "-n", this.#switch, "link", "set", port, "master", bridge, "up"]);
  }

  async #apply(faults: readonly Fault[]): Promise<void> {
    const there = ["nsenter", `--net=/run/netns/${this.#switch}`, "--"];
    await must([...there, "nft", "-f", "-"], rulesOf(faults));
    this.#faults = faults;
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
