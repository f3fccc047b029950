/**
 * Sets of global transaction identifiers as immutable values, with the algebra that elections need.
 *
 * A set maps a source (a server UUID, or `uuid:tag` since MySQL 8.3) to sorted intervals that neither
 * touch nor overlap. All functions are pure and linear in the number of intervals.
 * Manual: https://dev.mysql.com/doc/refman/9.7/en/replication-gtids-concepts.html
 */

/** Transaction numbers from `first` to `last`, both included. */
export interface Interval {
  readonly first: bigint;
  readonly last: bigint;
}

/** A set of GTIDs. Two sets hold the same transactions exactly when `format` prints the same text. */
export interface GtidSet {
  /** Keys are lower case, `uuid` or `uuid:tag`, in sorted order; no value is an empty list. */
  readonly sources: ReadonlyMap<string, readonly Interval[]>;
}

/** How one set stands to another. GTID sets are only partly ordered, so there are four answers. */
export type GtidOrder = "behind" | "equal" | "ahead" | "diverged";

/** The set without transactions. */
export const emptySet: GtidSet = { sources: new Map() };

/** The greatest transaction number of MySQL, 2^63 - 2. */
export const numberMax = 2n ** 63n - 2n;

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const tagPattern = /^[a-z_][a-z0-9_]{0,31}$/;

/**
 * Reads a set as MySQL prints or accepts it: `uuid:1-3:5:tag:1-4, uuid:7`. Spaces, line breaks, upper
 * case, overlapping intervals and empty parts between commas are accepted.
 *
 * @throws {SyntaxError} naming the position when the text is no GTID set.
 */
export function parse(text: string): GtidSet {
  const found = new Map<string, Interval[]>();
  let position = 0;
  for (const part of text.split(",")) {
    if (part.trim() !== "") parsePart(part, position, found);
    position += part.length + 1;
  }
  return fromLists(found);
}

function parsePart(part: string, start: number, found: Map<string, Interval[]>): void {
  const words = part.split(":");
  const uuid = (words[0] ?? "").trim().toLowerCase();
  if (!uuidPattern.test(uuid)) throw bad("a server UUID", words[0] ?? "", start);
  let key = uuid;
  let position = start + (words[0] ?? "").length + 1;
  let intervalWanted = true;
  for (const raw of words.slice(1)) {
    const word = raw.trim().toLowerCase();
    if (tagPattern.test(word) && (!intervalWanted || key === uuid)) {
      key = `${uuid}:${word}`;
      intervalWanted = true;
    } else {
      const list = found.get(key) ?? [];
      list.push(parseInterval(word, raw, position));
      found.set(key, list);
      intervalWanted = false;
    }
    position += raw.length + 1;
  }
  if (intervalWanted) throw bad("a transaction number", "", start + part.length);
}

function parseInterval(word: string, raw: string, position: number): Interval {
  const match = /^(\d{1,19})(?:\s*-\s*(\d{1,19}))?$/.exec(word);
  if (match === null) throw bad("a transaction number or interval", raw, position);
  const first = BigInt(match[1] ?? "0");
  const last = BigInt(match[2] ?? match[1] ?? "0");
  if (first < 1n || last < first || last > numberMax) {
    throw bad(`numbers that rise from 1 to at most ${numberMax}`, raw, position);
  }
  return { first, last };
}

const quotedMax = 60;

function bad(wanted: string, word: string, position: number): SyntaxError {
  const shown = word.trim().slice(0, quotedMax);
  return new SyntaxError(
    `Cannot read GTID set: at position ${position} expected ${wanted}, found "${shown}"`,
  );
}

/** Prints a set as MySQL does in `@@gtid_executed`: sorted, one line a server UUID. */
export function format(set: GtidSet): string {
  return formatParts(set).join(",\n");
}

/** Prints a set on one line, for messages between agents and for logs. */
export function formatLine(set: GtidSet): string {
  return formatParts(set).join(",");
}

function formatParts(set: GtidSet): string[] {
  const parts: string[] = [];
  let uuidBefore = "";
  for (const [key, intervals] of set.sources) {
    const [uuid = "", tag] = key.split(":");
    const numbers = intervals.map(formatInterval).join(":");
    if (tag !== undefined && uuid === uuidBefore) parts.push(`${parts.pop()}:${tag}:${numbers}`);
    else parts.push(`${key}:${numbers}`);
    uuidBefore = uuid;
  }
  return parts;
}

function formatInterval(interval: Interval): string {
  if (interval.first === interval.last) return `${interval.first}`;
  return `${interval.first}-${interval.last}`;
}

/**
 * A set of one interval of one source, such as the term marker.
 *
 * @throws {SyntaxError} when the source is not `uuid` or `uuid:tag`, or the numbers do not rise from 1.
 */
export function fromInterval(source: string, interval: Interval): GtidSet {
  return parse(`${source}:${interval.first}-${interval.last}`);
}

/** Whether the set holds no transaction. */
export function isEmpty(set: GtidSet): boolean {
  return set.sources.size === 0;
}

/** How many transactions the set holds. */
export function count(set: GtidSet): bigint {
  let total = 0n;
  for (const intervals of set.sources.values()) {
    for (const { first, last } of intervals) total += last - first + 1n;
  }
  return total;
}

/** Everything in either set. */
export function union(a: GtidSet, b: GtidSet): GtidSet {
  const found = new Map<string, readonly Interval[]>(a.sources);
  for (const [key, intervals] of b.sources) {
    const others = found.get(key);
    found.set(key, others === undefined ? intervals : [...others, ...intervals]);
  }
  return fromLists(found);
}

/** Everything in `a` that is not in `b`, as `GTID_SUBTRACT(a, b)`. */
export function subtract(a: GtidSet, b: GtidSet): GtidSet {
  const sources = new Map<string, readonly Interval[]>();
  for (const [key, intervals] of a.sources) {
    const rest = subtractIntervals(intervals, b.sources.get(key) ?? []);
    if (rest.length > 0) sources.set(key, rest);
  }
  return { sources };
}

function subtractIntervals(from: readonly Interval[], holes: readonly Interval[]): Interval[] {
  const rest: Interval[] = [];
  let index = 0;
  for (const { first, last } of from) {
    let start = first;
    while (index < holes.length && holes[index]!.last < first) index++;
    for (let at = index; at < holes.length && holes[at]!.first <= last; at++) {
      const hole = holes[at]!;
      if (hole.first > start) rest.push({ first: start, last: hole.first - 1n });
      start = hole.last + 1n;
      index = at;
    }
    if (start <= last) rest.push({ first: start, last });
  }
  return rest;
}

/** Everything in both sets. */
export function intersect(a: GtidSet, b: GtidSet): GtidSet {
  return subtract(a, subtract(a, b));
}

/** Whether `a` holds all of `b`, as `GTID_SUBSET(b, a)`. */
export function contains(a: GtidSet, b: GtidSet): boolean {
  for (const [key, intervals] of b.sources) {
    if (!containsIntervals(a.sources.get(key) ?? [], intervals)) return false;
  }
  return true;
}

function containsIntervals(outer: readonly Interval[], inner: readonly Interval[]): boolean {
  let index = 0;
  for (const { first, last } of inner) {
    while (index < outer.length && outer[index]!.last < last) index++;
    const cover = outer[index];
    // Intervals never touch, so an interval is covered by a single one or not at all.
    if (cover === undefined || cover.first > first) return false;
  }
  return true;
}

/** How `a` stands to `b`: "behind" means that `b` holds all of `a` and more. */
export function compare(a: GtidSet, b: GtidSet): GtidOrder {
  const hasAll = contains(a, b);
  const isWithin = contains(b, a);
  if (hasAll && isWithin) return "equal";
  if (hasAll) return "ahead";
  return isWithin ? "behind" : "diverged";
}

/** The part of a set that one server UUID brought about, with all its tags. */
export function ofSource(set: GtidSet, uuid: string): GtidSet {
  const wanted = uuid.toLowerCase();
  return {
    sources: new Map([...set.sources].filter(([key]) => key.split(":")[0] === wanted)),
  };
}

/** The highest transaction number of one source (`uuid` or `uuid:tag`), 0 when there is none. */
export function lastOf(set: GtidSet, source: string): bigint {
  return set.sources.get(source.toLowerCase())?.at(-1)?.last ?? 0n;
}

/** Sorts sources and intervals and joins intervals that touch: the one place that builds sets. */
function fromLists(found: ReadonlyMap<string, readonly Interval[]>): GtidSet {
  const sources = new Map<string, readonly Interval[]>();
  for (const key of [...found.keys()].sort()) sources.set(key, merge(found.get(key) ?? []));
  return { sources };
}

function merge(intervals: readonly Interval[]): readonly Interval[] {
  const sorted = intervals.toSorted((a, b) => a.first < b.first ? -1 : a.first > b.first ? 1 : 0);
  const merged: Interval[] = [];
  for (const next of sorted) {
    const before = merged.at(-1);
    if (before !== undefined && next.first <= before.last + 1n) {
      const last = next.last > before.last ? next.last : before.last;
      merged[merged.length - 1] = { first: before.first, last };
    } else {
      merged.push(next);
    }
  }
  return merged;
}
