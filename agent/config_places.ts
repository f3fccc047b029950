/**
 * Finds where keys stand in a configuration file, for messages with line and column. The text has
 * passed the TOML parser before, so this only needs to recognise headers and keys.
 */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** The first place of each `section.key`, and of each section's header by its name. */
export function findPlaces(text: string): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  let section = "";
  let closing = "";
  text.split("\n").forEach((line, index) => {
    if (closing !== "") {
      if (line.includes(closing)) closing = "";
      return;
    }
    const name = headerOf(line) ?? keyOf(line);
    if (name === null) return;
    const isHeader = headerOf(line) !== null;
    if (isHeader) section = name;
    const path = isHeader || section === "" ? name : `${section}.${name}`;
    const place = { line: index + 1, column: line.search(/\S/) + 1 };
    if (!places.has(path)) places.set(path, place);
    closing = openedBy(line);
  });
  return places;
}

function headerOf(line: string): string | null {
  const inside = /^\s*\[([^[\]]+)\]\s*(?:#.*)?$/.exec(line)?.[1];
  return inside === undefined ? null : plainPath(inside);
}

function keyOf(line: string): string | null {
  const key = /^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=/.exec(
    line,
  );
  return key?.[1] === undefined ? null : plainPath(key[1]);
}

function plainPath(path: string): string {
  return path.split(".").map((part) => part.trim().replace(/^(["'])(.*)\1$/, "$2")).join(".");
}

/** The quotes of a text that goes on in the next line, or "" when nothing does. */
function openedBy(line: string): string {
  for (const quotes of ['"""', "'''"]) {
    if (line.split(quotes).length === 2) return quotes;
  }
  return "";
}
