import assert from "node:assert/strict";
import { buildTree, parseArguments } from "./program.ts";
import { expectCommands, expectRefusals, nothing } from "./tree/expect_words.ts";

Deno.test("common options stand before or behind the command", () => {
  const agent = { group: "agent", common: { ...nothing, config: "a.toml" } } as const;
  expectCommands({
    "version": { group: "version", kind: "own" },
    "--version": { group: "version", kind: "own" },
    "agent --config a.toml": agent,
    "--config a.toml agent": agent,
  });
});

Deno.test("each mistake is refused in one line that names the next step", () => {
  expectRefusals({
    "": /^Cannot run "xenon" as the command is missing; next: xenon help$/,
    "clutser status": /unknown command 'clutser' \(Did you mean cluster\?\); next: xenon help$/,
    "help nothing": /^Cannot run "xenon" as "nothing" is unknown; next: xenon help$/,
    "--config a.toml help nothing":
      /^Cannot run "xenon" as "nothing" is unknown; next: xenon help$/,
  });
});

Deno.test("the value of an option of any command is never taken for a command", () => {
  const command = { group: "demo", keep: false, mysqld: "cluster", writers: 4 } as const;
  expectCommands({ "demo --mysqld cluster": command });
  expectRefusals({
    "help demo --mysqld cluster nothing": /^Cannot run "xenon demo" as "nothing" is unknown/,
  });
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
