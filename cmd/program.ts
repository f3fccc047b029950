/**
 * The command tree of all groups (`cmd/tree/`); the words of a command line become a Command, a help
 * text or a usage error. Nothing runs here.
 */
import {
  Command as Root,
  CommanderError,
  type OutputConfiguration,
} from "@commander-js/extra-typings";
import type { Command, Parsed } from "./command.ts";
import { addAgent } from "./tree/agent.ts";
import { addCluster } from "./tree/cluster.ts";
import { addCompletion } from "./tree/completion.ts";
import { addConfig } from "./tree/config.ts";
import { addDemo } from "./tree/demo.ts";
import { addJobs } from "./tree/jobs.ts";
import { addInit } from "./tree/init.ts";
import { addMysql } from "./tree/mysql.ts";
import { addPerf } from "./tree/perf.ts";
import { addRaft } from "./tree/raft.ts";
import { addVersion } from "./tree/version.ts";
import { addXenon } from "./tree/xenon.ts";
import { examples, type Found, parseTimeout, type Tree } from "./tree/words.ts";

const helpWidth = 80;

/** Understands the words after the program's name. */
export function parseArguments(words: readonly string[]): Parsed {
  if (words.length === 1 && words[0] === "--version") {
    return { kind: "command", command: { group: "version", kind: "own" } };
  }
  let found: Command | undefined;
  let help = "";
  let mistake = "";
  const tree = buildTree((command) => found = command);
  const { names, options } = separate(tree, words);
  const asked = names[0] === "help" ? names.slice(1) : names;
  const path = commandPath(tree, asked);
  const target = path.at(-1) ?? tree;
  prepare(tree, {
    writeOut: (text) => void (help += text),
    writeErr: (text) => void (mistake += text),
    // Left alone, commander reads the environment and the terminal to decide these.
    getOutHasColors: () => false,
    getErrHasColors: () => false,
    getOutHelpWidth: () => helpWidth,
    getErrHelpWidth: () => helpWidth,
  });
  const unknown = asked[path.length];
  if (names[0] === "help" && unknown !== undefined) {
    return { kind: "usageError", because: unknownWord(target, unknown) };
  }
  try {
    // `help a b` is `a b --help`, so that help reaches every depth.
    const meant = names[0] === "help" ? [...options, ...asked, "--help"] : words;
    tree.parse([...meant], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (help !== "") return { kind: "help", text: help };
    return { kind: "usageError", because: mistakeOf(target, mistake || error.message) };
  }
  if (found === undefined) return { kind: "help", text: help };
  return { kind: "command", command: found };
}

/** The tree without behaviour, for help texts and completion. */
export function buildTree(found: Found<Command>): Tree {
  const tree = new Root("xenon")
    .description("High availability for MySQL: one agent beside each server.")
    .option("--config <file>", "Config of the agent on this host")
    .option("--timeout <seconds>", "How long to wait for the agents", parseTimeout)
    .addHelpText("after", examples("xenon cluster status", "xenon help cluster add"));
  addAgent(tree, found);
  addCluster(tree, found);
  addMysql(tree, found);
  addJobs(tree, found);
  addRaft(tree, found);
  addXenon(tree, found);
  addPerf(tree, found);
  addInit(tree, found);
  addConfig(tree, found);
  addCompletion(tree, found);
  addDemo(tree, found);
  addVersion(tree, found);
  return tree;
}

/** Commander must neither exit nor print by itself, in every command of the tree. */
function prepare(tree: Tree, output: OutputConfiguration): void {
  tree.exitOverride().configureOutput(output).configureHelp({ showGlobalOptions: true });
  tree.helpOption("-h, --help", "Show this help");
  if (tree.commands.length > 0) tree.helpCommand("help [command]", "Show the help of a command");
  tree.showSuggestionAfterError(true);
  for (const child of tree.commands) prepare(child, output);
}

/** The words that name something apart from the options, which may stand anywhere between them. */
function separate(tree: Tree, words: readonly string[]): {
  readonly names: readonly string[];
  readonly options: readonly string[];
} {
  const names: string[] = [];
  const options: string[] = [];
  const takesValue = new Set(optionsWithValue(tree));
  let valueFollows = false;
  for (const word of words) {
    const option = valueFollows || word.startsWith("-");
    (option ? options : names).push(word);
    valueFollows = !valueFollows && takesValue.has(word);
  }
  return { names, options };
}

/** Options that take the next word as their value, in this command and all below it. */
function optionsWithValue(tree: Tree): readonly string[] {
  const own = tree.options.filter((option) => option.required)
    .flatMap(({ short, long }) => [short, long].filter((name) => name !== undefined));
  return [...own, ...tree.commands.flatMap(optionsWithValue)];
}

/** The commands that the first names lead to, outermost first. */
function commandPath(tree: Tree, names: readonly string[]): readonly Tree[] {
  const path: Tree[] = [];
  for (const name of names) {
    const { commands } = path.at(-1) ?? tree;
    const next: Tree | undefined = commands.find((one) => one.name() === name);
    if (next === undefined) break;
    path.push(next);
  }
  return path;
}

/** One line about the mistake and where to read how it is done. */
function mistakeOf(target: Tree, text: string): string {
  if (text.startsWith("Usage:") || text.startsWith("(outputHelp)")) {
    const [unmatched] = target.args.slice(1);
    return unmatched === undefined
      ? `Cannot run "${nameOf(target)}" as the command is missing; ${nextOf(target)}`
      : unknownWord(target, unmatched);
  }
  const line = text.replace(/^error: /, "").replace(/\s+/g, " ").trim().replace(/\.$/, "");
  return `Cannot understand the command line: ${line}; ${nextOf(target)}`;
}

function unknownWord(target: Tree, word: string): string {
  return `Cannot run "${nameOf(target)}" as "${word}" is unknown; ${nextOf(target)}`;
}

function nextOf(target: Tree): string {
  return `next: ${nameOf(target).replace("xenon", "xenon help")}`;
}

/** The command as it is typed, from the program's name on. */
function nameOf(target: Tree): string {
  const parents = target.parent === null ? [] : [nameOf(target.parent)];
  return [...parents, target.name()].join(" ");
}
