/**
 * A whole cluster on this machine, in one temporary folder: real servers, real agents as processes
 * of their own, formed by the real command. The demonstration, the bench and the live tests use it.
 */
import { run, succeeded } from "../../mysql/process.ts";
import { describeResult, type ProcessResult } from "../../mysql/process.ts";
import { Connection } from "../../mysql/client.ts";
import { findFreePorts } from "../../mysql/sandbox.ts";
import { LabNode } from "./lab_node.ts";
import type { Timing } from "./node_config.ts";
import { type Account, tableName } from "./workload.ts";
import { pause } from "../../mysql/time_left.ts";

export interface LabOptions {
  readonly mysqld: string;
  /** Where initialised data folders are kept from one laboratory to the next. */
  readonly cacheFolder: string;
  /** The command that runs xenon, without its words. */
  readonly program: readonly string[];
  readonly timing: Timing;
  /** Changes the text of every node's config. */
  readonly edit?: (config: string) => string;
  /** Hears one sentence a step. */
  readonly say: (sentence: string) => void;
}

const nodeCount = 3;
const agentStartMs = 30_000;
const formMs = 60_000;
const leaderMs = 30_000;
const statementMs = 5_000;
/** A follower has replicated the writers' account by then. */
const accountMs = 30_000;
const pollEveryMs = 20;
/** The longest step of an opening: preparing a data folder on a slow disk. */
const openingMsMax = 60_000;
const commandMs = 60_000;

/** Three agents with a MySQL each, in a temporary folder. */
export class Lab implements AsyncDisposable {
  readonly folder: string;
  readonly nodes: readonly LabNode[];
  /** The writers' account: ordinary, so that a read-only server stops it. */
  readonly account: Account = { user: "writer", password: newSecret() };
  readonly #options: LabOptions;
  #opening: Promise<void> | null = null;
  #closed = false;

  /** Chooses ports and writes the secrets; `open` does the rest. */
  constructor(options: LabOptions) {
    this.#options = options;
    this.folder = Deno.makeTempDirSync({ prefix: "xenon-" });
    const ports = findFreePorts(2 * nodeCount);
    const rootPassword = newSecret();
    const secrets = { "root.password": rootPassword, "replication.password": newSecret() };
    for (const [name, secret] of Object.entries({ ...secrets, secret: newSecret() })) {
      Deno.writeTextFileSync(`${this.folder}/${name}`, `${secret}\n`, { mode: 0o600 });
    }
    this.nodes = Array.from({ length: nodeCount }, (_, index) =>
      new LabNode({
        ...options,
        number: index + 1,
        folder: this.folder,
        agentPort: ports[2 * index] ?? 0,
        mysqlPort: ports[2 * index + 1] ?? 0,
        rootPassword,
      }));
  }

  /** Starts everything and forms the cluster. There is a writable leader and a table afterwards. */
  async open(): Promise<void> {
    this.#opening = this.#open();
    await this.#opening;
  }

  /** The node that leads and is open; null while there is none. */
  async leader(): Promise<LabNode | null> {
    const open = await Promise.all(this.nodes.map((node) => node.open()));
    return this.nodes.find((_, index) => open[index]) ?? null;
  }

  /** Waits for an open leader that is none of `except`; null when there is none in time. */
  async waitForLeader(
    deadlineMs: number,
    except: readonly LabNode[] = [],
  ): Promise<LabNode | null> {
    const found = await poll(deadlineMs, async () => {
      const leader = await this.leader();
      return leader === null || except.includes(leader) ? null : leader;
    });
    return found ?? null;
  }

  /**
   * Waits until one node leads and all others follow it with running threads, and until the leader
   * counts them all as healthy: a replaced copy has its full vote only once it is in step.
   */
  async waitWhole(deadlineMs: number): Promise<boolean> {
    const whole = await poll(deadlineMs, async () => {
      const statuses = await Promise.all(this.nodes.map((node) => node.status()));
      const leading = statuses.filter((status) => status?.role === "LEADER");
      const following = statuses.filter((status) =>
        status?.role === "FOLLOWER" && status.mysql.receiverRunning &&
        status.mysql.applierRunning && status.leader === leading[0]?.id
      );
      const [leader] = leading;
      const { n, q } = leader?.quorum ?? { n: 0, q: 0 };
      const complete = leading.length === 1 && following.length === this.nodes.length - 1 &&
        leader?.margin.losses === n - q;
      return complete && await this.leader() !== null ? true : null;
    });
    return whole ?? false;
  }

  /** Waits until no follower is behind with applying: whoever is would first catch up as a leader. */
  async waitApplied(deadlineMs: number): Promise<boolean> {
    const applied = await poll(deadlineMs, async () => {
      const statuses = await Promise.all(this.nodes.map((node) => node.status()));
      return statuses.every((status) => status?.mysql.secondsBehind === "0") ? true : null;
    });
    return applied ?? false;
  }

  /** Runs one command of xenon with the config of a node. */
  xenon(
    node: LabNode,
    words: readonly string[],
    { deadlineMs = commandMs }: { readonly deadlineMs?: number } = {},
  ): Promise<ProcessResult> {
    const command = [...this.#options.program, "--config", node.configPath, ...words];
    return run(command, { deadlineMs });
  }

  /** Ends every process and removes the folder; also while the laboratory is still opening. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#endAll();
    // What was being started meanwhile fails at its next step, and is ended by the second round.
    const { promise: tooLong, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, openingMsMax);
    await Promise.race([this.#opening?.catch(() => {}), tooLong]);
    clearTimeout(timer);
    await this.#endAll();
    await Deno.remove(this.folder, { recursive: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #endAll(): Promise<void> {
    await Promise.allSettled(this.nodes.map((node) => node.end()));
  }

  async #open(): Promise<void> {
    const { say } = this.#options;
    say(`Starting ${nodeCount} servers (${this.#options.mysqld}) in ${this.folder}`);
    const [first, ...others] = this.nodes;
    if (first === undefined) return;
    // One after the other: the first may have to prepare the data folder that all of them copy.
    for (const node of this.nodes) {
      this.#stillWanted();
      await node.createServer();
    }
    await this.#each((node) => node.startServer());
    say(`Starting ${nodeCount} agents`);
    await this.#each((node) => node.startAgent());
    await this.#each((node) => this.#waitForAgent(node));
    const names = others.map((node) => node.id).join(",");
    say(`Forming the cluster: xenon cluster add ${names}`);
    await this.#form(first, names);
    const leader = await this.waitForLeader(leaderMs);
    if (leader === null) throw new Error(await this.#noLeader());
    say(`${leader.id} leads and its server ${leader.mysql} is open for writes`);
    await this.#createTable(leader);
    this.#stillWanted();
  }

  async #each(work: (node: LabNode) => Promise<void>): Promise<void> {
    this.#stillWanted();
    // All of them come to an end, so that whoever closes the laboratory knows what to end.
    const ended = await Promise.allSettled(this.nodes.map(work));
    this.#stillWanted();
    for (const one of ended) if (one.status === "rejected") throw one.reason;
  }

  #stillWanted(): void {
    if (this.#closed) throw new Error("Cannot go on as the laboratory is closed");
  }

  async #waitForAgent(node: LabNode): Promise<void> {
    const up = await poll(agentStartMs, async () => {
      this.#stillWanted();
      if (await node.healthy()) return "up";
      return node.agentAlive ? null : "ended";
    });
    if (up === "up") return;
    const why = up === undefined ? `does not answer within ${agentStartMs} ms` : "ended at once";
    const said = tail(node.logPath) + tail(`${this.folder}/${node.name.replace(" ", "")}.out`);
    throw new Error(`Cannot start the agent ${node.id} as it ${why}: ${said}`);
  }

  /** The agents look at their servers after they answer, so the first refusals mean nothing. */
  async #form(first: LabNode, names: string): Promise<void> {
    let result: ProcessResult | undefined;
    const formed = await poll(formMs, async () => {
      this.#stillWanted();
      result = await this.xenon(first, ["cluster", "add", names]);
      return succeeded(result) ? true : null;
    });
    if (formed !== true && result !== undefined) {
      throw new Error(`Cannot form the cluster: ${describeResult(result)}`);
    }
  }

  async #noLeader(): Promise<string> {
    const statuses = await Promise.all(this.nodes.map((node) => node.status()));
    const sentences = statuses.map((status, index) =>
      `${this.nodes[index]?.id}: ${status?.sentence ?? "no answer"}`
    );
    return `Cannot use the cluster as nobody leads within ${leaderMs} ms: ${sentences.join("; ")}`;
  }

  async #createTable(leader: LabNode): Promise<void> {
    const { user, password } = this.account;
    await using connection = await leader.root(statementMs);
    const statements = [
      "CREATE DATABASE xenon_demo",
      `CREATE TABLE ${tableName} (number BIGINT NOT NULL PRIMARY KEY)`,
      "CREATE TABLE xenon_demo.probes (number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY)",
      `CREATE USER ${user} IDENTIFIED BY '${password}'`,
      `GRANT SELECT, INSERT ON xenon_demo.* TO ${user}`,
    ];
    for (const sql of statements) await connection.query(sql, { deadlineMs: statementMs });
  }

  /**
   * Logs the writers' account in once on each server, as applications with readers there do. A
   * follower may not have replicated the account yet, so a refusal is asked again.
   */
  async warm(): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.#logIn(node)));
  }

  async #logIn(node: LabNode): Promise<void> {
    const [host = "", port = ""] = node.mysql.split(":");
    const options = { ...this.account, host, port: Number(port), connectMs: statementMs };
    let because: unknown;
    const known = await poll(accountMs, async () => {
      try {
        await using _connection = await Connection.connect(options);
        return true;
      } catch (error) {
        because = error;
        return null;
      }
    });
    if (known === undefined) throw because;
  }
}

/** Asks until there is an answer; undefined when there is none in time. */
export async function poll<T>(
  deadlineMs: number,
  ask: () => Promise<T | null>,
): Promise<T | undefined> {
  const endsAt = performance.now() + deadlineMs;
  while (true) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() >= endsAt) return undefined;
    await pause(pollEveryMs);
  }
}

/** Letters and digits only: it stands in option files and statements. */
function newSecret(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toHex();
}

function tail(path: string): string {
  const charactersMax = 600;
  try {
    return Deno.readTextFileSync(path).slice(-charactersMax).trim();
  } catch {
    // It said nothing.
    return "";
  }
}
