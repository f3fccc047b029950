/**
 * Transactions of the model and sets of them. A server numbers its own transactions without gaps and
 * a replica gets them in that order, so a set is one count for each origin, plus the term markers.
 * As text, for the core: `*1.4 a12 b3`.
 */
import type { Position, Positions } from "../../raft/types.ts";

/** Origin of term markers: the cluster itself. Their number is the term. */
export const MARKER = "*";

export interface Transaction {
  readonly origin: string;
  readonly number: number;
  /** The replication account that it locks, for ever, wherever it is executed. */
  readonly locks?: string;
}

/** A set that grows. */
export class TransactionSet {
  #markers: number[] = [];
  #counts = new Map<string, number>();
  #text: Position | null = null;

  has(transaction: Transaction): boolean {
    if (transaction.origin === MARKER) return this.#markers.includes(transaction.number);
    return this.count(transaction.origin) >= transaction.number;
  }

  /** How many transactions of this origin the set holds. */
  count(origin: string): number {
    return this.#counts.get(origin) ?? 0;
  }

  add(transaction: Transaction): void {
    if (this.has(transaction)) return;
    this.#text = null;
    const { origin, number } = transaction;
    if (origin === MARKER) {
      this.#markers.push(number);
      this.#markers.sort((left, right) => left - right);
      return;
    }
    if (number !== this.count(origin) + 1) {
      throw new RangeError(`Model: ${origin}${number} comes after ${origin}${this.count(origin)}`);
    }
    this.#counts.set(origin, number);
  }

  /** Without the newest `count` of an origin. */
  without(origin: string, count: number): TransactionSet {
    const copy = this.clone();
    copy.#counts.set(origin, Math.max(0, this.count(origin) - count));
    return copy;
  }

  clone(): TransactionSet {
    const copy = new TransactionSet();
    copy.#markers = [...this.#markers];
    copy.#counts = new Map(this.#counts);
    return copy;
  }

  /** The set as the core sees it. */
  text(): Position {
    this.#text ??= print({ markers: this.#markers, counts: this.#counts });
    return this.#text;
  }
}

interface Parsed {
  readonly markers: readonly number[];
  readonly counts: ReadonlyMap<string, number>;
}

/** The questions of the core, answered for sets in the text form of this file. */
export const compactPositions: Positions = {
  contains: (whole, part) => whole === part || part === "" || contains(parse(whole), parse(part)),
  union,
  subtract,
  markerTerm: (position) => parse(position).markers.at(-1) ?? 0,
  withoutOrigin(position, origin) {
    const counts = new Map(parse(position).counts);
    counts.delete(origin);
    return print({ markers: [], counts });
  },
  ofOrigin(position, origin) {
    const count = parse(position).counts.get(origin);
    return print({ markers: [], counts: new Map(count === undefined ? [] : [[origin, count]]) });
  },
};

function contains(whole: Parsed, part: Parsed): boolean {
  for (const [origin, count] of part.counts) {
    if ((whole.counts.get(origin) ?? 0) < count) return false;
  }
  return part.markers.every((marker) => whole.markers.includes(marker));
}

function union(left: Position, right: Position): Position {
  if (left === right || right === "") return left;
  if (left === "") return right;
  const [one, two] = [parse(left), parse(right)];
  if (contains(one, two)) return left;
  const counts = new Map(one.counts);
  for (const [origin, count] of two.counts) {
    counts.set(origin, Math.max(count, counts.get(origin) ?? 0));
  }
  return print({ markers: [...new Set([...one.markers, ...two.markers])], counts });
}

/** What is left keeps its highest number, which is enough for a reader and for "is it empty?". */
function subtract(whole: Position, part: Position): Position {
  if (whole === part) return "" as Position;
  const [one, two] = [parse(whole), parse(part)];
  const counts = new Map(
    [...one.counts].filter(([origin, count]) => count > (two.counts.get(origin) ?? 0)),
  );
  return print({ markers: one.markers.filter((term) => !two.markers.includes(term)), counts });
}

const parsedMax = 20_000;
const parsedByText = new Map<string, Parsed>();

function parse(position: Position): Parsed {
  const known = parsedByText.get(position);
  if (known) return known;
  if (parsedByText.size >= parsedMax) parsedByText.clear();
  const counts = new Map<string, number>();
  let markers: readonly number[] = [];
  for (const part of position === "" ? [] : position.split(" ")) {
    if (part.startsWith(MARKER)) markers = part.slice(1).split(".").map(Number);
    else counts.set(part.replace(/\d+$/, ""), Number(/\d+$/.exec(part)?.[0] ?? 0));
  }
  const parsed = { markers, counts };
  parsedByText.set(position, parsed);
  return parsed;
}

function print(set: Parsed): Position {
  const markers = [...set.markers].sort((left, right) => left - right);
  const parts = [...set.counts].filter(([, count]) => count > 0)
    .map(([origin, count]) => `${origin}${count}`).sort();
  const text = markers.length === 0 ? parts : [`${MARKER}${markers.join(".")}`, ...parts];
  return text.join(" ") as Position;
}
