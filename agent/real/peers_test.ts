import assert from "node:assert/strict";
import { createPeers } from "./peers.ts";

Deno.test("a port where something else than HTTP answers is said to have no agent", async () => {
  const error = Object.assign(new Error("Parse Error: Expected HTTP/"), { code: "HPE_INVALID" });
  const peers = createPeers({ self: null, secret: null, transport: () => Promise.reject(error) });
  const question = { method: "node.ping", params: {} };
  const result = await peers.call("127.0.0.1:5001", question, { deadlineMs: 2_000 });
  assert.ok("failed" in result && result.failed.kind === "unreachable");
  assert.match(result.failed.because, /no agent of xenon answers there/);
});
