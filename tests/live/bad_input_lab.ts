/**
 * Nodes that something is wrong with: real agents as processes of their own, each with a throwaway
 * server or as a witness without one, and any line of its config or its my.cnf changed.
 */
import { decodeNodeStatus, type NodeStatus } from "../../agent/wire_status.ts";
import { AgentProcess } from "../../cmd/demo/agent_process.ts";
import { nodeConfigText } from "../../cmd/demo/node_config.ts";
import { type ProcessResult, run } from "../../mysql/process.ts";
import {
  connectAsRoot,
  createSandbox,
  findFreePorts,
  openForWrites,
  removeSandbox,
  type Sandbox,
  startSandbox,
} from "../../mysql/sandbox.ts";
import { cacheFolder, findMysqld } from "./lab.ts";

const root = new URL("../../", import.meta.url).pathname;
const program = [Deno.execPath(), "run", "--quiet", "-A", `${root}main.ts`];
const startMs = 60_000;
const commandMs = 60_000;
const statementMs = 5_000;
const statusMs = 1_000;
const lookEveryMs = 50;
const goneMs = 60_000;
/** More nodes than any test here has. */
const nodesMax = 16;

export interface NodeOptions {
  /** Has no server, so it starts fast and needs little. */
  readonly witness?: boolean;
  /** Lines of my.cnf that override the ones before them. */
  readonly myCnf?: readonly string[];
  /** Changes the text of the config; `folder` is where the secrets are. */
  readonly edit?: (config: string, folder: string) => string;
  /** Statements that the server runs, open for writes, before its agent starts. */
  readonly sql?: readonly string[];
}

/** The nodes of one test, in one folder. All of it is gone at the end of the scope. */
export class Ward implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "xenon-ward-" });
  readonly #nodes: WardNode[] = [];
  /** All chosen at once, so that no two are the same. */
  readonly #ports = [...findFreePorts(2 * nodesMax)];

  constructor() {
    this.writeSecret("replication.password", "replication password");
    this.writeSecret("secret", "one secret for all of these nodes");
  }

  /** Writes a file of one line that only its owner can read. */
  writeSecret(name: string, text: string): string {
    const path = `${this.folder}/${name}`;
    Deno.writeTextFileSync(path, `${text}\n`, { mode: 0o600 });
    return path;
  }

  /** Makes a node and starts its server, not its agent. */
  async create(options: NodeOptions = {}): Promise<WardNode> {
    const mysqld = await findMysqld();
    // From here to the list without a pause: nodes are made side by side.
    const [agentPort = 0, mysqlPort = 0] = this.#ports.splice(0, 2);
    const number = this.#nodes.length + 1;
    const place = { folder: this.folder, number, agentPort, mysqlPort, mysqld };
    const node = new WardNode(place, options);
    this.#nodes.push(node);
    await node.startServer();
    return node;
  }

  /** Makes a node and waits until its agent answers. */
  async start(options: NodeOptions = {}): Promise<WardNode> {
    const node = await this.create(options);
    await node.startAgent();
    return node;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#nodes.map((node) => node.end()));
    Deno.removeSync(this.folder, { recursive: true });
  }
}

interface NodePlace {
  readonly folder: string;
  readonly number: number;
  readonly agentPort: number;
  readonly mysqlPort: number;
  readonly mysqld: string;
}

export class WardNode {
  readonly id: string;
  readonly configPath: string;
  readonly metaFolder: string;
  readonly statePath: string;
  readonly logPath: string;
  readonly #place: NodePlace;
  readonly #options: NodeOptions;
  #sandbox: Sandbox | null = null;
  #agent: AgentProcess | null = null;

  constructor(place: NodePlace, options: NodeOptions) {
    const { folder, number, agentPort } = place;
    this.#place = place;
    this.#options = options;
    this.id = `127.0.0.1:${agentPort}`;
    this.configPath = `${folder}/node${number}.toml`;
    this.metaFolder = `${folder}/meta${number}`;
    this.statePath = `${this.metaFolder}/state.json`;
    this.logPath = `${folder}/node${number}.log`;
    Deno.writeTextFileSync(this.configPath, this.#configText(), { mode: 0o600 });
  }

  /** The server's files; throws for a witness. */
  get sandbox(): Sandbox {
    if (this.#sandbox === null) throw new Error(`${this.id} has no server`);
    return this.#sandbox;
  }

  async startServer(): Promise<void> {
    if (this.#options.witness === true) return;
    const { folder, number, mysqlPort, mysqld } = this.#place;
    this.#sandbox = await createSandbox({
      mysqld,
      folder: `${folder}/mysql${number}`,
      cacheFolder,
      serverId: number,
      port: mysqlPort,
      extraLines: this.#options.myCnf ?? [],
    });
    await startSandbox(this.sandbox, { deadlineMs: startMs });
    await this.#write(this.#options.sql ?? []);
  }

  /** Starts the agent and waits until it answers and has seen its server. */
  async startAgent(): Promise<void> {
    const command = [...program, "agent", "--config", this.configPath];
    const outputFile = `${this.#place.folder}/node${this.#place.number}.out`;
    this.#agent = await AgentProcess.start(command, { outputFile });
    await this.until((status) => status !== null);
  }

  /** Runs an agent with this config that is expected to end by itself. */
  runAgent(configPath = this.configPath): Promise<ProcessResult> {
    return run([...program, "agent", "--config", configPath], { deadlineMs: commandMs });
  }

  /** Runs one command of xenon with the config of this node. */
  xenon(...words: readonly string[]): Promise<ProcessResult> {
    return run([...program, "--config", this.configPath, ...words], { deadlineMs: commandMs });
  }

  /** The text of the state file, to compare. */
  state(): string {
    return Deno.readTextFileSync(this.statePath);
  }

  log(): string {
    return Deno.readTextFileSync(this.logPath);
  }

  signalAgent(signal: Deno.Signal): void {
    this.#agent?.signal(signal);
  }

  async endAgent(): Promise<void> {
    const agent = this.#agent;
    if (agent === null) return;
    agent.signal("SIGKILL");
    await agent.waitGone(goneMs);
    await reaped(agent.pid);
  }

  /** What the agent says about itself; null where it does not answer. */
  async status(): Promise<NodeStatus | null> {
    try {
      const signal = AbortSignal.timeout(statusMs);
      const response = await fetch(`http://${this.id}/status`, { signal });
      const decoded = decodeNodeStatus(await response.json());
      return decoded.kind === "decoded" ? decoded.status : null;
    } catch {
      // Nobody there: no answer is the answer.
      return null;
    }
  }

  /** Waits for a status; the error of a wait that was in vain shows the last one. */
  async until(wanted: (status: NodeStatus | null) => boolean): Promise<NodeStatus | null> {
    const endsAt = performance.now() + startMs;
    while (true) {
      const status = await this.status();
      if (wanted(status)) return status;
      if (performance.now() >= endsAt) {
        throw new Error(`Cannot see what is expected of ${this.id}: ${JSON.stringify(status)}`);
      }
      await pause();
    }
  }

  async end(): Promise<void> {
    await this.endAgent();
    if (this.#sandbox !== null) await removeSandbox(this.#sandbox);
  }

  async #write(statements: readonly string[]): Promise<void> {
    if (statements.length === 0) return;
    await openForWrites(this.sandbox);
    await using connection = await connectAsRoot(this.sandbox, statementMs);
    for (const sql of [...statements, "SET GLOBAL super_read_only=ON"]) {
      await connection.query(sql, { deadlineMs: statementMs });
    }
  }

  #configText(): string {
    const { folder, number, mysqlPort, mysqld } = this.#place;
    const { witness = false, edit = (config: string) => config } = this.#options;
    const text = nodeConfigText({
      id: this.id,
      metaFolder: this.metaFolder,
      mysqlPort,
      mysqld,
      defaultsFile: `${folder}/mysql${number}/my.cnf`,
      pidFile: `${folder}/mysql${number}/mysqld.pid`,
      mysqlPasswordFile: `${folder}/root.password`,
      replicationPasswordFile: `${folder}/replication.password`,
      secretFile: `${folder}/secret`,
      logFile: this.logPath,
      timing: "default",
    })
      // The throwaway servers' root has no password, and no file can hold an empty one.
      .replace(/passwd-file = .*root\.password"/, 'passwd = ""')
      .replace("[raft]", witness ? "[raft]\nwitness = true" : "[raft]");
    return edit(text, folder);
  }
}

/** A dead child stays in the process table until its parent, this process, has noticed its end. */
async function reaped(pid: number): Promise<void> {
  const endsAt = performance.now() + goneMs;
  while (isListed(pid) && performance.now() < endsAt) await pause();
  // The notice itself is one turn behind.
  await pause();
}

function isListed(pid: number): boolean {
  try {
    Deno.statSync(`/proc/${pid}`);
    return true;
  } catch {
    // No such process any more.
    return false;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, lookEveryMs));
}
