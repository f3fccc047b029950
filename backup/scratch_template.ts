/**
 * The data of a new receiving server, kept from one copy to the next: to initialise it takes seconds in
 * which nothing can be copied, and to copy it a moment. One is kept, of 80 MB.
 */
import { run, succeeded } from "../mysql/process.ts";
import type { CloneOffer } from "./clone_offer.ts";
import type { Folders, Owner } from "./ports.ts";

export interface TemplateOptions {
  /** The agent's own folder. */
  readonly parent: string;
  readonly folders: Folders;
  /** The version of the server program here. */
  readonly version: string;
  readonly owner: Owner;
  readonly offer: CloneOffer;
}

const copyMs = 60_000;
/** The state of the agent is in the same folder: there must be much more room than this takes. */
const spareBytes = 1024 ** 3;

/** Keeps one initialised data folder, so that the next scratch server starts from a copy of it. */
export class ScratchTemplate {
  readonly #options: TemplateOptions;
  /** The one that is kept, of whatever server, is in here. */
  readonly #place: string;

  constructor(options: TemplateOptions) {
    this.#options = options;
    this.#place = `${options.parent}/scratch-template`;
  }

  /** Makes `data` a copy of it; false when there is none of such a server. */
  async take(data: string): Promise<boolean> {
    const own = `${this.#place}/${await this.#name()}`;
    if (await this.#options.folders.list(own) === null) return false;
    return await copied(own, data);
  }

  /** Keeps a copy of `data`. What does not work is left undone: the next copy takes longer, no more. */
  async keep(data: string): Promise<void> {
    const unfinished = `${this.#place}.new`;
    try {
      if (await this.#options.folders.freeBytes(this.#options.parent) < spareBytes) return;
      await this.#remove(unfinished);
      await Deno.mkdir(unfinished, { mode: 0o700 });
      if (!await copied(data, `${unfinished}/${await this.#name()}`)) return;
      await this.forget();
      await Deno.rename(unfinished, this.#place);
    } catch {
      // A full or broken disk of the agent has worse consequences, which are told elsewhere.
    } finally {
      await this.#remove(unfinished).catch(() => {});
    }
  }

  /** It was of no use, or there is another one. */
  forget(): Promise<void> {
    return this.#remove(this.#place);
  }

  async #remove(path: string): Promise<void> {
    if (await this.#options.folders.list(path) !== null) {
      await Deno.remove(path, { recursive: true });
    }
  }

  /** Another one for all that its making depends on. */
  async #name(): Promise<string> {
    const { version, owner, offer } = this.#options;
    const { pageSize, dataFilePath, characterSet, collation } = offer;
    const facts = [version, owner.uid, pageSize, dataFilePath, characterSet, collation];
    const text = new TextEncoder().encode(JSON.stringify(facts));
    return new Uint8Array(await crypto.subtle.digest("SHA-256", text)).toHex();
  }
}

async function copied(from: string, to: string): Promise<boolean> {
  const command = ["cp", "-a", "--reflink=auto", "--", from, to];
  return succeeded(await run(command, { deadlineMs: copyMs }));
}
