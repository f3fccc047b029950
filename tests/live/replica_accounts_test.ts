/** A cluster of an earlier version, in which all replicas log in with one account, goes over to the new ones. */
import assert from "node:assert/strict";
import { poll } from "../../cmd/demo/lab.ts";
import type { ServerFacts } from "../../mysql/facts.ts";
import { replicationAccount } from "../../mysql/replication_account.ts";
import { DatabaseNode } from "./database_node.ts";
import { LabServer } from "./lab.ts";

/** A busy machine is slow. */
const patienceMs = 60_000;
const quick = { deadlineMs: 20_000 } as const;
const endless = { signal: new AbortController().signal, entitled: () => true };
const clusterUuid = "c1c1c1c1-0000-4000-8000-000000000001";
const shared = "repl";

Deno.test("replicas go over from the shared account to their own, and none is left open", async (test) => {
  const labs = await Promise.all([1, 2, 3].map((id) => LabServer.start(id)));
  await using a = new DatabaseNode(labs[0]!);
  await using b = new DatabaseNode(labs[1]!);
  await using c = new DatabaseNode(labs[2]!);
  for (const node of [a, b, c]) await node.database.prepare();
  const members = [a, b, c].map(({ replica }) => replica);
  const userOf = (node: DatabaseNode) => replicationAccount(shared, node.replica);

  await test.step("while there is only the shared account, it is used", async () => {
    const promotion = { clusterUuid, term: 1, k: 0, held: "", replicas: [], progress: () => {} };
    await a.database.promote(promotion, endless);
    await using root = await a.client();
    await root.query("CREATE USER IF NOT EXISTS repl@'%' IDENTIFIED BY 'geheim''1'", quick);
    await root.query("GRANT REPLICATION SLAVE ON *.* TO repl@'%'", quick);
    for (const node of [b, c]) await copyAccount(node);
    for (const node of [b, c]) await node.followUntilSettled(a);
    await reads(b, shared);
  });

  await test.step("the leader makes the others, and each replica takes its own", async () => {
    const upkeep = { clusterUuid, term: 1, k: 0, replicas: members };
    await a.database.settle(upkeep, await a.facts());
    assert.ok((await a.database.settle(upkeep, await a.facts())).settled);
    await usableOn(b, userOf(b));
    await b.followUntilSettled(a);
    await reads(b, userOf(b));
  });

  await test.step("a removal waits for those who still share, then locks both accounts", async () => {
    const cutOff = { replica: c.replica, staying: [b.replica] };
    await b.until("it acknowledges", (seen) => seen.semiSyncReplica.status);
    await a.database.settle({ clusterUuid, term: 1, k: 1, replicas: members }, await a.facts());
    const stranger = { replica: b.replica, staying: [c.replica] };
    await assert.rejects(
      a.database.arrange({ k: 1, cutOff: stranger }, endless),
      /Cannot remove .* the others with "repl": run this version on all of them/,
    );
    await a.database.arrange({ k: 1, cutOff }, endless);
    await c.until("it is refused", (seen) => seen.replication?.receiverErrorNumber === 3118);
    await using root = await a.client();
    const sql =
      "SELECT User AS user FROM mysql.user WHERE account_locked = 'Y' AND User LIKE 'repl%'";
    const rows = await root.query(sql, quick);
    assert.deepEqual(rows.map((row) => row["user"]).sort(), [shared, userOf(c)].sort());
    assert.equal((await a.facts()).semiSyncSource.clients, 1);
  });
});

/** As a copy of an old cluster has it: the account is there, and the transactions that made it are not. */
async function copyAccount(node: DatabaseNode): Promise<void> {
  await using root = await node.client();
  for (
    const sql of [
      "SET SESSION sql_log_bin = 0",
      "SET GLOBAL super_read_only = OFF",
      "CREATE USER IF NOT EXISTS repl@'%' IDENTIFIED BY 'geheim''1'",
      "GRANT REPLICATION SLAVE ON *.* TO repl@'%'",
      "SET GLOBAL super_read_only = ON",
    ]
  ) await root.query(sql, quick);
}

async function reads(node: DatabaseNode, user: string): Promise<void> {
  const isSo = ({ replication }: ServerFacts) =>
    replication?.sourceUser === user && replication.receiver === "running";
  await node.until(`it reads as ${user}`, isSo);
}

async function usableOn(node: DatabaseNode, user: string): Promise<void> {
  await using root = await node.client();
  const sql = `SELECT COUNT(*) AS n FROM mysql.user WHERE User = '${user}'`;
  const came = async () => Number((await root.query(sql, quick))[0]?.["n"]) > 0 || null;
  assert.ok(await poll(patienceMs, came), `${user} never came`);
}
