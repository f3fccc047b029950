/** JSON as people write it into configuration files: with comments, and commas behind the last value. */

export type LenientJson =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "wrong"; readonly line: number; readonly column: number };

/**
 * Reads JSON with `//` and slash-star comments and trailing commas. A mistake is told by its place
 * and nothing else: the text may hold passwords.
 */
export function parseLenientJson(text: string): LenientJson {
  const plain = withoutTrailingCommas(withoutComments(text.replace(/^\ufeff/, " ")));
  try {
    return { kind: "value", value: JSON.parse(plain) };
  } catch (error) {
    const offset = offsetOf(error, plain);
    const before = plain.slice(0, offset).split("\n");
    return { kind: "wrong", line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  }
}

/** Strings as they are, comments as blanks, so that places stay the same. */
const tokens = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

function withoutComments(text: string): string {
  return text.replace(tokens, (token) => token.startsWith("/") ? blanks(token) : token);
}

function withoutTrailingCommas(text: string): string {
  return text.replace(/"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])/g, (token) => token === "," ? " " : token);
}

function blanks(token: string): string {
  return token.replace(/[^\n]/g, " ");
}

/** The engine names the position in words; without it the end is as good as any place. */
function offsetOf(error: unknown, text: string): number {
  const position = /at position (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
  return position === undefined ? text.length : Number(position);
}
