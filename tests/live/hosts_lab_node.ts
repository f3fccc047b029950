/** One host of a cluster with a virtual address: its server, its agent, and what is done to them. */
import { decodeNodeStatus, type NodeStatus } from "../../agent/wire_status.ts";
import { AgentProcess } from "../../cmd/demo/agent_process.ts";
import { poll } from "../../cmd/demo/lab.ts";
import { nodeConfigText } from "../../cmd/demo/node_config.ts";
import { tableName } from "../../cmd/demo/workload.ts";
import type { Connection, Endpoint } from "../../mysql/client.ts";
import type { ProcessResult } from "../../mysql/process.ts";
import { connectAsRoot, createSandbox, type Sandbox, startSandbox } from "../../mysql/sandbox.ts";
import { type Host, hostInterface } from "./hosts.ts";
import { clockVariables } from "./hosts_clock.ts";
import type { HostDisk } from "./hosts_disk.ts";
import { cacheFolder } from "./lab.ts";

export interface HostNodeOptions {
  readonly host: Host;
  readonly number: number;
  /** The folder of the whole laboratory. */
  readonly folder: string;
  readonly mysqld: string;
  readonly rootPassword: string;
  /** The virtual address. */
  readonly address: string;
  /** Where the server and the agent keep what must survive; the laboratory's folder without one. */
  readonly disk: HostDisk | null;
  /** More sections for the agent's configuration. */
  readonly moreConfig?: string;
}

/** Every host has its own ports. */
export const mysqlPort = 3306;
export const agentPort = 8801;
const root = new URL("../../", import.meta.url).pathname;
const program = [Deno.execPath(), "run", "--quiet", "-A", `${root}main.ts`];
/**
 * A program of a host sees the host's boot id, which tells a lost host from a lost process, and no
 * other host's disk, which could not be mounted anew while anybody sees it.
 */
const bootScript = `mount --bind "$1" /proc/sys/kernel/random/boot_id || exit
  awk -v own="$2" '$2 ~ "^/tmp/xenon-.*disk$" && $2 != own { print $2 }' /proc/mounts |
    xargs -r umount -l
  shift 2 && exec "$@"`;
const serverIdStep = 10;
const startMs = 60_000;
const statementMs = 5_000;
/** A server whose disk was full looks once a minute whether it still is. */
const catchUpSeconds = 90;
const statusMs = 500;
const goneMs = 60_000;
const lastWordsMax = 1_500;

export class HostNode {
  readonly host: Host;
  readonly id: string;
  readonly logPath: string;
  readonly disk: HostDisk | null;
  /** Variables for the agent. */
  environment: Readonly<Record<string, string>> = {};
  readonly #options: HostNodeOptions;
  /** What stays whatever becomes of the host. */
  readonly #base: string;
  /** What is on the host's disk. */
  readonly #stored: string;
  #sandbox: Sandbox | null = null;
  #agent: AgentProcess | null = null;
  /** Is it to be started again when it ends by itself? */
  #supervised = false;
  #copies = 0;

  constructor(options: HostNodeOptions) {
    this.#options = options;
    this.host = options.host;
    this.id = `${options.host.address}:${agentPort}`;
    this.disk = options.disk;
    this.#base = `${options.folder}/node${options.number}`;
    this.#stored = `${options.disk?.folder ?? options.folder}/node${options.number}`;
    this.#boot();
    this.logPath = `${this.#base}.log`;
  }

  /** Makes the files of an empty server, and the agent's configuration. */
  async createServer(): Promise<void> {
    const { number, mysqld } = this.#options;
    const copy = this.#copies++;
    const made = await createSandbox({
      mysqld,
      folder: `${this.#stored}-mysql${copy}`,
      cacheFolder,
      // A server skips what its own number wrote, and a new copy needs the former one's writes too.
      serverId: number + serverIdStep * copy,
      port: mysqlPort,
      bindAddress: "0.0.0.0",
    });
    this.#sandbox = this.host.server(made, `${this.#base}-bin`);
    this.#writeConfig(made);
  }

  /** Starts the new server closed and gives it a password that only this laboratory knows. */
  async startServer(): Promise<void> {
    const { rootPassword } = this.#options;
    const sandbox = this.#server();
    await startSandbox(sandbox, { deadlineMs: startMs });
    await using connection = await connectAsRoot(sandbox, statementMs);
    const both = `root@localhost IDENTIFIED BY '${rootPassword}', root@'%' IDENTIFIED BY`;
    const statements = [
      "SET GLOBAL super_read_only=OFF",
      "SET sql_log_bin=0",
      `ALTER USER ${both} '${rootPassword}'`,
      "SET GLOBAL super_read_only=ON",
    ];
    for (const sql of statements) await connection.query(sql, { deadlineMs: statementMs });
    this.#sandbox = { ...sandbox, rootPassword };
    // What was copied and configured a moment ago would not survive a loss of power.
    await this.disk?.sync();
  }

  /** Starts the agent in its host; it finds its server running, or starts it. */
  async startAgent(): Promise<void> {
    const words = [...program, "agent", "--config", `${this.#base}.toml`];
    const own = [this.#bootFile(), this.disk?.folder ?? ""];
    const boot = ["unshare", "--mount", "sh", "-c", bootScript, "sh", ...own];
    const command = this.host.command([...boot, "env", ...this.#variables(), ...words]);
    this.#agent = await AgentProcess.start(command, { outputFile: `${this.#base}.out` });
    this.#supervised = true;
  }

  /**
   * Starts an agent that ended by itself, as the unit of a system would; true when it was started.
   * One that was told to end, or whose host has no power, is left alone.
   */
  async reviveAgent(): Promise<boolean> {
    if (!this.#supervised || this.agentAlive) return false;
    await this.startAgent();
    return true;
  }

  /** From its next start on the agent takes the time of the wall clock from a file. */
  fakeClock(library: string): void {
    this.setClock(0);
    this.environment = clockVariables(library, `${this.#base}.clock`);
  }

  /** The agent's wall clock jumps to so many seconds after the real one. */
  setClock(afterSeconds: number): void {
    const sign = afterSeconds < 0 ? "-" : "+";
    Deno.writeTextFileSync(`${this.#base}.clock`, `${sign}${Math.abs(afterSeconds)}\n`);
  }

  get agentAlive(): boolean {
    return this.#agent?.alive ?? false;
  }

  /** The process of the agent; null where it does not run. */
  get agentPid(): number | null {
    return this.#agent?.alive === true ? this.#agent.pid : null;
  }

  signalAgent(signal: Deno.Signal): void {
    if (signal === "SIGKILL" || signal === "SIGTERM") this.#supervised = false;
    this.#agent?.signal(signal);
  }

  /** True when the agent's process is gone within the time. */
  agentGone(deadlineMs = goneMs): Promise<boolean> {
    return this.#agent?.waitGone(deadlineMs) ?? Promise.resolve(true);
  }

  /** Sends a signal to the server's process, if there is one. */
  async signalServer(signal: Deno.Signal): Promise<void> {
    const process = await this.#server().server.identify();
    if (process !== null) Deno.kill(process.pid, signal);
  }

  /** True when the server's process is gone within the time. */
  async serverGone(deadlineMs = goneMs): Promise<boolean> {
    const { server } = this.#server();
    const process = await server.identify();
    return process === null || await server.waitGone(process, deadlineMs);
  }

  /** Waits until the server answers, which another one started. */
  async serverBack(deadlineMs = startMs): Promise<void> {
    const back = await poll(deadlineMs, async () => {
      return await this.root(statementMs).then((connection) => connection.close(), () => null) ===
          undefined || null;
    });
    if (back === undefined) {
      throw new Error(`The server of ${this.id} is not back: ${this.lastWords()}`);
    }
  }

  /** The power of the host goes: nothing runs, no packet says so, what was not synced is gone. */
  async losePower(): Promise<void> {
    this.#supervised = false;
    await this.host.unplug();
    await this.disk?.losePower();
    await this.host.powerOff();
  }

  /** The host boots, and its agent is started as a unit of the system would be. */
  async returnPower(): Promise<void> {
    await this.disk?.mountAgain();
    this.#boot();
    await this.host.powerOn();
    await this.startAgent();
  }

  /** One line more in the server's option file, for its next start; gives what takes it back. */
  configureServer(line: string): () => void {
    const { myCnfPath } = this.#server();
    const before = Deno.readTextFileSync(myCnfPath);
    Deno.writeTextFileSync(myCnfPath, `${before}${line}\n`);
    return () => Deno.writeTextFileSync(myCnfPath, before);
  }

  /** Where the host's own programs reach the server, whatever the network does. */
  get localServer(): Pick<Endpoint, "socketPath"> {
    return { socketPath: this.#server().socket };
  }

  /**
   * The host is as new: no data, no state of its agent, which runs again. `furnish` may put a disk of
   * its own where the data goes before that.
   */
  async becomeNew(furnish: (dataFolder: string) => Promise<void> = async () => {}): Promise<void> {
    this.signalAgent("SIGKILL");
    await this.agentGone();
    const { server, dataFolder } = this.#server();
    await server.shutdown({ termMs: 0 });
    for (const folder of [dataFolder, `${this.#stored}-meta`]) {
      Deno.removeSync(folder, { recursive: true });
      Deno.mkdirSync(folder, { mode: 0o700 });
    }
    await furnish(dataFolder);
    await this.startAgent();
  }

  get socket(): string {
    return this.#server().socket;
  }

  /** The option file of its server. */
  get optionFile(): string {
    return this.#server().myCnfPath;
  }

  get rootPassword(): string {
    return this.#options.rootPassword;
  }

  /** Where its server keeps its data. */
  get dataFolder(): string {
    return this.#server().dataFolder;
  }

  /** Runs one command of xenon in this host. */
  xenon(words: readonly string[], deadlineMs: number): Promise<ProcessResult> {
    return this.host.run([...program, "--config", `${this.#base}.toml`, ...words], { deadlineMs });
  }

  /** A connection as root through the socket. */
  root(connectMs: number): Promise<Connection> {
    return connectAsRoot(this.#server(), connectMs);
  }

  /**
   * The integers of the workload from `first` on, once everything of `executed` is there; null: not in
   * time.
   */
  async integers(executed: string, first = 0): Promise<ReadonlySet<number> | null> {
    await using connection = await this.root(statementMs);
    const [row] = await connection.query("SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?) AS late", {
      deadlineMs: 1_000 * catchUpSeconds + statementMs,
      values: [executed, catchUpSeconds],
    });
    if (Number(row?.["late"]) !== 0) return null;
    const sql = `SELECT number FROM ${tableName} WHERE number >= ?`;
    const rows = await connection.query(sql, { deadlineMs: statementMs, values: [first] });
    return new Set(rows.map((one) => Number(one["number"])));
  }

  async executed(): Promise<string> {
    await using connection = await this.root(statementMs);
    const sql = "SELECT @@GLOBAL.gtid_executed AS executed";
    const [row] = await connection.query(sql, { deadlineMs: statementMs });
    return String(row?.["executed"] ?? "");
  }

  /** Seconds since 1970 as a program sees them that was started like the agent. */
  async clock(): Promise<number> {
    const result = await this.host.run(["env", ...this.#variables(), "date", "+%s"], {
      deadlineMs: statementMs,
    });
    return Number(result.stdoutTail);
  }

  /** What the agent says; null where it does not answer. */
  async status(): Promise<NodeStatus | null> {
    const said = await this.#page("status");
    if (said === null) return null;
    const decoded = decodeNodeStatus(said.value);
    return decoded.kind === "decoded" ? decoded.status : null;
  }

  /** True when this node leads and its server is open for writes. */
  async open(): Promise<boolean> {
    return (await this.#page("primary"))?.ok ?? false;
  }

  async healthy(): Promise<boolean> {
    return (await this.#page("health"))?.ok ?? false;
  }

  /** The end of what the agent wrote. */
  lastWords(): string {
    const errorLog = this.#sandbox === null ? [] : [this.#sandbox.errorLog];
    const texts = [this.logPath, `${this.#base}.out`, ...errorLog].map((path) => {
      try {
        return Deno.readTextFileSync(path).slice(-lastWordsMax);
      } catch {
        // It said nothing.
        return "";
      }
    });
    return `${this.id}: ${texts.join("\n")}`;
  }

  /** A socket with a long path has a folder elsewhere. */
  removeSocketFolder(): void {
    const { folder, socketFolder } = this.#sandbox ?? { folder: "", socketFolder: "" };
    if (folder !== socketFolder) Deno.removeSync(socketFolder, { recursive: true });
  }

  #variables(): readonly string[] {
    return Object.entries(this.environment).map(([name, value]) => `${name}=${value}`);
  }

  #boot(): void {
    Deno.writeTextFileSync(this.#bootFile(), `${crypto.randomUUID()}\n`);
  }

  /** The host's own boot id, as the kernel of the machine has only one for all of them. */
  #bootFile(): string {
    return `${this.#base}.boot`;
  }

  #server(): Sandbox {
    if (this.#sandbox === null) throw new Error(`${this.id} has no server yet`);
    return this.#sandbox;
  }

  async #page(page: string): Promise<{ readonly ok: boolean; readonly value: unknown } | null> {
    try {
      const signal = AbortSignal.timeout(statusMs);
      const response = await fetch(`http://${this.id}/${page}`, { signal });
      return { ok: response.ok, value: await response.json() };
    } catch {
      // Nobody there, frozen, or out of reach: no answer is the answer.
      return null;
    }
  }

  #writeConfig(made: Sandbox): void {
    const { folder, address, moreConfig = "" } = this.#options;
    const metaFolder = `${this.#stored}-meta`;
    Deno.mkdirSync(metaFolder, { recursive: true, mode: 0o700 });
    const text = nodeConfigText({
      id: this.id,
      metaFolder,
      mysqlPort,
      mysqld: `${this.#base}-bin/mysqld`,
      defaultsFile: made.myCnfPath,
      pidFile: made.pidFile,
      mysqlPasswordFile: `${folder}/root.secret`,
      replicationPasswordFile: `${folder}/replication.secret`,
      secretFile: `${folder}/rpc.secret`,
      logFile: this.logPath,
      timing: "default",
    });
    const timing = "[raft]\nheartbeat-timeout = 200\nelection-timeout = 1200\n";
    const vip = `[vip]\naddress = "${address}"\ninterface = "${hostInterface}"\nlease = 1000\n`;
    const changed = text.replace("[raft]\n", timing) + vip + moreConfig;
    Deno.writeTextFileSync(`${this.#base}.toml`, changed, { mode: 0o600 });
  }
}
