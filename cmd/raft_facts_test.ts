import assert from "node:assert/strict";
import { createFakeCluster, guideNodes, statusOf } from "./fake_cluster.ts";
import { raftNodes, raftStatus } from "./raft_facts.ts";

const [local = ""] = guideNodes;
const deadlineMs = 1500;

Deno.test("raftStatus() prints state, leader and nodes of the local agent alone", async () => {
  const cluster = createFakeCluster({ [local]: { kind: "up", status: statusOf(local) } });
  const { stdout } = await raftStatus(cluster, { form: "json", deadlineMs });
  assert.equal(
    stdout,
    '{"state":"FOLLOWER","leader":"192.168.0.155:8801","nodes":["192.168.0.109:8801",' +
      '"192.168.0.154:8801","192.168.0.155:8801"]}\n',
  );
  assert.equal(cluster.calls.length, 1);
});

Deno.test("raftNodes() prints one row a member", async () => {
  const cluster = createFakeCluster({ [local]: { kind: "up", status: statusOf(local) } });
  const { stdout } = await raftNodes(cluster, { form: "table", deadlineMs });
  assert.match(stdout, /^\+-+\+\n\| {7}Nodes {8}\|\n/);
  assert.match(stdout, /\(3 rows\)\n$/);
});
