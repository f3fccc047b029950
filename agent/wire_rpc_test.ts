import assert from "node:assert/strict";
import {
  decodeAnswer,
  decodeCall,
  encodeCall,
  encodeError,
  encodeResult,
  RPC_ERROR_CODES,
  RPC_VERSION,
  type RpcErrorName,
} from "./wire_rpc.ts";

const call = {
  id: 7,
  method: "raft.heartbeat",
  params: { term: 3 },
  sealed: false,
  from: "10.0.0.1:8801",
  cluster: "c-1",
};

Deno.test("decodeCall() returns what encodeCall() wrote", () => {
  assert.deepEqual(decodeCall(encodeCall(call)), { kind: "call", call });
  const cli = { ...call, from: null, cluster: null };
  assert.deepEqual(decodeCall(encodeCall(cli)), { kind: "call", call: cli });
  const secret = { ...call, params: "c2VhbGVk", sealed: true };
  assert.deepEqual(decodeCall(encodeCall(secret)), { kind: "call", call: secret });
});

Deno.test("decodeCall() names what is wrong with everything else", () => {
  const document = JSON.parse(encodeCall(call)) as Record<string, unknown>;
  const cases: readonly (readonly [string, RpcErrorName, number | null])[] = [
    ["", "parse", null],
    ["{", "parse", null],
    ["[]", "invalidRequest", null],
    ["null", "invalidRequest", null],
    [JSON.stringify([document]), "invalidRequest", null],
    [JSON.stringify({ ...document, jsonrpc: "1.0" }), "invalidRequest", 7],
    [JSON.stringify({ ...document, xenon: "1" }), "invalidRequest", 7],
    [JSON.stringify({ ...document, xenon: RPC_VERSION + 1 }), "version", 7],
    [JSON.stringify({ ...document, id: "7" }), "invalidRequest", null],
    [JSON.stringify({ ...document, method: 1 }), "invalidRequest", 7],
    [JSON.stringify({ ...document, method: "m".repeat(300) }), "invalidRequest", 7],
    [JSON.stringify({ ...document, from: 1 }), "invalidRequest", 7],
    [JSON.stringify({ ...document, cluster: undefined }), "invalidRequest", 7],
  ];
  for (const [text, name, id] of cases) {
    const decoded = decodeCall(text);
    assert.equal(decoded.kind, "error", text);
    if (decoded.kind === "error") assert.deepEqual([decoded.name, decoded.id], [name, id], text);
  }
});

Deno.test("decodeAnswer() returns results and errors by name", () => {
  const result = { term: 4, list: [1, null] };
  assert.deepEqual(decodeAnswer(encodeResult(7, result), 7), { kind: "result", result });
  assert.deepEqual(decodeAnswer(encodeResult(7, undefined), 7), { kind: "result", result: null });
  for (const name of Object.keys(RPC_ERROR_CODES) as readonly RpcErrorName[]) {
    const because = `Cannot because of ${name}`;
    assert.deepEqual(decodeAnswer(encodeError(null, name, because), 7), {
      kind: "error",
      name,
      because,
    });
  }
});

Deno.test("decodeAnswer() refuses answers to other calls and other documents", () => {
  const texts = [
    "",
    "<html>",
    "{}",
    '{"jsonrpc":"2.0","id":7}',
    '{"jsonrpc":"2.0","id":8,"result":1}',
    '{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"?"}}',
    '{"jsonrpc":"2.0","id":7,"error":{"code":-32000}}',
  ];
  for (const text of texts) assert.equal(decodeAnswer(text, 7).kind, "undecodable", text);
});
