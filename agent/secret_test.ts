import assert from "node:assert/strict";
import { inspect } from "node:util";
import { Secret } from "./secret.ts";

Deno.test("a secret shows itself only when it is asked to", () => {
  const secret = new Secret("hunter2");
  const shown = [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret }),
    inspect({ secret }, { depth: 9, showHidden: true }),
    Object.entries(secret).join(),
    JSON.stringify(structuredClone({ ...secret })),
  ];
  for (const text of shown) assert.ok(!text.includes("hunter2"), text);
  assert.equal(secret.reveal(), "hunter2");
});

Deno.test("a secret tells whether it is empty without showing itself", () => {
  assert.equal(new Secret("").empty, true);
  assert.equal(new Secret("x").empty, false);
});
