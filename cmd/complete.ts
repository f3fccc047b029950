/**
 * What may stand where the cursor is, found by walking the command tree along the words before it.
 * The words are only compared, never run or expanded.
 */
import type { Argument, Option } from "@commander-js/extra-typings";
import type { Tree } from "./tree/words.ts";

export interface Candidate {
  readonly value: string;
  readonly help: string;
}

export type Completion =
  | { readonly kind: "words"; readonly candidates: readonly Candidate[] }
  /** The shell knows files better. */
  | { readonly kind: "files" }
  /** Ids of nodes, which only a running agent knows; `before` stays in front of each. */
  | {
    readonly kind: "nodes";
    readonly before: string;
    readonly begun: string;
    /** Those that the list under the cursor names already. */
    readonly taken: readonly string[];
  };

const nothing: Completion = { kind: "words", candidates: [] };
/** Values with these names are paths. */
const fileNames = new Set(["file", "path", "folder"]);

/** The completion of the last of these words, which come after the program's name. */
export function complete(tree: Tree, words: readonly string[]): Completion {
  const begun = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  if (before[0] === "help") return commandsOf(follow(tree, before.slice(1)).command, begun);
  const { command, position, awaited } = follow(tree, before);
  if (awaited !== null) return valuesOf(awaited, begun);
  const equals = begun.indexOf("=");
  if (begun.startsWith("--") && equals > 0) {
    const option = findOption(command, begun.slice(0, equals));
    return option === undefined
      ? nothing
      : withPrefix(valuesOf(option, begun.slice(equals + 1)), begun.slice(0, equals + 1));
  }
  if (begun.startsWith("-")) return optionsOf(command, begun);
  if (command.commands.length > 0) return commandsOf(command, begun);
  const argument = command.registeredArguments[position];
  return argument === undefined ? nothing : valuesOf(argument, begun);
}

interface Place {
  readonly command: Tree;
  /** How many arguments stand before the cursor. */
  readonly position: number;
  /** The option whose value is under the cursor. */
  readonly awaited: Option | null;
}

function follow(tree: Tree, words: readonly string[]): Place {
  let place: Place = { command: tree, position: 0, awaited: null };
  for (const word of words) place = step(place, word);
  return place;
}

function step({ command, position, awaited }: Place, word: string): Place {
  if (awaited !== null) return { command, position, awaited: null };
  if (word.startsWith("-")) {
    const option = findOption(command, word);
    return { command, position, awaited: option?.required === true ? option : null };
  }
  const next: Tree | undefined = command.commands.find((one) => one.name() === word);
  return next === undefined
    ? { command, position: position + 1, awaited: null }
    : { command: next, position: 0, awaited: null };
}

/** The command's own options and those of all above it. */
function allOptions(command: Tree | null): readonly Option[] {
  return command === null ? [] : [...command.options, ...allOptions(command.parent)];
}

function findOption(command: Tree, word: string): Option | undefined {
  return allOptions(command).find(({ long, short }) => long === word || short === word);
}

function optionsOf(command: Tree, begun: string): Completion {
  const known = allOptions(command).filter(({ hidden }) => !hidden).map((option) => ({
    value: option.long ?? option.short ?? "",
    help: option.description,
  }));
  return words([...known, { value: "--help", help: "Show this help" }], begun);
}

function commandsOf(command: Tree, begun: string): Completion {
  const known = command.commands.map((one) => ({ value: one.name(), help: one.description() }));
  const help = command.parent === null
    ? [{ value: "help", help: "Show the help of a command" }]
    : [];
  return words([...known, ...help], begun);
}

function valuesOf(wanted: Option | Argument, begun: string): Completion {
  if (wanted.argChoices !== undefined) {
    return words(wanted.argChoices.map((value) => ({ value, help: "" })), begun);
  }
  const name = nameOf(wanted);
  if (fileNames.has(name)) return { kind: "files" };
  if (name === "json") return words([{ value: "json", help: wanted.description }], begun);
  if (name === "node") return { kind: "nodes", before: "", begun, taken: [] };
  if (name !== "nodes") return nothing;
  const comma = begun.lastIndexOf(",");
  const before = begun.slice(0, comma + 1);
  return { kind: "nodes", before, begun: begun.slice(comma + 1), taken: before.split(",") };
}

/** The name of a value, as help texts show it: `<nodes>`, `[json]`. */
function nameOf(wanted: Option | Argument): string {
  if (!("flags" in wanted)) return wanted.name();
  return /[<[]([^>\]]+)[>\]]/.exec(wanted.flags)?.[1] ?? "";
}

function words(known: readonly Candidate[], begun: string): Completion {
  return { kind: "words", candidates: known.filter(({ value }) => value.startsWith(begun)) };
}

function withPrefix(completion: Completion, prefix: string): Completion {
  if (completion.kind === "files") return completion;
  if (completion.kind === "nodes") return { ...completion, before: prefix + completion.before };
  const candidates = completion.candidates.map(({ value, help }) => ({
    value: prefix + value,
    help,
  }));
  return { kind: "words", candidates };
}
