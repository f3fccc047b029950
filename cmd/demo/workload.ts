/**
 * The set workload: writers insert integers that were never used before, through whichever server
 * leads, and remember what they were told. In the end nothing that was acknowledged may be absent.
 */
import { Connection } from "../../mysql/client.ts";
import { DatabaseError } from "../../mysql/client_error.ts";
import type { Ledger } from "./ledger.ts";
import type { Locator, Target } from "./locator.ts";
import { pause } from "../../mysql/time_left.ts";

/** An ordinary account: one that may write while a server is read-only would prove nothing. */
export interface Account {
  readonly user: string;
  readonly password: string;
}

export interface WorkloadOptions {
  readonly locator: Locator;
  readonly ledger: Ledger;
  readonly account: Account;
  readonly writers: number;
  /** Milliseconds from one write of a writer to its next; 5 where none are given. */
  readonly everyMs?: number;
}

/** Where the integers go. */
export const tableName = "xenon_demo.numbers";

const defaultEveryMs = 5;
const connectMs = 200;
const readMs = 500;

/** Writers that run until they are stopped. */
export class Workload implements AsyncDisposable {
  readonly #options: WorkloadOptions;
  #stopped = false;
  #writers: Promise<void>[] = [];
  #lastTrouble = "";

  constructor(options: WorkloadOptions) {
    this.#options = options;
  }

  start(): void {
    this.#writers = Array.from({ length: this.#options.writers }, () => this.#write());
  }

  /** The latest error that a writer saw; for people who wonder why nothing is written. */
  get lastTrouble(): string {
    return this.#lastTrouble;
  }

  /** Lets the writes under way come to their end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#writers);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #write(): Promise<void> {
    const { everyMs = defaultEveryMs } = this.#options;
    let session: Session | null = null;
    while (!this.#stopped) {
      const startedAt = performance.now();
      session = await this.#attempt(session);
      const waitMs = everyMs - (performance.now() - startedAt);
      if (waitMs > 0) await pause(waitMs);
    }
    await session?.connection.close();
  }

  /** One try: connect where that is needed, then one insert. Gives the session to go on with. */
  async #attempt(before: Session | null): Promise<Session | null> {
    const { locator } = this.#options;
    const target = locator.best();
    const moved = before !== null && target !== null && before.target.name !== target.name;
    if (moved || before?.connection.usable === false) before.connection.destroy();
    const usable = before !== null && !moved && before.connection.usable ? before : null;
    try {
      const session = usable ?? await this.#connect(target);
      return session === null ? null : await this.#insert(session);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      this.#noteTrouble(error);
      return null;
    }
  }

  async #connect(target: Target | null): Promise<Session | null> {
    if (target === null) {
      this.#options.locator.hungry();
      return null;
    }
    const { host, port } = target;
    const { account } = this.#options;
    return { target, connection: await Connection.connect({ ...account, host, port, connectMs }) };
  }

  async #insert(session: Session): Promise<Session | null> {
    const { ledger, locator } = this.#options;
    const { target, connection } = session;
    const integer = ledger.draw();
    const sentAt = performance.now();
    try {
      const sql = `INSERT INTO ${tableName} (number) VALUES (?)`;
      await connection.change(sql, { deadlineMs: readMs, values: [integer] });
      ledger.acknowledged.push({ integer, sentAt, at: performance.now(), server: target.name });
      locator.fed();
      return session;
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      this.#noteTrouble(error);
      // Only the server's own refusal is certain; a broken connection leaves the outcome open.
      const refused = error.kind === "sql";
      (refused ? ledger.failed : ledger.unknown).push(integer);
      // A server that is read-only now may be open a moment later: the connection is still good.
      return refused ? session : null;
    }
  }

  #noteTrouble(error: DatabaseError): void {
    this.#lastTrouble = error.message;
    this.#options.locator.hungry();
  }
}

interface Session {
  readonly target: Target;
  readonly connection: Connection;
}
