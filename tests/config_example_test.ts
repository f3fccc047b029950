/** The example file is the reference of all settings, so it must say the truth. */
import assert from "node:assert/strict";
import { parseConfig } from "../agent/config.ts";
import { keys } from "../agent/config_schema.ts";

const text = Deno.readTextFileSync(new URL("../config.example.toml", import.meta.url));

Deno.test("config.example.toml is the defaults, and parses without a warning", () => {
  assert.deepEqual(parseConfig(text), parseConfig(""));
  const result = parseConfig(text);
  assert.ok(result.kind === "config");
  assert.deepEqual(result.warnings, []);
});

Deno.test("config.example.toml names every key in the program's order, and explains it", () => {
  const named: string[] = [];
  let section = "";
  let before = "";
  for (const line of text.split("\n")) {
    section = /^\[(\w+)\]$/.exec(line)?.[1] ?? section;
    const key = /^#?([a-z-]+) = /.exec(line)?.[1];
    if (key !== undefined) {
      named.push(`${section}.${key}`);
      assert.match(before, /^# .*\.$/, `${section}.${key} has no explanation above it`);
    }
    before = line;
  }
  const known = Object.entries(keys).flatMap(([name, own]) =>
    Object.keys(own).map((key) => `${name}.${key}`)
  );
  assert.deepEqual(named, known);
});

Deno.test("config.example.toml shows right values in its commented lines too", () => {
  const defaults = parseConfig("");
  for (const [line] of text.matchAll(/^#[a-z-]+ = .*$/gm)) {
    const result = parseConfig(text.replace(line, line.slice(1)));
    assert.equal(result.kind, "config", line);
    // What is derived from other keys must be the value that is shown.
    if (/^#(lease|fence)-timeout/.test(line)) assert.deepEqual(result, defaults, line);
  }
});
