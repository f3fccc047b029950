/** What the groups of the command tree share: options, arguments and the shape of help texts. */
import {
  type CommandUnknownOpts as Tree,
  InvalidArgumentError,
  Option,
} from "@commander-js/extra-typings";
import { type CommonOptions, outputForms } from "../options.ts";
import { parseWhen, type When, whenWanted } from "../when.ts";

export type { Tree };

/** Takes what the words mean. */
export type Found<Command> = (command: Command) => void;

/** Longest time an operator may grant one question. */
const timeoutSecondsMax = 600;
/** Most nodes one command may name. */
const nodesMax = 16;

/** The options that stand before or behind every command. */
export function commonOf(command: Tree): CommonOptions {
  const options: { config?: string; timeout?: number } = command.optsWithGlobals();
  return { config: options.config, timeoutMs: options.timeout };
}

/** The option of every command that prints facts. */
export function outputOption() {
  return new Option("-o, --output <form>", "How to print facts").choices(
    outputForms,
  );
}

/** The lines of examples below a help text. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

/** Seconds as typed to milliseconds. */
export function parseTimeout(word: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(word) ? Number(word) : NaN;
  if (!(seconds > 0 && seconds <= timeoutSecondsMax)) {
    throw new InvalidArgumentError(`Wanted is a number of seconds up to ${timeoutSecondsMax}.`);
  }
  return Math.max(1, Math.round(seconds * 1000));
}

/** A point in time as typed. */
export function parseTime(word: string): When {
  const when = parseWhen(word);
  if (when === null) throw new InvalidArgumentError(`Wanted is ${whenWanted}.`);
  return when;
}

/** A parser of whole numbers between two limits, both included. */
export function wholeNumber(min: number, max: number): (word: string) => number {
  return (word) => {
    const number = /^\d+$/.test(word) ? Number(word) : NaN;
    if (!(number >= min && number <= max)) {
      throw new InvalidArgumentError(`Wanted is a whole number from ${min} to ${max}.`);
    }
    return number;
  };
}

/** The word "json" behind a command, as the original has it. */
export function parseExact(word: string): true {
  if (word !== "json") throw new InvalidArgumentError('The only word here is "json".');
  return true;
}

/** Splits and checks `host:port,host:port`; outer commas are trimmed, as operators paste them. */
export function parseNodes(word: string): readonly string[] {
  const nodes = word.replace(/^,+|,+$/g, "").split(",").map((node) => node.trim());
  for (const node of nodes) {
    const port = Number(/^(?:\[[0-9a-fA-F:]+\]|[^\s:[\]]+):(\d{1,5})$/.exec(node)?.[1]);
    if (!(port >= 1 && port <= 65535)) {
      throw new InvalidArgumentError(`Node "${node}" is not host:port.`);
    }
  }
  if (nodes.length > nodesMax) {
    throw new InvalidArgumentError(`${nodes.length} nodes are more than ${nodesMax}.`);
  }
  return [...new Set(nodes)];
}
