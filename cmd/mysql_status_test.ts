import assert from "node:assert/strict";
import { createFakeCluster, guideNodes, statusOf } from "./fake_cluster.ts";
import { mysqlStatus } from "./mysql_status.ts";

const [follower = "", , leader = ""] = guideNodes;
const deadlineMs = 1500;

async function jsonOf(id: string, changes: Parameters<typeof statusOf>[1]): Promise<unknown> {
  const cluster = createFakeCluster({ [id]: { kind: "up", status: statusOf(id, changes) } });
  return (await mysqlStatus(cluster, deadlineMs)).exact;
}

Deno.test("mysqlStatus() of a leader says that both threads run and nothing is behind", async () => {
  assert.deepEqual(await jsonOf(leader, {}), {
    slave_io_running: true,
    slave_sql_running: true,
    mysqld_running: true,
    mysql_working: true,
    seconds_behind_master: "0",
    last_error: "",
    monitor: "ON",
  });
});

Deno.test("mysqlStatus() of a dead server shows no thread as running", async () => {
  const { mysql } = statusOf(leader);
  const changes = {
    mysqld: { running: "NOTRUNNING", monitor: "ON" },
    mysql: { ...mysql, state: "DEAD", lastError: "connection refused" },
  } as const;
  assert.deepEqual(await jsonOf(leader, changes), {
    slave_io_running: false,
    slave_sql_running: false,
    mysqld_running: false,
    mysql_working: false,
    seconds_behind_master: "",
    last_error: "connection refused",
    monitor: "ON",
  });
});

Deno.test("mysqlStatus() adds the node's sentence, and never to the original's JSON", async () => {
  const status = statusOf(follower, { sentence: "binary logs are kept: b does not answer" });
  const cluster = createFakeCluster({ [follower]: { kind: "up", status } });
  const { value, exact } = await mysqlStatus(cluster, deadlineMs);
  assert.deepEqual(value, { ...exact as object, sentence: status.sentence });
});

Deno.test("mysqlStatus() tells the threads of a follower apart", async () => {
  const { mysql } = statusOf(follower);
  const changes = { mysql: { ...mysql, receiverRunning: false, secondsBehind: "12" } };
  const json = await jsonOf(follower, changes) as Record<string, unknown>;
  assert.equal(json.slave_io_running, false);
  assert.equal(json.slave_sql_running, true);
  assert.equal(json.seconds_behind_master, "12");
});
