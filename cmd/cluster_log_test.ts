import assert from "node:assert/strict";
import { clusterLog } from "./cluster_log.ts";
import { createFakeCluster, type FakeNode, guideNodes, statusOf } from "./fake_cluster.ts";
import { createFakeWorld } from "./fake_world.ts";

const [first = "", second = "", leader = ""] = guideNodes;
const startMs = Date.UTC(2026, 6, 31, 15, 58);
const request = { sinceMs: startMs, untilMs: startMs + 60_000, deadlineMs: 1500 };

function at(ms: number): string {
  return new Date(startMs + ms).toISOString();
}

/** A node with these lines in its log, and a clock that is ahead by so much. */
function node(
  id: string,
  lines: Readonly<Record<number, string>>,
  { aheadMs = 0, forgotBefore = null as string | null } = {},
): FakeNode {
  const log = Object.entries(lines).map(([ms, line]) => ({ time: at(Number(ms)), line }));
  const answers = { "node.log": { lines: log, now: at(aheadMs), forgotBefore } };
  return { kind: "up", status: statusOf(id), answers };
}

async function logOf(nodes: Readonly<Record<string, FakeNode>>) {
  const cluster = createFakeCluster(nodes);
  const world = createFakeWorld({ date: () => startMs });
  return { cluster, ...await cluster.finish(clusterLog(cluster, request, world)) };
}

Deno.test("clusterLog() merges the lines of all nodes by time and names the node of each", async () => {
  const { cluster, result } = await logOf({
    [first]: node(first, { 1: "a", 30: "d" }),
    [second]: node(second, { 2: "b", 20: "c" }),
    [leader]: node(leader, { 30: "e" }),
  });
  assert.equal(
    result.text,
    [[first, "a"], [second, "b"], [second, "c"], [first, "d"], [leader, "e"]]
      .map((line) => `${line.join(" ")}\n`).join(""),
  );
  assert.equal(result.complete, true);
  assert.deepEqual(result.notes, [
    "Times are those of each host's own clock: lines of different hosts may have happened in " +
    "another order",
  ]);
  const asked = cluster.calls.filter(({ method }) => method === "node.log");
  assert.deepEqual(asked[0]?.params, { since: at(0), until: at(60_000) });
});

Deno.test("clusterLog() says which clock is off, which lines are gone and which node is silent", async () => {
  const { result, elapsedMs } = await logOf({
    [first]: node(first, { 1: "a" }, { aheadMs: 2300 }),
    [second]: node(second, {}, { forgotBefore: at(5) }),
    [leader]: { kind: "hanging" },
  });
  assert.equal(elapsedMs, request.deadlineMs, "a silent node costs one deadline");
  assert.equal(result.complete, false);
  assert.deepEqual(result.notes?.slice(0, 3), [
    `${first}: its clock is 2.3 s ahead of the clock of this host`,
    `${second}: lines before ${at(5)} are not kept, read its log file or journal`,
    `${leader}: no lines: no answer within 1.5 s`,
  ]);
});

Deno.test("clusterLog() calls a node of another version by its name instead of failing", async () => {
  const { result } = await logOf({
    [first]: node(first, { 1: "a" }),
    [second]: { kind: "up", status: statusOf(second), answers: { "node.log": { old: true } } },
    [leader]: node(leader, {}),
  });
  assert.equal(result.complete, false);
  assert.match(result.notes?.[0] ?? "", /154:8801: no lines: its answer holds no log/);
});
