import assert from "node:assert/strict";
import fc from "fast-check";
import { parseLenientJson } from "./lenient_json.ts";

Deno.test("parseLenientJson() bears comments of both kinds and trailing commas", () => {
  const text = `\ufeff{
  // the agent
  "server": { "endpoint": "a:1" /* this host */, },
  "raft": { "leader-start-command": "sh -c 'a // b'; echo /* no comment */", "list": [1, 2,], },
}`;
  assert.deepEqual(parseLenientJson(text), {
    kind: "value",
    value: {
      server: { endpoint: "a:1" },
      raft: { "leader-start-command": "sh -c 'a // b'; echo /* no comment */", list: [1, 2] },
    },
  });
});

Deno.test("parseLenientJson() tells the place of a mistake and not the text around it", () => {
  const text = '{\n  // passwords\n  "passwd": "s3cret" oops\n}';
  assert.deepEqual(parseLenientJson(text), { kind: "wrong", line: 3, column: 22 });
  assert.equal(parseLenientJson("{").kind, "wrong");
  assert.equal(parseLenientJson('{ "a": "b // c\n" }').kind, "wrong");
});

Deno.test("parseLenientJson() reads all JSON as JSON.parse does", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.boolean(), (value, pretty) => {
    const text = JSON.stringify(value, null, pretty ? 2 : 0);
    assert.deepEqual(parseLenientJson(text), { kind: "value", value: JSON.parse(text) });
  }));
});
