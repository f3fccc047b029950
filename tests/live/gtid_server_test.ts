/** Our set algebra against the server's own GTID_SUBSET and GTID_SUBTRACT, tags included. */

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  compare,
  contains,
  count,
  format,
  intersect,
  parse,
  subtract,
  union,
} from "../../mysql/gtid.ts";
import { connectAsRoot } from "../../mysql/sandbox.ts";
import { LabServer } from "./lab.ts";

const uuids = [
  "3e11fa47-71ca-11e1-9e33-c80aa9429562",
  "4f22fb58-71ca-11e1-9e33-c80aa9429562",
] as const;
const tags = ["", ":backup", ":_x9"] as const;

/** One part as a person might write it: any order, overlaps, capitals and spaces. */
const part = fc.record({
  uuid: fc.constantFrom(...uuids),
  tag: fc.constantFrom(...tags),
  intervals: fc.array(
    fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 5 })),
    { minLength: 1, maxLength: 4 },
  ),
  upper: fc.boolean(),
  space: fc.constantFrom("", " ", "\n"),
}).map(({ uuid, tag, intervals, upper, space }) => {
  const numbers = intervals.map(([first, size]) =>
    size === 0 ? `${first}` : `${first}${space}-${first + size}`
  ).join(`${space}:`);
  const text = `${space}${uuid}${tag}:${numbers}${space}`;
  return upper ? text.toUpperCase() : text;
});
const anySet = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(","));

const deadlineMs = 5_000;
const sqlAnswers = `SELECT GTID_SUBTRACT(?, '') AS a, GTID_SUBTRACT(?, ?) AS rest, ` +
  `GTID_SUBSET(?, ?) AS subset, GTID_SUBTRACT(CONCAT(?, ',', ?), '') AS both_sets, ` +
  `GTID_SUBTRACT(?, GTID_SUBTRACT(?, ?)) AS common`;

Deno.test("GTID sets mean the same to us and to a real server", async (test) => {
  await using lab = await LabServer.start();
  await using connection = await connectAsRoot(lab.sandbox, deadlineMs);

  await test.step("any two sets: print, subtract, subset, union, intersect, compare", async () => {
    await fc.assert(
      fc.asyncProperty(anySet, anySet, async (a, b) => {
        const values = [a, a, b, a, b, a, b, a, a, b];
        const [row] = await connection.query(sqlAnswers, { deadlineMs, values });
        assert.ok(row !== undefined);
        const [left, right] = [parse(a), parse(b)];
        assert.equal(format(left), row["a"]);
        assert.equal(format(subtract(left, right)), row["rest"]);
        assert.equal(contains(right, left), Number(row["subset"]) === 1);
        assert.equal(format(union(left, right)), row["both_sets"]);
        assert.equal(format(intersect(left, right)), row["common"]);
        const order = compare(left, right);
        assert.equal(order === "equal" || order === "behind", Number(row["subset"]) === 1);
      }),
      { numRuns: 300 },
    );
  });

  await test.step("the server's limits are ours", async () => {
    const greatest = `${uuids[0]}:9223372036854775806`;
    const [row] = await connection.query("SELECT GTID_SUBTRACT(?, '') AS a", {
      deadlineMs,
      values: [greatest],
    });
    assert.equal(format(parse(greatest)), row?.["a"]);
    for (const text of [`${uuids[0]}:9223372036854775807`, `${uuids[0]}:0`, "nonsense"]) {
      assert.throws(() => parse(text), SyntaxError);
      const asked = connection.query("SELECT GTID_SUBSET(?, '')", { deadlineMs, values: [text] });
      await assert.rejects(asked);
    }
  });

  await test.step("what the server prints of itself is canonical for us", async () => {
    const [row] = await connection.query("SELECT @@gtid_executed AS executed", { deadlineMs });
    const executed = String(row?.["executed"]);
    assert.equal(format(parse(executed)), executed);
    assert.ok(count(parse(executed)) >= 0n);
  });
});
