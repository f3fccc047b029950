/**
 * The end of the binary log, asked beside the looks. The server answers this question between two
 * writes to its log only, and the commit of a large transaction is one write, which may take seconds:
 * asked on the connection of the looks, it would make a busy server look hung.
 */

import { newestLogFile } from "./binary_log_files.ts";
import type { Row } from "./client.ts";
import { DatabaseError } from "./client_error.ts";
import type { Sessions } from "./sessions.ts";
import { endOf } from "./time_left.ts";

/** The server has no binary log. */
const noBinaryLogging = 1381;
/** An end that is not there when the rest of a look is, and this much later, is left out of it. */
const graceMs = 100;
/** Longer than any write to the log. */
const askMs = 300_000;

/** Asks one question at a time. */
export class BinaryLogEnd {
  readonly #sessions: Pick<Sessions, "get">;
  #asking: Promise<readonly Row[]> | null = null;
  /** The last answer: filters of the log stay as they are while a server runs. */
  #heard: readonly Row[] | null = null;
  #answers = 0;
  /** A question was sent, and the server has not answered it. */
  #waits = false;
  readonly #newestFile: (base: string) => Promise<string>;
  #measuring: Promise<void> | null = null;
  /** How far the log was written when that was last measured; null where it cannot be. */
  #written: string | null = "";

  constructor(sessions: Pick<Sessions, "get">, newestFile = newestLogFile) {
    this.#sessions = sessions;
    this.#newestFile = newestFile;
  }

  /**
   * The row of SHOW BINARY LOG STATUS; none where there is no log. Its file and position are left out
   * when the answer is late, which it may be once `rest`, what else is asked meanwhile, has ended, or
   * when there is none. The first answer is waited for: nothing is known about the server before.
   */
  async rows(sql: string, rest: Promise<unknown>): Promise<readonly Row[]> {
    const known = this.#heard;
    // The answer to an older question may be older than this look.
    if (this.#asking !== null && known !== null) return withoutEnd(known);
    const asking = this.#asking ?? this.#ask(sql);
    if (known === null) return await asking;
    const answered: { rows?: readonly Row[] } = {};
    // An error leaves the end unknown: whether the server is there, the rest of the look says.
    const heard = asking.then((rows) => void (answered.rows = rows), () => {});
    await endOf(rest, askMs);
    await endOf(heard, graceMs);
    return answered.rows ?? withoutEnd(known);
  }

  /**
   * How far the log is written, in a text that is another one once it moved, while a question waits for
   * it; `base` is the path of its files. Null while none waits, and where the files cannot be seen. A
   * question that could not be asked, or that the server refused, waits for nothing.
   */
  async held(base: string): Promise<string | null> {
    if (!this.#waits) return null;
    // A disk that stands still may keep this waiting too: then the log has not moved either.
    this.#measuring ??= this.#measure(base).finally(() => this.#measuring = null);
    await endOf(this.#measuring, graceMs);
    return this.#waits && this.#written !== null ? `${this.#answers} ${this.#written}` : null;
  }

  async #measure(base: string): Promise<void> {
    this.#written = await this.#newestFile(base).catch(() => null);
  }

  #ask(sql: string): Promise<readonly Row[]> {
    const asking = this.#answer(sql).finally(() => this.#asking = null);
    // A late error ends the connection only, and the next question opens another one.
    asking.catch(() => {});
    this.#asking = asking;
    return asking;
  }

  async #answer(sql: string): Promise<readonly Row[]> {
    try {
      const connection = await this.#sessions.get("log");
      this.#waits = true;
      this.#heard = await connection.query(sql, { deadlineMs: askMs }).catch(noRowsWithoutLog);
      this.#answers++;
      this.#waits = false;
      return this.#heard;
    } catch (error) {
      // A server that gave no answer in all that time is as late as before.
      if (!(error instanceof DatabaseError && error.kind === "timeout")) this.#waits = false;
      throw error;
    }
  }
}

function withoutEnd(rows: readonly Row[]): readonly Row[] {
  return rows.map((row) => ({ ...row, File: null, Position: null }));
}

function noRowsWithoutLog(error: unknown): readonly Row[] {
  if (error instanceof DatabaseError && error.errno === noBinaryLogging) return [];
  throw error;
}
