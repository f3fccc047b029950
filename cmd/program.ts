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
/** Most nodes one `cluster add` or `cluster remove` may name. */
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
  const { names, options } = separate(words);
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
export function buildTree(found: Found): Tree {
  const tree = new Root("xenon")
    .description("High availability for MySQL: one agent beside each server.")
    .option("--config <file>", "Config of the agent on this host")
    .option("--timeout <seconds>", "How long to wait for the agents", parseTimeout)
    .addHelpText("after", examples(["xenon cluster status", "xenon help cluster add"]));
  addAgent(tree, found);
  addCluster(tree, found);
  addMysql(tree, found);
  addRaft(tree, found);
  addDemo(tree, found);
  tree.command("version").description("Print the version")
    .addHelpText("after", examples(["xenon version"]))
    .action(() => found({ kind: "version" }));
  return tree;
}

function addAgent(tree: Tree, found: Found): void {
  tree.command("agent")
    .description("Run the agent of this host until it is told to stop")
    .addHelpText("after", examples(["xenon agent --config /etc/xenon/xenon.toml"]))
    .action((_options, self) => found({ kind: "agent", common: commonOf(self) }));
}

function addCluster(tree: Tree, found: Found): void {
  const group = tree.command("cluster").description("The whole cluster, asked at every node")
    .addHelpText("after", examples(["xenon cluster status", "xenon help cluster add"]));
  addChange(group, {
    name: "add",
    description: "Form a cluster with these nodes, or join them to the one there is",
    kind: "clusterAdd",
    found,
  });
  addChange(group, {
    name: "remove",
    description: "Take these nodes out of the cluster; their servers stay as they are",
    kind: "clusterRemove",
    found,
  });
  addFacts(group, {
    name: "status",
    description: "Every node with its role, its server and its replication",
    kind: "clusterStatus",
    found,
  });
  addFacts(group, {
    name: "gtid",
    description: "Every node with its GTID sets, the leader last",
    kind: "clusterGtid",
    found,
  });
}

function addMysql(tree: Tree, found: Found): void {
  const group = tree.command("mysql").description("The MySQL server of this host")
    .addHelpText("after", examples(["xenon mysql status"]));
  addLocalFacts(group, {
    name: "status",
    description: "Replication and server of this host, as JSON",
    kind: "mysqlStatus",
    found,
  });
}

function addRaft(tree: Tree, found: Found): void {
  const group = tree.command("raft").description("The agent of this host and its role")
    .addHelpText("after", examples(["xenon raft status", "xenon raft trytoleader"]));
  addLocalFacts(group, {
    name: "status",
    description: "Role, leader and members as this agent sees them, as JSON",
    kind: "raftStatus",
    found,
  });
  addLocalFacts(group, {
    name: "nodes",
    description: "The members this agent knows",
    kind: "raftNodes",
    found,
  });
  group.command("trytoleader")
    .description("Let this node take the leadership over and wait until it is open for writes")
    .addHelpText("after", examples(["xenon raft trytoleader --timeout 30"]))
    .action((_options, self) => found({ kind: "raftTryToLeader", common: commonOf(self) }));
}

function addDemo(tree: Tree, found: Found): void {
  tree.command("demo")
    .description("Three real servers on this machine, a killed leader, and nothing lost")
    .option("--keep", "Leave servers and data behind to look at", false)
    .option("--mysqld <path>", "The MySQL server program to start")
    .option("--writers <n>", "Clients that write all the time", parseWriters, 4)
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

function addChange(group: Tree, facts: Facts<"clusterAdd" | "clusterRemove">): void {
  const words = `xenon cluster ${facts.name}`;
  group.command(facts.name)
    .description(facts.description)
    .argument("<nodes>", "Agents as host:port, separated by commas", parseNodes)
    .addHelpText("after", examples([`${words} 10.0.0.2:8801,10.0.0.3:8801`]))
    .action((nodes, _options, self) =>
      facts.found({ kind: facts.kind, nodes, common: commonOf(self) })
    );
}

function addFacts(group: Tree, facts: Facts<"clusterStatus" | "clusterGtid">): void {
  const words = `xenon cluster ${facts.name}`;
  group.command(facts.name)
    .description(facts.description)
    .argument("[json]", "The original's JSON, with exactly its keys", parseExact)
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
  return new Option("-o, --output <form>", "How to print facts").choices(
    ["table", "json"] as const,
  );
}

/** Commander must neither exit nor print by itself, in every command of the tree. */
function prepare(tree: Tree, output: OutputConfiguration): void {
  tree.exitOverride().configureOutput(output).configureHelp({ showGlobalOptions: true });
  tree.helpOption("-h, --help", "Show this help");
  if (tree.commands.length > 0) tree.helpCommand("help [command]", "Show the help of a command");
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
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

/** Options that take the next word as their value, wherever they stand. */
const optionsWithValue = new Set([
  "--config",
  "--timeout",
  "-o",
  "--output",
  "--mysqld",
  "--writers",
]);

/** The words that name something apart from the options, which may stand anywhere between them. */
function separate(words: readonly string[]): {
  readonly names: readonly string[];
  readonly options: readonly string[];
} {
  const names: string[] = [];
  const options: string[] = [];
  let valueFollows = false;
  for (const word of words) {
    const option = valueFollows || word.startsWith("-");
    (option ? options : names).push(word);
    valueFollows = !valueFollows && optionsWithValue.has(word);
  }
  return { names, options };
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
