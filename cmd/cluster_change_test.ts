import assert from "node:assert/strict";
import { changeCluster } from "./cluster_change.ts";
import { exitCodes } from "./exit.ts";
import { createFakeCluster, type FakeNode, guideNodes, statusOf } from "./fake_cluster.ts";

const [first = "", second = "", leader = ""] = guideNodes;
const deadlineMs = 1500;

function healthy(): Record<string, FakeNode> {
  return Object.fromEntries(guideNodes.map((id) => [id, { kind: "up", status: statusOf(id) }]));
}

Deno.test("cluster add hands the nodes to the local agent with the operator's deadline", async () => {
  const cluster = createFakeCluster(healthy());
  const nodes = [second, leader];
  const { result } = await cluster.finish(
    changeCluster(cluster, "add", { nodes, deadlineMs: 9000 }),
  );
  assert.equal(result.code, exitCodes.ok);
  assert.equal(result.stdout, `${first} did cluster.add\n`);
  assert.deepEqual(cluster.calls, [
    { endpoint: first, method: "cluster.add", params: { nodes }, deadlineMs: 9000 },
  ]);
});

Deno.test("cluster add prints every sentence of the agent on a line of its own", async () => {
  const sentences = ["Founded cluster 7", "a:1 stands first,\nas it holds what all others hold"];
  const cluster = createFakeCluster({ [first]: { kind: "garbled", result: { sentences } } });
  const { stdout } = await changeCluster(cluster, "add", { nodes: [second], deadlineMs });
  assert.equal(stdout, "Founded cluster 7\na:1 stands first, as it holds what all others hold\n");
});

Deno.test("cluster add does not claim success when the agent does not say what it did", async () => {
  for (const result of [null, {}, { sentences: "done" }, { sentences: [1] }]) {
    const cluster = createFakeCluster({ [first]: { kind: "garbled", result } });
    await assert.rejects(
      changeCluster(cluster, "add", { nodes: [second], deadlineMs }),
      /Cannot read what the agent at "192\.168\.0\.109:8801" did/,
      JSON.stringify(result),
    );
  }
});

Deno.test("cluster remove brings the wish to the local agent and shows its refusal", async () => {
  const nodes = [second];
  const cluster = createFakeCluster(healthy());
  const { result } = await cluster.finish(
    changeCluster(cluster, "remove", { nodes, deadlineMs: 9000 }),
  );
  assert.equal(result.stdout, `${first} did cluster.remove\n`);
  assert.deepEqual(cluster.calls, [
    { endpoint: first, method: "cluster.remove", params: { nodes }, deadlineMs: 9000 },
  ]);
  const because = `${second}: it is no member`;
  const refusing = createFakeCluster({ [first]: { kind: "refusing", because } });
  await assert.rejects(
    changeCluster(refusing, "remove", { nodes, deadlineMs }),
    /Cannot remove "192\.168\.0\.154:8801" from the cluster: 192\.168\.0\.154:8801: it is no/,
  );
  const hanging = createFakeCluster({ [first]: { kind: "hanging" } });
  await assert.rejects(
    hanging.finish(changeCluster(hanging, "remove", { nodes, deadlineMs })),
    /Cannot reach the agent/,
  );
});

Deno.test("cluster add shows the agent's own reason", async () => {
  const because = "3 transactions exist only on 192.168.0.154:8801";
  const cluster = createFakeCluster({ [first]: { kind: "refusing", because } });
  await assert.rejects(
    changeCluster(cluster, "add", { nodes: [second], deadlineMs }),
    /Cannot add "192\.168\.0\.154:8801" to the cluster: 3 transactions exist only on/,
  );
});

Deno.test("every change of the cluster has its own method and its own words", async () => {
  const methods = { addidle: "cluster.addIdle", removeidle: "cluster.removeIdle" } as const;
  for (const [word, method] of Object.entries(methods)) {
    const cluster = createFakeCluster(healthy());
    const request = { nodes: [second], deadlineMs };
    const { result } = await cluster.finish(
      changeCluster(cluster, word as keyof typeof methods, request),
    );
    assert.equal(result.stdout, `${first} did ${method}\n`);
    const because = "it is idle already";
    const refusing = createFakeCluster({ [first]: { kind: "refusing", because } });
    await assert.rejects(
      changeCluster(refusing, word as keyof typeof methods, request),
      /Cannot (add|remove) .*idle.*: it is idle already/,
    );
  }
});
