/** One real server with the database port of its agent, for the live tests. */

import { Connection } from "../../mysql/client.ts";
import { createDatabase, type MysqlDatabase } from "../../mysql/database.ts";
import type { ServerFacts } from "../../mysql/facts.ts";
import type { ReplicaName } from "../../mysql/replication_account.ts";
import { parseSysvars } from "../../mysql/sysvars.ts";
import { pause } from "../../mysql/time_left.ts";
import type { LabServer } from "./lab.ts";

const replication = { user: "repl", password: "geheim'1" };
/** A busy machine is slow. */
const statementMs = 10_000;
const patienceMs = 60_000;
const silent = () => {};

/** One server with its agent's database. */
export class DatabaseNode implements AsyncDisposable {
  readonly lab: LabServer;
  /** As what it is a member of the cluster. */
  replica: ReplicaName;
  database: MysqlDatabase;
  /** What each statement cost since it was last emptied. */
  readonly costs: string[] = [];
  /** Called after each statement of the database. */
  onStatement: (what: string) => void = silent;

  constructor(lab: LabServer) {
    this.lab = lab;
    this.replica = { id: `127.0.0.1:${lab.sandbox.port}`, since: 0 };
    this.database = this.#createDatabase(replication.password);
  }

  /** Another agent takes over, with this password of replicas in its config. */
  async restartAgent(password: string): Promise<void> {
    await this.database[Symbol.asyncDispose]();
    this.database = this.#createDatabase(password);
  }

  #createDatabase(password: string): MysqlDatabase {
    return createDatabase({
      endpoint: { user: "root", password: "", socketPath: this.lab.sandbox.socket },
      replication: { ...replication, password },
      leaderSysvars: parseSysvars("sync_binlog=1"),
      followerSysvars: parseSysvars("sync_binlog=1000; no_such_variable=1"),
      connectMs: statementMs,
      statementMs,
      fenceMs: statementMs,
      now: () => performance.now(),
      timing: (what, ms) => {
        this.costs.push(`${what} ${ms.toFixed(1)}`);
        this.onStatement(what);
      },
    });
  }

  async facts(): Promise<ServerFacts> {
    const look = await this.database.look(statementMs);
    if (look.kind === "failed") throw new Error(look.because);
    return look.facts;
  }

  get address() {
    return { host: "127.0.0.1", port: this.lab.sandbox.port };
  }

  /** A client of the application. */
  client(programName = "application"): Promise<Connection> {
    return Connection.connect({
      user: "root",
      password: "",
      ...this.address,
      connectMs: statementMs,
      programName,
    });
  }

  /** What an agent does at each look, until nothing is left to do. */
  async followUntilSettled(source: DatabaseNode, acknowledge = true): Promise<void> {
    const endsAt = performance.now() + patienceMs;
    while (performance.now() < endsAt) {
      const wish = { source: source.address, acknowledge, replica: this.replica };
      if ((await this.database.follow(wish, await this.facts())).settled) return;
    }
    throw new Error("following does not settle");
  }

  async until(what: string, holds: (facts: ServerFacts) => boolean): Promise<ServerFacts> {
    const endsAt = performance.now() + patienceMs;
    while (performance.now() < endsAt) {
      const facts = await this.facts();
      if (holds(facts)) return facts;
      await pause(10);
    }
    throw new Error(`never came true: ${what}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database[Symbol.asyncDispose]();
    await this.lab[Symbol.asyncDispose]();
  }
}
