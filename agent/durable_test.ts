import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeState, encodeState, type Json, STATE_VERSION } from "./durable.ts";

const payload = { term: 7, votedFor: "a:1", members: ["a:1", "b:1"], founding: null };

Deno.test("decodeState() returns what encodeState() wrote", () => {
  assert.deepEqual(decodeState(encodeState(payload)), { kind: "intact", payload });
});

Deno.test("decodeState() returns any JSON payload unchanged", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
    const plain = JSON.parse(JSON.stringify(value)) as Json;
    const decoded = decodeState(encodeState(plain));
    assert.equal(decoded.kind, "intact");
    assert.deepEqual(decoded.kind === "intact" && decoded.payload, plain);
  }));
});

Deno.test("decodeState() tells a missing file from a damaged one", () => {
  assert.deepEqual(decodeState(null), { kind: "missing" });
  assert.equal(decodeState("").kind, "damaged");
});

Deno.test("decodeState() never takes a file that was cut short as intact", () => {
  const text = encodeState(payload).trimEnd();
  for (let length = 0; length < text.length; length++) {
    assert.equal(decodeState(text.slice(0, length)).kind, "damaged", `first ${length} characters`);
  }
});

Deno.test("decodeState() notices every changed digit or letter", () => {
  const text = encodeState(payload);
  for (let at = 0; at < text.length; at++) {
    const present = text[at] ?? "";
    if (!/[0-9a-z]/i.test(present)) continue;
    const changed = text.slice(0, at) + (present === "9" ? "8" : "9") + text.slice(at + 1);
    const kind = decodeState(changed).kind;
    assert.ok(kind === "damaged" || kind === "newer", `character ${at}: ${kind}`);
  }
});

Deno.test("decodeState() does not mind the order of keys or blanks", () => {
  const { checksum } = JSON.parse(encodeState(payload)) as { checksum: string };
  const reversed = Object.fromEntries(Object.entries(payload).reverse());
  const text = JSON.stringify({ payload: reversed, checksum, version: STATE_VERSION });
  assert.equal(decodeState(text).kind, "intact");
});

Deno.test("decodeState() names both versions of a file from a later program", () => {
  const later = { version: STATE_VERSION + 1, checksum: "?", payload: { shape: "unknown" } };
  const decoded = decodeState(JSON.stringify(later));
  assert.equal(decoded.kind, "newer");
  assert.match(decoded.kind === "newer" ? decoded.because : "", /version 2, .* up to version 1/);
});

Deno.test("decodeState() refuses other JSON files with a reason", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["[]", /not a complete JSON document/],
    ["null", /not a complete JSON document/],
    ["{}", /names no version/],
    ['{"version":0}', /names no version/],
    ['{"version":1,"checksum":""}', /no payload/],
    ['{"version":1,"checksum":"","payload":{}}', /checksum/],
  ];
  for (const [text, because] of cases) {
    const decoded = decodeState(text);
    assert.equal(decoded.kind, "damaged", text);
    assert.match(decoded.kind === "damaged" ? decoded.because : "", because);
  }
});
