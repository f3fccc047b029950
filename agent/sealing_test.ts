import assert from "node:assert/strict";
import fc from "fast-check";
import { seal, SEAL_NONCE_BYTES, unseal } from "./sealing.ts";
import { Secret } from "./secret.ts";

const secret = new Secret("the same on every node");
const sealing = { secret, method: "user.change" } as const;
const nonce = new Uint8Array(SEAL_NONCE_BYTES).fill(7);

Deno.test("what is sealed can be read only with the secret, and only for its method", () => {
  const sealed = seal('{"password":"geheim"}', sealing, nonce);
  assert.equal(unseal(sealed, sealing), '{"password":"geheim"}');
  assert.equal(unseal(sealed, { ...sealing, method: "mysql.kill" }), null);
  assert.equal(unseal(sealed, { ...sealing, secret: new Secret("quite another one") }), null);
  assert.ok(!sealed.includes("geheim") && !atob(sealed).includes("geheim"));
});

Deno.test("what was changed on its way is not opened, and neither is anything else", () => {
  const sealed = Uint8Array.fromBase64(seal("text", sealing, nonce));
  for (let index = 0; index < sealed.length; index++) {
    const changed = sealed.with(index, (sealed[index] ?? 0) ^ 1);
    assert.equal(unseal(changed.toBase64(), sealing), null);
  }
  for (const nonsense of ["", "AAAA", "no base64 at all!", "ä"]) {
    assert.equal(unseal(nonsense, sealing), null);
  }
});

Deno.test("any text comes back as it was", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const whole = text.toWellFormed();
    assert.equal(unseal(seal(whole, sealing, nonce), sealing), whole);
  }));
});
