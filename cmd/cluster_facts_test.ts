import assert from "node:assert/strict";
import { clusterGtid, clusterStatus } from "./cluster_facts.ts";
import { exitCodes, explain, type Outcome } from "./exit.ts";
import { type Facts, printFacts } from "./facts.ts";
import { createFakeCluster, type FakeNode, guideNodes, statusOf } from "./fake_cluster.ts";
import type { FactsForm } from "./options.ts";

const [first = "", second = "", leader = ""] = guideNodes;
const deadlineMs = 1500;

async function print(form: FactsForm, facts: Promise<Facts>): Promise<Outcome> {
  return printFacts(await facts, { form, colour: false });
}

function healthy(): Record<string, FakeNode> {
  return Object.fromEntries(guideNodes.map((id) => [id, { kind: "up", status: statusOf(id) }]));
}

Deno.test("clusterStatus() ends with 0 when every member answered", async () => {
  const cluster = createFakeCluster(healthy());
  const { result, elapsedMs } = await cluster.finish(
    print("table", clusterStatus(cluster, deadlineMs)),
  );
  assert.equal(result.code, exitCodes.ok);
  assert.equal(elapsedMs, 0);
  assert.equal(cluster.calls.length, 3, "each member is asked once, the local one too");
  assert.match(
    result.stdout,
    new RegExp(
      "\\(3 rows\\)\\nn=3 q=2 k=1: one more loss and no lossless failover\\n" +
        `${first}: following ${leader}\\n${second}: following ${leader}\\n` +
        `${leader}: leading term 182: 3 of 3 voters answered\\n$`,
    ),
  );
});

Deno.test("clusterStatus() waits one deadline for any number of dead hosts", async () => {
  const nodes: Record<string, FakeNode> = {
    ...healthy(),
    [second]: { kind: "hanging" },
    [leader]: { kind: "hanging" },
  };
  const cluster = createFakeCluster(nodes);
  const { result, elapsedMs } = await cluster.finish(
    print("table", clusterStatus(cluster, deadlineMs)),
  );
  assert.equal(elapsedMs, deadlineMs);
  assert.equal(result.code, exitCodes.partial);
  assert.match(result.stdout, new RegExp(`\\| ${leader} \\| UNKNOW {26}\\| UNKNOW  \\|`));
  assert.match(result.stdout, /\nn=3 q=2 k=1 as 192\.168\.0\.109:8801 sees it: one more loss/);
  assert.match(result.stdout, /192\.168\.0\.154:8801: no facts: no answer within 1\.5 s/);
});

Deno.test("clusterStatus() says that the local agent is down and what to do", async () => {
  const cluster = createFakeCluster({ [first]: { kind: "hanging" } });
  const command = print("table", clusterStatus(cluster, deadlineMs));
  const error: unknown = await cluster.finish(command).then(() => undefined, (caught) => caught);
  assert.deepEqual(explain(error), {
    code: exitCodes.failed,
    stdout: "",
    stderr: `xenon: Cannot reach the agent at "${first}" as it does not answer (no answer within ` +
      "1.5 s); next: see whether its host can be reached and whether its agent is frozen or " +
      "overloaded, give it longer with --timeout, or run the command on another member\n",
  });
});

Deno.test("clusterStatus() asks the members that the config names when its own agent is down", async () => {
  const nodes: Record<string, FakeNode> = { ...healthy(), [first]: { kind: "hanging" } };
  const cluster = createFakeCluster(nodes, [first, second]);
  const { result, elapsedMs } = await cluster.finish(
    print("exact", clusterStatus(cluster, deadlineMs)),
  );
  assert.equal(elapsedMs, deadlineMs, "the silent agent is not asked a second time");
  assert.equal(result.code, exitCodes.partial);
  const { status } = JSON.parse(result.stdout);
  assert.deepEqual(status.map((row: { raft: string }) => row.raft), [
    "",
    "[ViewID:182 EpochID:2]@FOLLOWER",
    "[ViewID:182 EpochID:2]@LEADER",
  ]);
});

Deno.test("clusterStatus() fails when the local agent refuses", async () => {
  const because = "the signature does not match";
  const cluster = createFakeCluster({ ...healthy(), [first]: { kind: "refusing", because } });
  await assert.rejects(
    print("table", clusterStatus(cluster, deadlineMs)),
    /Cannot go on as the agent at "192\.168\.0\.109:8801" refused: the signature does not match/,
  );
  assert.equal(cluster.calls.length, 1);
});

Deno.test("clusterStatus() shows a member that refuses or answers nonsense as unknown", async () => {
  const nodes: Record<string, FakeNode> = {
    ...healthy(),
    [second]: { kind: "refusing", because: "wrong\ncluster" },
    [leader]: { kind: "garbled", result: { version: 9 } },
  };
  const cluster = createFakeCluster(nodes);
  const { result } = await cluster.finish(print("table", clusterStatus(cluster, deadlineMs)));
  assert.equal(result.code, exitCodes.partial);
  assert.match(result.stdout, /154:8801: no facts: wrong cluster\n/);
  assert.match(result.stdout, /155:8801: no facts: Cannot read node status/);
});

Deno.test("clusterStatus() of a node without a cluster is one row", async () => {
  const status = statusOf(first, {
    cluster: null,
    members: [],
    voters: [],
    leader: "",
    quorum: { n: 0, q: 0, k: 0 },
    margin: { losses: 0, sentence: "" },
  });
  const cluster = createFakeCluster({ [first]: { kind: "up", status } });
  const { result } = await cluster.finish(print("table", clusterStatus(cluster, deadlineMs)));
  assert.equal(result.code, exitCodes.ok);
  assert.match(result.stdout, /\(1 rows\)\nn=0 q=0 k=0\n/);
});

Deno.test("clusterStatus() takes the arithmetic from the leader of the later term", async () => {
  const nodes: Record<string, FakeNode> = {
    ...healthy(),
    [first]: {
      kind: "up",
      status: statusOf(first, { role: "LEADER", term: 181, quorum: { n: 9, q: 9, k: 9 } }),
    },
  };
  const cluster = createFakeCluster(nodes);
  const { result } = await cluster.finish(print("json", clusterStatus(cluster, deadlineMs)));
  assert.deepEqual(JSON.parse(result.stdout).quorum, { n: 3, q: 2, k: 1 });
});

Deno.test("clusterStatus() shows a dead server and a failed backup", async () => {
  const base = statusOf(first);
  const status = statusOf(first, {
    role: "INVALID",
    mysqld: { running: "NOTRUNNING", monitor: "OFF" },
    backup: { state: "NONE", lastError: "no room on disk", last: null },
    mysql: { ...base.mysql, state: "DEAD", option: "" },
  });
  const cluster = createFakeCluster({ ...healthy(), [first]: { kind: "up", status } });
  const { result } = await cluster.finish(print("exact", clusterStatus(cluster, deadlineMs)));
  assert.deepEqual(JSON.parse(result.stdout).status[0], {
    "id": first,
    "raft": "[ViewID:182 EpochID:2]@INVALID",
    "mysqld-info": "NOTRUNNING",
    "monitor-info": "OFF",
    "backup-info": "state:[NONE]\nLastError:\nno room on disk",
    "mysql-info": "[DEAD]",
    "slave-info": "[false/false]",
    "myleader": leader,
  });
});

Deno.test("clusterStatus() cuts a long error of a job in the table, and JSON has all of it", async () => {
  const lastError = "The copy failed ".repeat(10).trim();
  const status = statusOf(first, { backup: { state: "NONE", lastError, last: null } });
  const nodes = { ...healthy(), [first]: { kind: "up", status } as const };
  const shown = async (form: "table" | "json") => {
    const cluster = createFakeCluster(nodes);
    const { result } = await cluster.finish(print(form, clusterStatus(cluster, deadlineMs)));
    return result.stdout;
  };
  const table = await shown("table");
  assert.ok(table.includes("| The copy failed The copy failed The c... |"), table);
  assert.ok((await shown("json")).includes(lastError));
});

Deno.test("clusterGtid() puts the leader last and every other member in its order", async () => {
  const members = [leader, first, second];
  const nodes = Object.fromEntries(
    members.map((
      id,
    ): [string, FakeNode] => [id, { kind: "up", status: statusOf(id, { members }) }]),
  );
  const cluster = createFakeCluster(nodes);
  const { result } = await cluster.finish(print("exact", clusterGtid(cluster, deadlineMs)));
  const { gtid } = JSON.parse(result.stdout);
  assert.deepEqual(gtid.map((row: { id: string }) => row.id), [first, second, leader]);
});
