/**
 * The command tree: names, options, help texts with examples; the words of a command line become a
 * Command or a usage error. Nothing runs here.
 */
import {
  Command as Root,
  CommanderError,
  type CommandUnknownOpts as Tree,
  InvalidArgumentError,
  Option,
  type OutputConfiguration,
} from "@commander-js/extra-typings";
import type { Command, CommonOptions, FactsForm, OutputForm, Parsed } from "./command.ts";

/** Longest time an operator may grant one question. */
const timeoutSecondsMax = 600;
const writersMax = 64;
/** Most nodes one `cluster add` may name. */
const nodesMax = 16;
const helpWidth = 80;

type Found = (command: Command) => void;

/** Understands the words after the program's name. */
export function parseArguments(words: readonly string[]): Parsed {
  if (words.length === 1 && words[0] === "--version") {
    return { kind: "command", command: { kind: "version" } };
  }
  let found: Command | undefined;
  let help = "";
  let mistake = "";
  const tree = buildTree((command) => found = command);
  const path = commandPath(tree, words[0] === "help" ? words.slice(1) : words);
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
  try {
    tree.parse([...helpWords(words, path.length)], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (help !== "") return { kind: "help", text: help };
    return { kind: "usageError", because: mistakeOf(target, mistake || error.message) };
  }
  if (found === undefined) return { kind: "help", text: help };
  return { kind: "command", command: found };
}

/** The tree without behaviour, for help texts and completion. */
export function buildTree(found: Found): Tree {
  const tree = new Root("xenon")
    .description("High availability for MySQL: one agent beside each server.")
    .option("--config <file>", "config of the agent on this host")
    .option("--timeout <seconds>", "how long to wait for the agents", parseTimeout)
    .helpCommand("help [command]", "show the help of a command")
    .addHelpText("after", examples(["xenon cluster status", "xenon help cluster"]));
  addAgent(tree, found);
  addCluster(tree, found);
  addMysql(tree, found);
  addRaft(tree, found);
  addDemo(tree, found);
  tree.command("version").description("print the version")
    .action(() => found({ kind: "version" }));
  return tree;
}

function addAgent(tree: Tree, found: Found): void {
  tree.command("agent")
    .description("run the agent of this host until it is told to stop")
    .addHelpText("after", examples(["xenon agent --config /etc/xenon/xenon.toml"]))
    .action((_options, self) => found({ kind: "agent", common: commonOf(self) }));
}

function addCluster(tree: Tree, found: Found): void {
  const group = tree.command("cluster").description("the whole cluster, asked at every node");
  group.command("add")
    .description("form a cluster with these nodes, or join them to the one there is")
    .argument("<nodes>", "agents as host:port, separated by commas", parseNodes)
    .addHelpText("after", examples(["xenon cluster add 10.0.0.2:8801,10.0.0.3:8801"]))
    .action((nodes, _options, self) =>
      found({ kind: "clusterAdd", nodes, common: commonOf(self) })
    );
  addFacts(group, {
    name: "status",
    description: "every node with its role, its server and its replication",
    kind: "clusterStatus",
    found,
  });
  addFacts(group, {
    name: "gtid",
    description: "every node with its GTID sets, the leader last",
    kind: "clusterGtid",
    found,
  });
}

function addMysql(tree: Tree, found: Found): void {
  const group = tree.command("mysql").description("the MySQL server of this host");
  addLocalFacts(group, {
    name: "status",
    description: "replication and server of this host, as JSON",
    kind: "mysqlStatus",
    found,
  });
}

function addRaft(tree: Tree, found: Found): void {
  const group = tree.command("raft").description("the agent of this host and its role");
  addLocalFacts(group, {
    name: "status",
    description: "role, leader and members as this agent sees them, as JSON",
    kind: "raftStatus",
    found,
  });
  addLocalFacts(group, {
    name: "nodes",
    description: "the members this agent knows",
    kind: "raftNodes",
    found,
  });
  group.command("trytoleader")
    .description("let this node stand for leader and take over from the present one")
    .addHelpText("after", examples(["xenon raft trytoleader --timeout 30"]))
    .action((_options, self) => found({ kind: "raftTryToLeader", common: commonOf(self) }));
}

function addDemo(tree: Tree, found: Found): void {
  tree.command("demo")
    .description("three real servers on this machine, a killed leader, and nothing lost")
    .option("--keep", "leave servers and data behind to look at", false)
    .option("--mysqld <path>", "the MySQL server program to start")
    .option("--writers <n>", "clients that write all the time", parseWriters, 4)
    .addHelpText("after", examples(["xenon demo --mysqld /usr/sbin/mysqld"]))
    .action((options) =>
      found({
        kind: "demo",
        keep: options.keep,
        mysqld: options.mysqld,
        writers: options.writers,
      })
    );
}

interface Facts<Kind> {
  readonly name: string;
  readonly description: string;
  readonly kind: Kind;
  readonly found: Found;
}

function addFacts(group: Tree, facts: Facts<"clusterStatus" | "clusterGtid">): void {
  const words = `xenon cluster ${facts.name}`;
  group.command(facts.name)
    .description(facts.description)
    .argument("[json]", "the original's JSON, with exactly its keys", parseExact)
    .addOption(outputOption())
    .addHelpText("after", examples([words, `${words} json`, `${words} -o json`]))
    .action((exact, options, self) => {
      const form: FactsForm = options.output ?? (exact ? "exact" : "table");
      facts.found({ kind: facts.kind, form, common: commonOf(self) });
    });
}

function addLocalFacts(
  group: Tree,
  facts: Facts<"mysqlStatus" | "raftStatus" | "raftNodes">,
): void {
  group.command(facts.name)
    .description(facts.description)
    .addOption(outputOption())
    .addHelpText("after", examples([`xenon ${group.name()} ${facts.name}`]))
    .action((options, self) => {
      const usual: OutputForm = facts.kind === "raftNodes" ? "table" : "json";
      facts.found({ kind: facts.kind, form: options.output ?? usual, common: commonOf(self) });
    });
}

function outputOption() {
  return new Option("-o, --output <form>", "how to print facts").choices(
    ["table", "json"] as const,
  );
}

/** Commander must neither exit nor print by itself, in every command of the tree. */
function prepare(tree: Tree, output: OutputConfiguration): void {
  tree.exitOverride().configureOutput(output).configureHelp({ showGlobalOptions: true });
  tree.showSuggestionAfterError(true);
  for (const child of tree.commands) prepare(child, output);
}

function commonOf(command: Tree): CommonOptions {
  const options: { config?: string; timeout?: number } = command.optsWithGlobals();
  return { config: options.config, timeoutMs: options.timeout };
}

function parseTimeout(word: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(word) ? Number(word) : NaN;
  if (!(seconds > 0 && seconds <= timeoutSecondsMax)) {
    throw new InvalidArgumentError(`Wanted is a number of seconds up to ${timeoutSecondsMax}.`);
  }
  return Math.max(1, Math.round(seconds * 1000));
}

function parseWriters(word: string): number {
  const writers = /^\d+$/.test(word) ? Number(word) : NaN;
  if (!(writers >= 1 && writers <= writersMax)) {
    throw new InvalidArgumentError(`Wanted is a whole number from 1 to ${writersMax}.`);
  }
  return writers;
}

function parseExact(word: string): true {
  if (word !== "json") throw new InvalidArgumentError('The only word here is "json".');
  return true;
}

/** Splits and checks `host:port,host:port`; outer commas are trimmed, as operators paste them. */
function parseNodes(word: string): readonly string[] {
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

function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}\n`;
}

/** The commands that the first words name, outermost first. */
function commandPath(tree: Tree, words: readonly string[]): readonly Tree[] {
  const path: Tree[] = [];
  for (const word of words) {
    const next: Tree | undefined = (path.at(-1) ?? tree).commands.find((one) =>
      one.name() === word
    );
    if (next !== undefined) path.push(next);
  }
  return path;
}

/** `help a b` is `a b --help`, so that help reaches every depth; unknown words stay mistakes. */
function helpWords(words: readonly string[], known: number): readonly string[] {
  const rest = words.slice(1);
  return words[0] === "help" && rest.length === known ? [...rest, "--help"] : words;
}

/** One line about the mistake and where to read how it is done. */
function mistakeOf(target: Tree, text: string): string {
  const names: string[] = [];
  for (let one: Tree | null = target; one?.parent; one = one.parent) names.unshift(one.name());
  const next = `next: ${["xenon help", ...names].join(" ")}`;
  if (text.startsWith("Usage:") || text.startsWith("(outputHelp)")) {
    const [unmatched] = target.args.slice(1);
    const because = unmatched === undefined
      ? "the command is missing"
      : `"${unmatched}" is unknown`;
    return `Cannot run "${["xenon", ...names].join(" ")}" as ${because}; ${next}`;
  }
  const line = text.replace(/^error: /, "").replace(/\s+/g, " ").trim().replace(/\.$/, "");
  return `Cannot understand the command line: ${line}; ${next}`;
}
