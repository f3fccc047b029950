/** Large calls: how many are read at once before anybody has proven who he is. */
import assert from "node:assert/strict";
import { createRpc } from "../agent/server_rpc.ts";
import { encodeCall } from "../agent/wire_rpc.ts";

Deno.test("large bodies are read a few at a time, small ones go on beside them", async () => {
  const timers = new Set<() => void>();
  const handler = createRpc({
    self: "127.0.0.1:8801",
    bootId: "boot",
    secret: null,
    nowMs: () => 1,
    after(_afterMs, then) {
      timers.add(then);
      return () => timers.delete(then);
    },
    clusterId: () => null,
    methods: { echo: (params) => Promise.resolve(params) },
    onFault: (error) => {
      throw error;
    },
  });
  const ask = async (body: string | ReadableStream<Uint8Array>, length: number) => {
    const headers = { "content-type": "application/json", "content-length": String(length) };
    const request = new Request("http://node/rpc", { method: "POST", headers, body });
    return await handler(request, { remote: "127.0.0.1" });
  };
  const waiting = [1, 2, 3, 4].map(() => ask(new ReadableStream<Uint8Array>(), 1_000_000));
  const fifth = await ask(new ReadableStream<Uint8Array>(), 1_000_000);
  assert.equal(fifth.status, 503, "no fifth from one address");
  const echo = { id: 1, method: "echo", params: 7, sealed: false, from: null, cluster: null };
  const small = encodeCall(echo);
  assert.equal((await (await ask(small, small.length)).json()).result, 7);
  [...timers].forEach((then) => then());
  for (const one of waiting) assert.equal((await one).status, 408);
  const again = encodeCall({ ...echo, params: "x".repeat(1_000_000) });
  assert.equal((await ask(again, again.length)).status, 200, "the places are free again");
});
