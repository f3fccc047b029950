/** For tests of a group's words: what command lines mean, and what is said to those that mean nothing. */
import assert from "node:assert/strict";
import type { Command } from "../command.ts";
import { parseArguments } from "../program.ts";

/** The common options of a command line that names none. */
export const nothing = { config: undefined, timeoutMs: undefined };

/** Checks what each command line means. */
export function expectCommands(expected: Readonly<Record<string, Command>>): void {
  for (const [line, command] of Object.entries(expected)) {
    assert.deepEqual(parseArguments(split(line)), { kind: "command", command }, line);
  }
}

/** Checks that each command line is refused in one line that matches. */
export function expectRefusals(expected: Readonly<Record<string, RegExp>>): void {
  for (const [line, pattern] of Object.entries(expected)) {
    const parsed = parseArguments(split(line));
    assert.equal(parsed.kind, "usageError", line);
    const because = parsed.kind === "usageError" ? parsed.because : "";
    assert.match(because, pattern, line);
    assert.doesNotMatch(because, /\n/, line);
  }
}

function split(line: string): readonly string[] {
  return line === "" ? [] : line.split(" ");
}
