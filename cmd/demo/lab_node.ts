/**
 * One node of a laboratory cluster: a throwaway server, the agent beside it, and what can be done
 * to both of them. Everything it starts is ended by process id and start time.
 */
import { decodeNodeStatus, type NodeStatus } from "../../agent/wire_status.ts";
import { Connection } from "../../mysql/client.ts";
import { connectAsRoot, createSandbox, type Sandbox, startSandbox } from "../../mysql/sandbox.ts";
import type { ServerProcess } from "../../mysql/server_process.ts";
import { AgentProcess } from "./agent_process.ts";
import { nodeConfigText, type Timing } from "./node_config.ts";

export interface LabNodeOptions {
  readonly number: number;
  /** The folder of the whole laboratory. */
  readonly folder: string;
  readonly agentPort: number;
  readonly mysqlPort: number;
  readonly mysqld: string;
  readonly cacheFolder: string;
  readonly timing: Timing;
  readonly rootPassword: string;
  /** The command that runs xenon, without its words. */
  readonly program: readonly string[];
  /** Changes the text of the config. */
  readonly edit?: (config: string) => string;
}

const serverIdStep = 10;
const startMs = 60_000;
const statementMs = 5_000;
const statusMs = 500;
const goneMs = 60_000;

/** One agent with its MySQL. */
export class LabNode {
  readonly id: string;
  readonly mysql: string;
  readonly name: string;
  readonly configPath: string;
  readonly logPath: string;
  readonly #options: LabNodeOptions;
  #sandbox: Sandbox | null = null;
  #agent: AgentProcess | null = null;
  #copies = 0;

  constructor(options: LabNodeOptions) {
    this.#options = options;
    this.id = `127.0.0.1:${options.agentPort}`;
    this.mysql = `127.0.0.1:${options.mysqlPort}`;
    this.name = `node ${options.number}`;
    this.configPath = `${options.folder}/node${options.number}.toml`;
    this.logPath = `${options.folder}/node${options.number}.log`;
  }

  /** The server's files; throws before `createServer`. */
  get sandbox(): Sandbox {
    if (this.#sandbox === null) throw new Error(`${this.name} has no server yet`);
    return this.#sandbox;
  }

  get agentAlive(): boolean {
    return this.#agent?.alive ?? false;
  }

  /** Makes the files of an empty server. */
  async createServer(): Promise<void> {
    const { number, folder, mysqld, cacheFolder, mysqlPort } = this.#options;
    const copy = this.#copies++;
    const made = await createSandbox({
      mysqld,
      folder: `${folder}/mysql${number}${copy === 0 ? "" : `-${copy}`}`,
      cacheFolder,
      // A server skips what its own number wrote, and a new copy needs the former one's writes too.
      serverId: number + serverIdStep * copy,
      port: mysqlPort,
    });
    this.#sandbox = made;
    this.#writeConfig();
  }

  /** Starts the new server closed and gives it a password that only this laboratory knows. */
  async startServer(): Promise<void> {
    const made = this.sandbox;
    const { rootPassword } = this.#options;
    await startSandbox(made, { deadlineMs: startMs });
    await setRootPassword(made, rootPassword);
    this.#sandbox = { ...made, rootPassword };
  }

  /** Starts the agent; it finds its server running, or starts it. */
  async startAgent(): Promise<void> {
    if (this.agentAlive) return;
    const command = [...this.#options.program, "agent", "--config", this.configPath];
    const outputFile = `${this.#options.folder}/node${this.#options.number}.out`;
    this.#agent = await AgentProcess.start(command, { outputFile });
  }

  /** SIGKILL ends it, SIGSTOP freezes it, SIGCONT thaws it, SIGTERM asks it to hand over and end. */
  signalAgent(signal: Deno.Signal): void {
    this.#agent?.signal(signal);
  }

  /** Waits until a killed agent is gone, so that the next one gets its port and its lock. */
  async agentGone(): Promise<void> {
    await this.#agent?.waitGone(goneMs);
  }

  /** The server's process as it runs now; null where none does. */
  serverProcess(): Promise<ServerProcess | null> {
    return this.sandbox.server.identify();
  }

  /** Sends a signal to the server's process, if there is one. */
  async signalServer(signal: Deno.Signal): Promise<void> {
    const process = await this.serverProcess();
    if (process !== null) Deno.kill(process.pid, signal);
  }

  /** Starts the server as soon as its old process is gone, as a service manager would. */
  async restartServer(former: ServerProcess): Promise<void> {
    await this.sandbox.server.waitGone(former, goneMs);
    await this.sandbox.server.start();
  }

  /** A connection as root through the socket. */
  root(connectMs: number): Promise<Connection> {
    return connectAsRoot(this.sandbox, connectMs);
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

  /** Throws the copy away and begins with an empty server, which replicates everything anew. */
  async replaceCopy(): Promise<void> {
    await this.end();
    await this.createServer();
    await this.startServer();
    await this.startAgent();
  }

  /** Ends agent and server at once, whatever state they are in. */
  async end(): Promise<void> {
    this.signalAgent("SIGKILL");
    await this.#agent?.waitGone(goneMs);
    await this.#sandbox?.server.shutdown({ termMs: 0 });
  }

  async #page(page: string): Promise<{ readonly ok: boolean; readonly value: unknown } | null> {
    try {
      const signal = AbortSignal.timeout(statusMs);
      const response = await fetch(`http://${this.id}/${page}`, { signal });
      return { ok: response.ok, value: await response.json() };
    } catch {
      // Nobody there, or frozen: no answer is the answer.
      return null;
    }
  }

  #writeConfig(): void {
    const { folder, number, mysqlPort, mysqld, timing, edit } = this.#options;
    const metaFolder = `${folder}/meta${number}`;
    Deno.mkdirSync(metaFolder, { recursive: true, mode: 0o700 });
    const text = nodeConfigText({
      id: this.id,
      metaFolder,
      mysqlPort,
      mysqld,
      defaultsFile: this.sandbox.myCnfPath,
      pidFile: this.sandbox.pidFile,
      mysqlPasswordFile: `${folder}/root.password`,
      replicationPasswordFile: `${folder}/replication.password`,
      secretFile: `${folder}/secret`,
      logFile: this.logPath,
      timing,
    });
    Deno.writeTextFileSync(this.configPath, edit?.(text) ?? text, { mode: 0o600 });
  }
}

/** Not written to the binary log: every server gets it by itself before any agent looks. */
async function setRootPassword(sandbox: Sandbox, password: string): Promise<void> {
  await using connection = await connectAsRoot(sandbox, statementMs);
  const statements = [
    "SET GLOBAL super_read_only=OFF",
    "SET sql_log_bin=0",
    `ALTER USER root@localhost IDENTIFIED BY '${password}', root@'%' IDENTIFIED BY '${password}'`,
    "SET GLOBAL super_read_only=ON",
  ];
  for (const sql of statements) await connection.query(sql, { deadlineMs: statementMs });
}
