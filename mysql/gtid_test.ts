import assert from "node:assert/strict";
import fc from "fast-check";
import {
  compare,
  contains,
  count,
  emptySet,
  format,
  formatLine,
  fromInterval,
  type GtidSet,
  intersect,
  isEmpty,
  lastOf,
  numberMax,
  ofSource,
  parse,
  subtract,
  union,
} from "./gtid.ts";

const uuidA = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const uuidB = "4f22fb58-71ca-11e1-9e33-c80aa9429562";

Deno.test("parse() reads what MySQL prints: line breaks, several intervals, tags", () => {
  const set = parse(`${uuidA}:1-3:5:backup:1-4:7,\n${uuidB}:9`);
  assert.equal(format(set), `${uuidA}:1-3:5:backup:1-4:7,\n${uuidB}:9`);
  assert.equal(formatLine(set), `${uuidA}:1-3:5:backup:1-4:7,${uuidB}:9`);
  assert.equal(count(set), 10n);
});

Deno.test("parse() accepts spaces, upper case, overlaps and empty parts", () => {
  const text = ` ${uuidB.toUpperCase()} : 4 - 6 : 1-3,, ${uuidA}:2 , ${uuidA}:TAG:2:1,\n`;
  assert.equal(formatLine(parse(text)), `${uuidA}:2:tag:1-2,${uuidB}:1-6`);
});

Deno.test("parse() reads the empty set", () => {
  for (const text of ["", " ", "\n", ",", " , "]) assert.ok(isEmpty(parse(text)), text);
  assert.equal(format(emptySet), "");
});

Deno.test("parse() keeps the greatest transaction number exact", () => {
  const set = parse(`${uuidA}:9223372036854775805-9223372036854775806`);
  assert.equal(lastOf(set, uuidA), numberMax);
  assert.equal(count(set), 2n);
});

Deno.test("parse() tells a tag that looks like a hexadecimal number from an interval", () => {
  assert.equal(formatLine(parse(`${uuidA}:a1:3`)), `${uuidA}:a1:3`);
});

const badTexts: readonly (readonly [string, number, string])[] = [
  ["nonsense", 0, "a server UUID"],
  [uuidA, 36, "a transaction number"],
  [`${uuidA}:`, 37, "a transaction number or interval"],
  [`${uuidA}:0`, 37, "numbers that rise"],
  [`${uuidA}:5-3`, 37, "numbers that rise"],
  [`${uuidA}:1:-4`, 39, "a transaction number or interval"],
  [`${uuidA}:9223372036854775807`, 37, "numbers that rise"],
  [`${uuidA}:1,${uuidB}:x y:1`, 76, "a transaction number or interval"],
  [`${uuidA}:tag`, 40, "a transaction number"],
  [`${uuidA}:tag:other:1`, 41, "a transaction number or interval"],
  [`${uuidA}:${"t".repeat(33)}:1`, 37, "a transaction number or interval"],
  [`${uuidA}:1;DROP`, 37, "a transaction number or interval"],
];

for (const [text, position, wanted] of badTexts) {
  Deno.test(`parse() refuses "${text.slice(-24)}" at position ${position}`, () => {
    assert.throws(
      () => parse(text),
      (error) =>
        error instanceof SyntaxError && error.message.includes(`at position ${position} `) &&
        error.message.includes(wanted),
    );
  });
}

Deno.test("compare() gives the four answers of a partial order", () => {
  const one = parse(`${uuidA}:1-3`);
  const more = parse(`${uuidA}:1-4`);
  const other = parse(`${uuidA}:1-3,${uuidB}:1`);
  assert.equal(compare(one, more), "behind");
  assert.equal(compare(more, one), "ahead");
  assert.equal(compare(one, parse(`${uuidA}:1:2:3`)), "equal");
  assert.equal(compare(more, other), "diverged");
  assert.equal(compare(emptySet, emptySet), "equal");
});

Deno.test("contains() does not take a tag of a source for the source", () => {
  assert.equal(contains(parse(`${uuidA}:1-9`), parse(`${uuidA}:tag:1`)), false);
  assert.equal(contains(parse(`${uuidA}:1-9:tag:1-2`), parse(`${uuidA}:tag:2`)), true);
});

Deno.test("ofSource() and lastOf() find one source, tags included or apart", () => {
  const set = parse(`${uuidA}:1-3:tag:1-8,${uuidB}:4`);
  assert.equal(formatLine(ofSource(set, uuidA.toUpperCase())), `${uuidA}:1-3:tag:1-8`);
  assert.equal(lastOf(set, uuidA), 3n);
  assert.equal(lastOf(set, `${uuidA}:tag`), 8n);
  assert.equal(lastOf(set, "5e33fb58-71ca-11e1-9e33-c80aa9429562"), 0n);
});

Deno.test("fromInterval() builds the set of one term marker and refuses bad sources", () => {
  assert.equal(format(fromInterval(uuidA, { first: 7n, last: 7n })), `${uuidA}:7`);
  assert.throws(() => fromInterval("x' OR 1", { first: 1n, last: 1n }), SyntaxError);
});

// The second opinion: a set of strings, one for each transaction. Too dumb to be wrong.

const sources = [uuidA, `${uuidA}:t`, uuidB] as const;
const intervalOf = fc.tuple(
  fc.constantFrom(...sources),
  fc.integer({ min: 1, max: 24 }),
  fc.integer({ min: 0, max: 6 }),
);
const textOf = fc.array(intervalOf, { maxLength: 9 })
  .map((list) => list.map(([key, first, size]) => `${key}:${first}-${first + size}`).join(","));

function dumb(text: string): Set<string> {
  const all = new Set<string>();
  for (const part of text.split(",").filter((word) => word !== "")) {
    const at = part.lastIndexOf(":");
    const [first, last] = part.slice(at + 1).split("-").map(Number);
    for (let number = first!; number <= last!; number++) all.add(`${part.slice(0, at)}:${number}`);
  }
  return all;
}

function spelled(set: GtidSet): Set<string> {
  const parts = [...set.sources].flatMap(([key, list]) =>
    list.map(({ first, last }) => `${key}:${first}-${last}`)
  );
  return dumb(parts.join(","));
}

Deno.test("union, subtract, intersect, contains, compare and count agree with plain sets", () => {
  fc.assert(fc.property(textOf, textOf, (a, b) => {
    const [left, right, left0, right0] = [parse(a), parse(b), dumb(a), dumb(b)];
    assert.deepEqual(spelled(left), left0);
    assert.deepEqual(spelled(union(left, right)), left0.union(right0));
    assert.deepEqual(spelled(subtract(left, right)), left0.difference(right0));
    assert.deepEqual(spelled(intersect(left, right)), left0.intersection(right0));
    assert.equal(contains(left, right), left0.isSupersetOf(right0));
    assert.equal(count(left), BigInt(left0.size));
    assert.equal(isEmpty(left), left0.size === 0);
  }));
});

Deno.test("every result is canonical: printing and reading it again changes nothing", () => {
  fc.assert(fc.property(textOf, textOf, (a, b) => {
    const [left, right] = [parse(a), parse(b)];
    for (const set of [union(left, right), subtract(left, right), intersect(left, right)]) {
      assert.deepEqual(parse(format(set)), set);
      assert.deepEqual([...set.sources.keys()], [...set.sources.keys()].sort());
      for (const list of set.sources.values()) {
        assert.ok(list.length > 0);
        list.slice(1).forEach((next, at) => assert.ok(next.first > list[at]!.last + 1n));
      }
    }
  }));
});

Deno.test("compare() is what contains() says both ways, and equal sets print equal", () => {
  fc.assert(fc.property(textOf, textOf, (a, b) => {
    const [left, right] = [parse(a), parse(b)];
    const order = compare(left, right);
    assert.equal(order === "equal", format(left) === format(right));
    assert.equal(order === "equal" || order === "ahead", contains(left, right));
    assert.equal(order === "equal" || order === "behind", contains(right, left));
  }));
});

Deno.test("parse() answers any text with a set or a SyntaxError", () => {
  const junk = fc.string({ unit: fc.constantFrom(...`${uuidA}:,-\n t19`), maxLength: 90 });
  fc.assert(fc.property(junk, (text) => {
    try {
      parse(text);
    } catch (error) {
      assert.ok(error instanceof SyntaxError);
    }
  }));
});

Deno.test("fifty sources with a thousand intervals each give exact results", () => {
  const part = (source: number, shift: number) =>
    `00000000-0000-0000-0000-${String(source).padStart(12, "0")}:` +
    Array.from({ length: 1000 }, (_, n) => `${n * 10 + shift + 1}-${n * 10 + shift + 4}`).join(":");
  const text = (shift: number) => Array.from({ length: 50 }, (_, n) => part(n, shift)).join(",");
  const [a, b] = [parse(text(0)), parse(text(2))];
  assert.equal(compare(a, b), "diverged");
  assert.equal(count(subtract(a, b)), 100_000n);
  assert.equal(count(union(a, b)), 300_000n);
});
