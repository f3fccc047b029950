/**
 * Work on the server that takes longer than a call may: it goes on by itself, and commands ask how far it
 * is. One piece at a time, in memory only, as the server's state tells a later agent all that counts.
 */
import type { Log } from "./ports.ts";
import { RpcError } from "./wire_rpc.ts";
import { messageOf } from "../mysql/message_of.ts";

/** What a command reads about the newest work. */
export interface WorkPage {
  readonly number: number;
  readonly what: string;
  readonly state: "running" | "done" | "failed";
  /** One sentence a step; the last one is the result or the reason. */
  readonly sentences: readonly string[];
}

/** More sentences than this are a loop; the oldest go. */
const sentencesMax = 200;

/** The work of one agent on its server. */
export class ServerWork {
  readonly #log: Log;
  #page: WorkPage = { number: 0, what: "nothing", state: "done", sentences: [] };

  constructor(log: Log) {
    this.#log = log;
  }

  get page(): WorkPage {
    return this.#page;
  }

  /**
   * Begins work; asked again for the same while it runs, shows that.
   *
   * @throws {RpcError} when other work runs.
   */
  begin(what: string, work: (say: (sentence: string) => void) => Promise<string>): WorkPage {
    const { state, what: running, number } = this.#page;
    if (state === "running") {
      if (running === what) return this.#page;
      throw new RpcError("refused", `the server is busy: ${running} runs, wait for its end`);
    }
    this.#page = { number: number + 1, what, state: "running", sentences: [] };
    work((sentence) => this.#say(sentence)).then(
      (sentence) => this.#end("done", sentence),
      (error) => this.#end("failed", messageOf(error)),
    );
    return this.#page;
  }

  #say(sentence: string): void {
    this.#log.write("info", sentence, {});
    const sentences = [...this.#page.sentences, sentence].slice(-sentencesMax);
    this.#page = { ...this.#page, sentences };
  }

  #end(state: "done" | "failed", sentence: string): void {
    this.#say(sentence);
    this.#page = { ...this.#page, state };
  }
}
