import assert from "node:assert/strict";
import { printFacts } from "./facts.ts";
import { createFakeCluster, guideNodes, statusOf } from "./fake_cluster.ts";
import { raftNodes, raftStatus } from "./raft_facts.ts";

const [local = ""] = guideNodes;
const deadlineMs = 1500;
const exact = { form: "exact", colour: false } as const;
const table = { form: "table", colour: false } as const;

Deno.test("raftStatus() prints state, leader and nodes of the local agent alone", async () => {
  const cluster = createFakeCluster({ [local]: { kind: "up", status: statusOf(local) } });
  const { stdout } = printFacts(await raftStatus(cluster, deadlineMs), exact);
  assert.equal(
    stdout,
    '{"state":"FOLLOWER","leader":"192.168.0.155:8801","nodes":["192.168.0.109:8801",' +
      '"192.168.0.154:8801","192.168.0.155:8801"]}\n',
  );
  assert.equal(cluster.calls.length, 1);
});

Deno.test("raftNodes() prints one row a member", async () => {
  const cluster = createFakeCluster({ [local]: { kind: "up", status: statusOf(local) } });
  const { stdout } = printFacts(await raftNodes(cluster, deadlineMs), table);
  assert.match(stdout, /^\+-+\+\n\| {7}Nodes {8}\|\n/);
  assert.match(stdout, /\(3 rows\)\n$/);
});
