import assert from "node:assert/strict";
import { decodeLogPage, linesOf, logMethods, LogRing } from "./log_ring.ts";
import type { RpcContext } from "./wire_rpc.ts";

const always = { since: "0000-01-01T00:00:00.000Z", until: "9999-12-31T23:59:59.999Z" };

function at(second: number): string {
  return new Date(second * 1000).toISOString();
}

Deno.test("a ring gives the lines of a span, both ends included, and forgets nothing early", () => {
  const ring = new LogRing();
  for (let second = 1; second <= 5; second++) ring.keep({ time: at(second), line: `${second}` });
  const page = ring.page({ since: at(2), until: at(4) });
  assert.deepEqual(page.lines.map(({ line }) => line), ["2", "3", "4"]);
  assert.equal(page.forgotBefore, null);
});

Deno.test("a full ring forgets the oldest lines and says from when on it still has all", () => {
  const ring = new LogRing();
  for (let second = 1; second <= 9000; second++) ring.keep({ time: at(second), line: "x" });
  const page = ring.page(always);
  assert.equal(page.lines.length, 4000);
  assert.equal(page.lines[0]?.time, at(5001));
  assert.equal(page.forgotBefore, at(5001));
  assert.equal(ring.page({ since: at(5001), until: always.until }).forgotBefore, null);
});

Deno.test("long lines cannot fill the memory, and an answer carries only the newest of them", () => {
  const ring = new LogRing();
  const line = "x".repeat(4000);
  for (let second = 1; second <= 1000; second++) ring.keep({ time: at(second), line });
  const page = ring.page(always);
  assert.equal(page.lines.length, 100);
  assert.equal(page.lines.at(-1)?.time, at(1000));
  assert.equal(page.forgotBefore, at(901));
});

Deno.test("node.log answers what decodeLogPage() reads, and refuses a span that is none", async () => {
  const ring = new LogRing();
  ring.keep({ time: at(1), line: "first" });
  const method = logMethods(ring, () => at(9))["node.log"];
  const context: RpcContext = {
    from: null,
    cluster: null,
    remote: "127.0.0.1",
    signal: new AbortController().signal,
  };
  const page = decodeLogPage(JSON.parse(JSON.stringify(await method?.(always, context))));
  const lines = [{ time: at(1), line: "first" }];
  assert.deepEqual(page, { lines, forgotBefore: null, now: at(9) });
  assert.throws(() => method?.({ since: "yesterday", until: at(1) }, context), /Expected/);
  assert.equal(decodeLogPage({ lines: "none" }), null);
});

Deno.test("linesOf() takes the lines of a log file that carry a time", () => {
  const text = "cut off [INFO] a\n2026-11-25T18:00:00.123Z [INFO] b role=LEADER\n{}\n";
  assert.deepEqual(linesOf(text), [
    { time: "2026-11-25T18:00:00.123Z", line: "2026-11-25T18:00:00.123Z [INFO] b role=LEADER" },
  ]);
});
