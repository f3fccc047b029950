/**
 * The one file that must survive: the protocol's durable state and the few switches of this node.
 * A missing file is a new node; a damaged one stops the agent and is never replaced.
 */
import * as v from "valibot";
import { decodeState, encodeState, type Json } from "./durable.ts";
import type { Files } from "./ports.ts";
import { type Durable, freshDurable } from "../raft/types.ts";
import { durableSchema } from "./wire_raft.ts";

/** What the agent itself remembers besides the protocol. */
export interface NodeMemory {
  /** GTIDs born on this server while it did not lead: left out of every comparison. */
  readonly errant: string;
  /** Is the server started again when it dies? */
  readonly monitor: boolean;
}

export interface Stored {
  readonly durable: Durable;
  readonly memory: NodeMemory;
}

const storedSchema = v.object({
  durable: durableSchema,
  memory: v.object({ errant: v.string(), monitor: v.boolean() }),
});

/** Reads and writes the state file of one node. */
export class Store {
  readonly #files: Files;
  readonly #path: string;
  #stored: Stored;

  private constructor(files: Files, path: string, stored: Stored) {
    this.#files = files;
    this.#path = path;
    this.#stored = stored;
  }

  /** Opens the file, or begins a new node with `member` as its identity. */
  static async open(
    files: Files,
    path: string,
    begin: { readonly member: string; readonly monitor: boolean },
  ): Promise<Store> {
    const decoded = decodeState(await files.read("openState", path));
    switch (decoded.kind) {
      case "missing": {
        const memory = { errant: "", monitor: begin.monitor };
        const store = new Store(files, path, { durable: freshDurable(begin.member), memory });
        // Written at once: a node that restarts before its first promise keeps its identity.
        await store.#write();
        return store;
      }
      case "intact": {
        const result = v.safeParse(storedSchema, decoded.payload);
        if (!result.success) throw unreadable(path, v.summarize(result.issues));
        return new Store(files, path, result.output as Stored);
      }
      case "damaged":
      case "newer":
        throw unreadable(path, decoded.because);
    }
  }

  get current(): Stored {
    return this.#stored;
  }

  /** On disk when it returns. */
  async saveDurable(durable: Durable): Promise<void> {
    this.#stored = { ...this.#stored, durable };
    await this.#write();
  }

  async saveMemory(memory: NodeMemory): Promise<void> {
    this.#stored = { ...this.#stored, memory };
    await this.#write();
  }

  #write(): Promise<void> {
    const payload = this.#stored as unknown as Json;
    return this.#files.writeDurably("saveState", this.#path, encodeState(payload));
  }
}

function unreadable(path: string, because: string): Error {
  return new Error(
    `Cannot use state file "${path}": ${because}. It holds this node's votes, so it is never ` +
      'recreated by itself. Restore it, or take the node out with "xenon cluster remove" on ' +
      "another node, delete the file, start the agent and add the node again",
  );
}
