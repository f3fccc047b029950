import assert from "node:assert/strict";
import type { Command } from "./command.ts";
import { buildTree, parseArguments } from "./program.ts";

const nothing = { config: undefined, timeoutMs: undefined };

/** Command lines and what they mean. */
const understood: Readonly<Record<string, Command>> = {
  "version": { kind: "version" },
  "--version": { kind: "version" },
  "agent --config a.toml": { kind: "agent", common: { ...nothing, config: "a.toml" } },
  "--config a.toml agent": { kind: "agent", common: { ...nothing, config: "a.toml" } },
  "cluster add b:1,c:2": { kind: "clusterAdd", nodes: ["b:1", "c:2"], common: nothing },
  "cluster add ,b:1,b:1,": { kind: "clusterAdd", nodes: ["b:1"], common: nothing },
  "cluster add [fd00::1]:8801": {
    kind: "clusterAdd",
    nodes: ["[fd00::1]:8801"],
    common: nothing,
  },
  "cluster remove b:1,c:2": { kind: "clusterRemove", nodes: ["b:1", "c:2"], common: nothing },
  "--config a.toml cluster remove b:1": {
    kind: "clusterRemove",
    nodes: ["b:1"],
    common: { ...nothing, config: "a.toml" },
  },
  "cluster status": { kind: "clusterStatus", form: "table", common: nothing },
  "cluster status json": { kind: "clusterStatus", form: "exact", common: nothing },
  "cluster status -o json": { kind: "clusterStatus", form: "json", common: nothing },
  "cluster gtid json --timeout 2.5": {
    kind: "clusterGtid",
    form: "exact",
    common: { ...nothing, timeoutMs: 2500 },
  },
  "mysql status": { kind: "mysqlStatus", form: "json", common: nothing },
  "mysql status -o table": { kind: "mysqlStatus", form: "table", common: nothing },
  "raft status": { kind: "raftStatus", form: "json", common: nothing },
  "raft nodes": { kind: "raftNodes", form: "table", common: nothing },
  "raft nodes --output json": { kind: "raftNodes", form: "json", common: nothing },
  "raft trytoleader": { kind: "raftTryToLeader", common: nothing },
  "demo": { kind: "demo", keep: false, mysqld: undefined, writers: 4 },
  "demo --keep --mysqld /m --writers 7": { kind: "demo", keep: true, mysqld: "/m", writers: 7 },
};

/** Command lines nobody can mean, and what the one line about them says. */
const refused: Readonly<Record<string, RegExp>> = {
  "": /^Cannot run "xenon" as the command is missing; next: xenon help$/,
  "cluster": /^Cannot run "xenon cluster" as the command is missing; next: xenon help cluster$/,
  "clutser status": /unknown command 'clutser' \(Did you mean cluster\?\); next: xenon help$/,
  "cluster statsu": /'statsu' \(Did you mean status\?\); next: xenon help cluster$/,
  "cluster status xml": /The only word here is "json"; next: xenon help cluster status$/,
  "cluster status json json": /too many arguments/,
  "cluster status --timeot 5": /unknown option '--timeot' \(Did you mean --timeout\?\)/,
  "cluster status --timeout abc": /Wanted is a number of seconds up to 600/,
  "cluster status --timeout 0": /Wanted is a number of seconds/,
  "cluster status --timeout 601": /Wanted is a number of seconds/,
  "cluster status -o yaml": /Allowed choices are table, json/,
  "cluster add": /missing required argument 'nodes'; next: xenon help cluster add$/,
  "cluster add b": /Node "b" is not host:port/,
  "cluster add b:0": /Node "b:0" is not host:port/,
  "cluster add b:65536": /Node "b:65536" is not host:port/,
  "cluster add fd00::1:8801": /is not host:port/,
  "cluster add b:1 c:2": /too many arguments/,
  "cluster remove": /missing required argument 'nodes'; next: xenon help cluster remove$/,
  "cluster remove b:1 c:2": /too many arguments/,
  "demo --writers 0": /Wanted is a whole number from 1 to 64/,
  "help nothing": /^Cannot run "xenon" as "nothing" is unknown; next: xenon help$/,
  "--config a.toml help nothing": /^Cannot run "xenon" as "nothing" is unknown; next: xenon help$/,
  "help cluster nothing":
    /^Cannot run "xenon cluster" as "nothing" is unknown; next: xenon help cluster$/,
  "help cluster add b:1": /^Cannot run "xenon cluster add" as "b:1" is unknown; next: /,
};

function split(line: string): readonly string[] {
  return line === "" ? [] : line.split(" ");
}

Deno.test("parseArguments() understands every command with its options", () => {
  for (const [line, command] of Object.entries(understood)) {
    assert.deepEqual(parseArguments(split(line)), { kind: "command", command }, line);
  }
});

Deno.test("parseArguments() refuses each mistake in one line that names the next step", () => {
  for (const [line, pattern] of Object.entries(refused)) {
    const parsed = parseArguments(split(line));
    assert.equal(parsed.kind, "usageError", line);
    assert.match(parsed.kind === "usageError" ? parsed.because : "", pattern, line);
    assert.doesNotMatch(parsed.kind === "usageError" ? parsed.because : "", /\n/, line);
  }
});

Deno.test("parseArguments() refuses more nodes than one addition may name", () => {
  const nodes = Array.from({ length: 17 }, (_, index) => `b${index}:1`).join(",");
  const parsed = parseArguments(["cluster", "add", nodes]);
  assert.match(parsed.kind === "usageError" ? parsed.because : "", /17 nodes are more than 16/);
});

Deno.test("help is the same by either way of asking and has an example for every command", () => {
  const tree = buildTree(() => {});
  for (const group of tree.commands) {
    for (const words of [[group.name()], ...group.commands.map((c) => [group.name(), c.name()])]) {
      const asked = parseArguments(["help", ...words]);
      assert.equal(asked.kind, "help", words.join(" "));
      assert.deepEqual(asked, parseArguments([...words, "--help"]));
      assert.deepEqual(asked, parseArguments(["--config", "help", "help", ...words]));
      assert.deepEqual(asked, parseArguments(["help", ...words, "--timeout=3"]));
      const text = asked.kind === "help" ? asked.text : "";
      assert.match(text, /Examples:\n {2}xenon /, words.join(" "));
      assert.match(text, /^Usage: .*\n\n[A-Z]/, words.join(" "));
    }
  }
});
