import assert from "node:assert/strict";
import fc from "fast-check";
import { renderYaml } from "./yaml.ts";

Deno.test("renderYaml() lays lists and records out below their keys", () => {
  const value = { status: [{ id: "a:1", answered: true, facts: { k: 1 } }, { id: "b:2" }], n: 3 };
  assert.equal(
    renderYaml(value),
    [
      "status:",
      '  - id: "a:1"',
      "    answered: true",
      "    facts:",
      "      k: 1",
      '  - id: "b:2"',
      '"n": 3',
      "",
    ].join("\n"),
  );
});

Deno.test("renderYaml() writes empty lists, empty records, nothing and nested lists", () => {
  const value = { list: [], record: {}, nothing: null, absent: undefined, nested: [[1, 2], []] };
  assert.equal(
    renderYaml(value),
    "list: []\nrecord: {}\nnothing: null\nnested:\n  - - 1\n    - 2\n  - []\n",
  );
  assert.equal(renderYaml("FOLLOWER"), "FOLLOWER\n");
});

Deno.test("renderYaml() quotes whatever YAML would read as something else", () => {
  for (
    const word of ["ON", "no", "null", "3", "1e3", "0x1F", "", " a", "a: b", "- a", "a #b", "~"]
  ) {
    assert.equal(renderYaml(word), `${JSON.stringify(word)}\n`, word);
  }
  for (const word of ["LEADER", "mysql-bin.000002", "/var/lib/mysql", "Following in term 1"]) {
    assert.equal(renderYaml(word), `${word}\n`);
  }
});

Deno.test("renderYaml() of any text is one line that gives the text back", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (word) => {
    const [line = "", ...rest] = renderYaml(word).split("\n");
    assert.deepEqual(rest, [""]);
    assert.equal(line.startsWith('"') ? JSON.parse(line) : line, word);
  }));
});
