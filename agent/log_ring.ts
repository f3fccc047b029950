/**
 * The newest lines of an agent's log, kept in memory so that `xenon cluster log` can show those of
 * all nodes together. Bounded twice: many short lines, or few long ones.
 */
import * as v from "valibot";
import { decodeParams } from "./params.ts";
import type { RpcMethods } from "./wire_rpc.ts";

export interface KeptLine {
  /** ISO 8601 in UTC by this host's clock, as the line itself begins. */
  readonly time: string;
  readonly line: string;
}

/** The answer to `node.log`. */
export interface LogPage {
  readonly lines: readonly KeptLine[];
  /** The clock of the node when it answered; every host has its own. */
  readonly now: string;
  /** Time of the oldest line that would have been there but is not kept any more; else null. */
  readonly forgotBefore: string | null;
}

const linesMax = 4000;
const charactersMax = 1 << 20;
/** Well below what one answer may carry, as JSON escapes some characters. */
const pageCharactersMax = 400_000;

/** Keeps lines in the order in which they were written. */
export class LogRing {
  #lines: KeptLine[] = [];
  #first = 0;
  #characters = 0;
  #forgotBefore: string | null = null;

  /** Adds a line and forgets the oldest ones that no longer fit. */
  keep(line: KeptLine): void {
    this.#lines.push(line);
    this.#characters += line.line.length;
    while (this.#lines.length - this.#first > linesMax || this.#characters > charactersMax) {
      this.#characters -= this.#lines[this.#first]?.line.length ?? 0;
      this.#first++;
      this.#forgotBefore = this.#lines[this.#first]?.time ?? null;
    }
    // The forgotten part is cut off now and then, not at every line.
    if (this.#first > linesMax) {
      this.#lines = this.#lines.slice(this.#first);
      this.#first = 0;
    }
  }

  /** The lines of a span of time, both ends included; the newest where they are too many. */
  page(span: { readonly since: string; readonly until: string }): Omit<LogPage, "now"> {
    const lines: KeptLine[] = [];
    let forgotBefore = this.#forgotBefore;
    let characters = 0;
    for (let at = this.#lines.length - 1; at >= this.#first; at--) {
      const line = this.#lines[at];
      // A clock that was set back makes the order of times another one than that of the lines.
      if (line === undefined || line.time > span.until || line.time < span.since) continue;
      characters += line.line.length;
      if (characters > pageCharactersMax) {
        forgotBefore = lines.at(-1)?.time ?? null;
        break;
      }
      lines.push(line);
    }
    if (forgotBefore !== null && forgotBefore <= span.since) forgotBefore = null;
    return { lines: lines.reverse(), forgotBefore };
  }
}

const instant = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/));
const spanSchema = v.object({ since: instant, until: instant });

/** `node.log` over a ring; `now` gives the wall clock as ISO 8601. */
export function logMethods(ring: LogRing, now: () => string): RpcMethods {
  return {
    "node.log": (params) =>
      Promise.resolve({ ...ring.page(decodeParams(spanSchema, params)), now: now() }),
  };
}

const pageSchema = v.object({
  lines: v.pipe(
    v.array(v.object({ time: v.string(), line: v.string() })),
    v.maxLength(linesMax),
    v.readonly(),
  ),
  now: v.string(),
  forgotBefore: v.nullable(v.string()),
});

/** Reads an answer to `node.log`; null where it is none. */
export function decodeLogPage(answer: unknown): LogPage | null {
  const page = v.safeParse(pageSchema, answer);
  return page.success ? page.output : null;
}

/** Lines of a log file in the form of text; others are no use and left out. */
export function linesOf(text: string): readonly KeptLine[] {
  return text.split("\n").flatMap((line) => {
    const time = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) \[/.exec(line)?.[1];
    return time === undefined ? [] : [{ time, line }];
  });
}
