/**
 * What keeps the replicas of a leader out on real servers, and how it lets them in; and what happens to
 * settings that somebody takes away from a leader by hand.
 */
import assert from "node:assert/strict";
import { poll } from "../../cmd/demo/lab.ts";
import type { ServerFacts } from "../../mysql/facts.ts";
import { count, ofSource, parse } from "../../mysql/gtid.ts";
import { purposeUuid } from "../../mysql/plan_arrange.ts";
import { replicationAccount } from "../../mysql/replication_account.ts";
import { DatabaseNode } from "./database_node.ts";
import { LabServer } from "./lab.ts";

/** A busy machine is slow. */
const patienceMs = 60_000;
const quick = { deadlineMs: 30_000 } as const;
const endless = { signal: new AbortController().signal, entitled: () => true };
const clusterUuid = "c1c1c1c1-0000-4000-8000-000000000001";
const giving = "configured password";

type Pair = readonly [DatabaseNode, DatabaseNode];
type Step = (name: string, work: () => Promise<void>) => Promise<void>;

Deno.test("replicas get in after a change of their password, and a leader keeps its settings", async (test) => {
  // What follows a step that failed might wait for ever.
  const step: Step = async (name, work) => assert.ok(await test.step(name, work), name);
  const labs = await Promise.all([1, 2].map((id) => LabServer.start(id)));
  await using a = new DatabaseNode(labs[0]!);
  await using b = new DatabaseNode(labs[1]!);
  for (const node of [a, b]) await node.database.prepare();
  await lead([a, b], 1);
  await changePassword(step, [a, b]);
  await leaveOffline(step, [a, b]);
  await exhaust(step, [a, b]);
  await weaken(step, [a, b]);
  await loseSemiSync(step, [a, b]);
});

function promotion(nodes: Pair, term: number, k = 1) {
  const replicas = nodes.map(({ replica }) => replica);
  return { clusterUuid, term, k, held: "", replicas, progress: () => {} };
}

/** The first of them leads, and the other one acknowledges its marker. */
async function lead(nodes: Pair, term: number): Promise<void> {
  const [leader, follower] = nodes;
  await leader.database.freeze({ until: "", untilMs: 0 });
  await follower.database.fence(3_000);
  const leading = leader.database.promote(promotion(nodes, term), endless);
  await Promise.all([leading, follower.followUntilSettled(leader)]);
  await reads(follower);
}

async function reads(node: DatabaseNode): Promise<void> {
  await node.until("it reads", (seen) => seen.replication?.receiver === "running");
}

async function changePassword(step: Step, [a, b]: Pair): Promise<void> {
  await step("the next leader has the new password, the others still the former one", async () => {
    await b.restartAgent("neu");
    await b.until("it has applied the marker", (seen) => seen.executed.length > 0);
    await lead([b, a], 2);
    assert.equal(b.costs.filter((cost) => cost.includes(giving)).length, 1);
    const facts = await b.facts();
    assert.ok(!facts.executed.includes(facts.serverUuid), "it is no transaction");
    const wish = { clusterUuid, term: 2, k: 1, replicas: promotion([b, a], 2).replicas };
    await b.until("it acknowledges", (seen) => seen.semiSyncSource.clients === 1);
    await b.database.settle(wish, await b.facts());
    assert.ok((await b.database.settle(wish, await b.facts())).settled);
    assert.equal(b.costs.filter((cost) => cost.includes("to all servers")).length, 1);
    await endReaders(b);
    await b.until("the former password still gets in", (seen) => seen.semiSyncSource.clients === 1);
  });

  await step("a receiver that is refused gets the password of its agent", async () => {
    await a.restartAgent("neu");
    await a.followUntilSettled(b);
    await using root = await b.client();
    const user = replicationAccount("repl", a.replica);
    // Nobody may log in while a change of an account waits for an acknowledgement, so this one does not.
    await root.query("SET SESSION sql_log_bin = OFF", quick);
    await root.query(`ALTER USER '${user}'@'%' DISCARD OLD PASSWORD`, quick);
    await endReaders(b);
    const refused = (seen: ServerFacts) => seen.replication?.receiverErrorNumber === 1045;
    await a.until("it is refused", refused);
    await a.followUntilSettled(b);
    await reads(a);
  });

  await step("whoever leads later lets the others in, and says it once", async () => {
    await lead([a, b], 3);
    assert.equal(a.costs.filter((cost) => cost.includes(giving)).length, 1);
    for (const node of [a, b]) node.costs.length = 0;
    await lead([b, a], 4);
    await lead([a, b], 5);
    for (const { costs } of [a, b]) assert.ok(!costs.some((cost) => cost.includes(giving)));
  });
}

/** Ends the sessions of replicas and sees them gone: until then the server counts them as connected. */
async function endReaders(node: DatabaseNode): Promise<void> {
  await using root = await node.client();
  const sql = "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog%'";
  const readers = async () => (await root.query(sql, quick)).map(({ id }) => Number(id));
  const ended = await readers();
  for (const id of ended) await root.query(`KILL ${id}`, quick);
  const gone = async () => (await readers()).some((id) => ended.includes(id)) ? null : true;
  assert.ok(await poll(patienceMs, gone), `sessions ${ended} do not end`);
}

async function leaveOffline(step: Step, [a, b]: Pair): Promise<void> {
  await step("a follower that was left offline lets its replicas in when it leads", async () => {
    await using root = await b.client();
    await root.query("SET GLOBAL offline_mode = ON", quick);
    await lead([b, a], 6);
    assert.equal((await b.facts()).offlineMode, false);
  });

  await step(
    "clients of a prepared XA transaction wait until a leader without replicas is open",
    async () => {
      await b.database.fence(3_000);
      await a.database.freeze({ until: "", untilMs: 0 });
      await b.database.promote(promotion([b, a], 7, 0), endless);
      await using client = await b.client();
      await client.query("CREATE TABLE IF NOT EXISTS mysql.lab (a INT PRIMARY KEY)", quick);
      for (const sql of ["XA START 'x'", "INSERT INTO mysql.lab VALUES (1)", "XA END 'x'"]) {
        await client.query(sql, quick);
      }
      await client.query("XA PREPARE 'x'", quick);
      assert.deepEqual(await b.database.fence(3_000), { kind: "closed" });
      assert.equal((await b.facts()).offlineMode, true);
      await assert.rejects(
        b.database.promote(promotion([b, a], 8, 1), endless),
        /offline_mode is ON because of 1 prepared XA transaction/,
      );
      await b.database.promote(promotion([b, a], 8, 0), endless);
      const facts = await b.facts();
      assert.ok(!facts.offlineMode && !facts.readOnly);
      await using other = await b.client();
      await other.query("XA ROLLBACK 'x'", quick);
    },
  );
}

async function exhaust(step: Step, [a, b]: Pair): Promise<void> {
  await step("commits that nobody acknowledges are nudged twice and no more", async () => {
    await lead([b, a], 9);
    await a.database.freeze({ until: "", untilMs: 0 });
    const client = await b.client();
    const waiting = client.query("INSERT INTO mysql.lab VALUES (2)", { deadlineMs: 60_000 });
    waiting.catch(() => {});
    await b.until("a commit waits", (facts) => facts.semiSyncSource.waitSessions === 1);
    for (let time = 0; time < 2; time++) await assert.rejects(b.database.nudge(2_000));
    for (let time = 0; time < 3; time++) await b.database.nudge(2_000);
    const facts = await b.facts();
    const nudges = ofSource(parse(facts.owned), purposeUuid(facts.serverUuid));
    assert.equal(count(nudges), 2n, facts.owned);
    await client.close();
  });

  await step("replicas get in where clients that wait took all connections", async () => {
    assert.equal(await b.database.makeRoom(3), null);
    await using root = await b.client();
    await root.query("SET GLOBAL max_connections = 4", quick);
    assert.equal(await b.database.makeRoom(3), 7);
    const [row] = await root.query("SELECT @@GLOBAL.max_connections AS n", quick);
    assert.equal(Number(row?.["n"]), 7);
    await root.query("SET GLOBAL max_connections = 151", quick);
    await a.followUntilSettled(b);
    await b.until("nobody waits", (facts) => facts.semiSyncSource.waitSessions === 0);
  });
}

function upkeep(nodes: Pair) {
  return { clusterUuid, term: 9, k: 1, replicas: promotion(nodes, 9).replicas };
}

async function settleAll(node: DatabaseNode, nodes: Pair): Promise<void> {
  for (let round = 0; round < 50; round++) {
    if ((await node.database.settle(upkeep(nodes), await node.facts())).settled) return;
  }
  throw new Error("upkeep does not settle");
}

async function weaken(step: Step, [a, b]: Pair): Promise<void> {
  await step("settings that an open leader lost by hand are put back, and told", async () => {
    await settleAll(b, [b, a]);
    const strong = await b.facts();
    await using root = await b.client();
    const changes = [
      "sync_binlog = 0",
      "innodb_flush_log_at_trx_commit = 2",
      "rpl_semi_sync_source_wait_point = AFTER_COMMIT",
      "rpl_semi_sync_source_wait_no_replica = OFF",
    ];
    for (const change of changes) await root.query(`SET GLOBAL ${change}`, quick);
    const { settled, mended } = await b.database.settle(upkeep([b, a]), await b.facts());
    assert.ok(!settled && mended?.includes("sync the binary log at each commit"), mended);
    const facts = await b.facts();
    assert.deepEqual(facts.durability, strong.durability);
    assert.deepEqual(facts.semiSyncSource, strong.semiSyncSource);
    const after = await b.database.settle(upkeep([b, a]), facts);
    assert.deepEqual(after, { settled: true, because: null });
  });

  await step("semi-sync is switched on although a backup lets nobody make accounts", async () => {
    await using root = await b.client();
    await using backup = await b.client();
    await root.query("SET GLOBAL rpl_semi_sync_source_enabled = OFF", quick);
    await backup.query("LOCK INSTANCE FOR BACKUP", quick);
    const joined = { id: "127.0.0.1:1", since: 9 };
    const wish = { ...upkeep([b, a]), replicas: [b.replica, a.replica, joined] };
    await b.database.settle(wish, await b.facts());
    const { semiSyncSource } = await b.facts();
    assert.ok(semiSyncSource.enabled && semiSyncSource.status);
    await assert.rejects(
      b.database.settle(wish, await b.facts()),
      /Cannot create replication account/,
    );
    await backup.query("UNLOCK INSTANCE", quick);
    assert.ok((await b.database.settle(wish, await b.facts())).settled);
  });
}

async function loseSemiSync(step: Step, [a, b]: Pair): Promise<void> {
  await step("semi-sync that gave up waiting waits again", async () => {
    await a.database.freeze({ until: "", untilMs: 0 });
    await using root = await b.client();
    await b.until("the replica left", (facts) => facts.semiSyncSource.clients === 0);
    await root.query("SET GLOBAL rpl_semi_sync_source_timeout = 50", quick);
    await root.query("INSERT INTO mysql.lab VALUES (3)", quick);
    assert.equal((await b.facts()).semiSyncSource.status, false);
    await settleAll(b, [b, a]);
    assert.equal((await b.facts()).semiSyncSource.status, true);
    await root.query("SET GLOBAL rpl_semi_sync_source_wait_no_replica = OFF", quick);
    assert.equal(
      (await b.facts()).semiSyncSource.status,
      false,
      "it does not wait without replicas",
    );
    await settleAll(b, [b, a]);
    const { status, waitNoReplica } = (await b.facts()).semiSyncSource;
    assert.ok(status && waitNoReplica);
  });

  await step(
    "an uninstalled source half is installed again, and replicas acknowledge",
    async () => {
      await using root = await b.client();
      await root.query("UNINSTALL PLUGIN rpl_semi_sync_source", quick);
      const wish = { source: b.address, acknowledge: true, replica: a.replica };
      await a.database.follow(wish, await a.facts());
      await reads(a);
      await settleAll(b, [b, a]);
      await a.followUntilSettled(b);
      await b.until("it acknowledges", (facts) => facts.semiSyncSource.clients === 1);
      await root.query("INSERT INTO mysql.lab VALUES (4)", quick);
      assert.equal((await b.facts()).semiSyncSource.status, true);
    },
  );

  await step("a leader that cannot get it back is closed", async () => {
    await a.database.freeze({ until: "", untilMs: 0 });
    await using root = await b.client();
    await using backup = await b.client();
    await b.until("the replica left", (facts) => facts.semiSyncSource.clients === 0);
    await root.query("UNINSTALL PLUGIN rpl_semi_sync_source", quick);
    await backup.query("LOCK INSTANCE FOR BACKUP", quick);
    const { mended } = await b.database.settle(upkeep([b, a]), await b.facts());
    assert.match(mended ?? "", /^I close my open server.*install the source half/);
    const facts = await b.facts();
    assert.ok(facts.superReadOnly && facts.readOnly);
  });
}
