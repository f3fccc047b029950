import assert from "node:assert/strict";
import fc from "fast-check";
import { quoteAccount, quoteIdentifier, quoteString } from "./text.ts";

Deno.test("quoteString() doubles quotes and backslashes", () => {
  assert.equal(quoteString("it's"), "'it''s'");
  assert.equal(quoteString("a\\b"), "'a\\\\b'");
  assert.equal(quoteString(""), "''");
});

Deno.test("quoteIdentifier() doubles backticks and refuses the empty name", () => {
  assert.equal(quoteIdentifier("a`b"), "`a``b`");
  assert.throws(() => quoteIdentifier(""), RangeError);
});

Deno.test("quoteAccount() quotes both halves", () => {
  assert.equal(quoteAccount("re'pl", "10.%"), "'re''pl'@'10.%'");
});

Deno.test("a NUL character is refused without quoting the value", () => {
  assert.throws(
    () => quoteString("secret\0"),
    (error) => error instanceof RangeError && !error.message.includes("secret"),
  );
});

/** Reads a literal as the server's lexer does; undefined when text follows the closing quote. */
function readLiteral(literal: string, backslashEscapes: boolean): string | undefined {
  let value = "";
  for (let at = 1; at < literal.length; at++) {
    const letter = literal[at]!;
    if (letter === "\\" && backslashEscapes) value += literal[++at];
    else if (letter !== "'") value += letter;
    else if (literal[at + 1] === "'") value += literal[++at];
    else return at === literal.length - 1 ? value : undefined;
  }
  return undefined;
}

Deno.test("no text ends its own quotes, with and without NO_BACKSLASH_ESCAPES", () => {
  const nasty = fc.string({ unit: fc.constantFrom("'", "\\", '"', "`", ";", "a", " ") });
  fc.assert(fc.property(nasty, (text) => {
    assert.equal(readLiteral(quoteString(text), true), text);
    assert.equal(readLiteral(quoteString(text), false), text.replaceAll("\\", "\\\\"));
  }));
});
