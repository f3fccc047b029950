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
  /** Is the server started again when it dies? Null: as the configuration says. */
  readonly monitor: boolean | null;
  /** An operator stopped the server: it stays down until "mysql start". */
  readonly stopped: boolean;
  /** Are binary logs removed that nobody needs? Null: as the configuration says. */
  readonly purge: boolean | null;
  /** Is the semi-sync setting of an open leader verified and repaired at every look? */
  readonly semiSyncCheck: boolean;
}

/** What a new node remembers. */
export const freshMemory: NodeMemory = {
  errant: "",
  monitor: null,
  stopped: false,
  purge: null,
  semiSyncCheck: true,
};

export interface Stored {
  readonly durable: Durable;
  readonly memory: NodeMemory;
}

const storedSchema = v.object({
  durable: durableSchema,
  memory: v.object({
    errant: v.string(),
    monitor: v.nullable(v.boolean()),
    // A state file of the first version has no such switches.
    stopped: v.optional(v.boolean(), freshMemory.stopped),
    purge: v.optional(v.nullable(v.boolean()), freshMemory.purge),
    semiSyncCheck: v.optional(v.boolean(), freshMemory.semiSyncCheck),
  }),
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
    begin: { readonly member: string },
  ): Promise<Store> {
    const decoded = decodeState(await files.read("openState", path));
    switch (decoded.kind) {
      case "missing": {
        const stored = { durable: freshDurable(begin.member), memory: freshMemory };
        const store = new Store(files, path, stored);
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

  /** Changes what is named; on disk when it returns. */
  async remember(change: Partial<NodeMemory>): Promise<void> {
    this.#stored = { ...this.#stored, memory: { ...this.#stored.memory, ...change } };
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
      "recreated by itself, and an older copy of it must not be put back: it may have forgotten a " +
      'vote. Take the node out with "xenon cluster remove" on another node, delete the file, start ' +
      "the agent and add the node again",
  );
}
