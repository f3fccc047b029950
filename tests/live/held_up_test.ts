/** Clients that hold locks on a follower, and what becomes of them when it is to lead. */
import assert from "node:assert/strict";
import { DatabaseNode } from "./database_node.ts";
import { LabServer } from "./lab.ts";

const quick = { deadlineMs: 10_000 } as const;
const clusterUuid = "c1c1c1c1-0000-4000-8000-000000000001";
/** A promotion that goes on for so long is given up, and fails. */
const promotionMs = 15_000;

type Pair = readonly [DatabaseNode, DatabaseNode];

let term = 0;

Deno.test("no client holds a promotion up by a lock, and who holds none is left alone", async (test) => {
  const labs = await Promise.all([1, 2].map((id) => LabServer.start(id)));
  await using a = new DatabaseNode(labs[0]!);
  await using b = new DatabaseNode(labs[1]!);
  for (const node of [a, b]) await node.database.prepare();
  await lead([a, b]);
  await write(a, "CREATE DATABASE lab");
  await write(a, "CREATE TABLE lab.t (a INT PRIMARY KEY, b INT)");
  await write(a, "CREATE TABLE lab.slow (a INT)");
  for (const held of holding) await holdUp(test, [a, b], held);
  await workLong(test, [a, b]);
});

interface Holding {
  readonly name: string;
  /** What the client on the follower does and goes on to hold. */
  readonly locks: readonly string[];
  /** What the follower receives after that. */
  readonly writes: readonly string[];
  readonly sentence: RegExp;
}

const holding: readonly Holding[] = [
  {
    name: "FLUSH TABLES WITH READ LOCK before transactions that are not applied",
    locks: ["FLUSH TABLES WITH READ LOCK"],
    writes: ["INSERT INTO lab.t VALUES (1, 1)", "INSERT INTO lab.t VALUES (2, 1)"],
    sentence:
      /ended \d client sessions?: (it|they) held the promotion up by a lock \("Waiting for /,
  },
  {
    name: "FLUSH TABLES WITH READ LOCK where nothing is left to apply",
    locks: ["FLUSH TABLES WITH READ LOCK"],
    writes: [],
    sentence: /ended 1 client session: .* by a global read lock/,
  },
  {
    name: "a dump that reads a table before an ALTER of it",
    locks: ["START TRANSACTION WITH CONSISTENT SNAPSHOT", "SELECT * FROM lab.t"],
    writes: ["ALTER TABLE lab.t ADD COLUMN c INT"],
    sentence: /ended \d client sessions?: .* by a lock \("Waiting for table metadata lock"\)/,
  },
  {
    name: "LOCK TABLES before a write",
    locks: ["LOCK TABLES lab.t READ"],
    writes: ["DELETE FROM lab.t WHERE a = 2"],
    sentence: /ended \d client sessions?: .* by a lock \("Waiting for table metadata lock"\)/,
  },
  {
    name: "locked rows before their change",
    locks: ["START TRANSACTION", "SELECT * FROM lab.t FOR SHARE"],
    writes: ["UPDATE lab.t SET b = 5"],
    sentence: /ended 1 client session: .* by locked rows/,
  },
  {
    name: "the lock of a backup where nothing is left to apply",
    locks: ["LOCK INSTANCE FOR BACKUP"],
    writes: [],
    sentence: /ended 1 client session: .* by a backup lock/,
  },
];

/** The second leads although a client on it holds locks. */
async function holdUp(test: Deno.TestContext, [a, b]: Pair, held: Holding): Promise<void> {
  await test.step(held.name, async () => {
    await using client = await b.client("backup");
    for (const sql of held.locks) await client.query(sql, quick);
    for (const sql of held.writes) await write(a, sql);
    const said = await lead([b, a]);
    assert.ok(said.some((one) => held.sentence.test(one)), said.join("; "));
    await assert.rejects(client.query("SELECT 1", quick), "its session is gone");
    await write(b, `REPLACE INTO lab.t (a, b) VALUES (9, ${term})`);
    // Back to the first leader, with nobody who holds anything.
    assert.doesNotMatch((await lead([a, b])).join(), /ended/);
  });
}

async function workLong(test: Deno.TestContext, [a, b]: Pair): Promise<void> {
  await test.step("an applier that works for long costs no session", async () => {
    await using client = await b.client("reader");
    for (const sql of ["START TRANSACTION", "SELECT * FROM lab.t"]) await client.query(sql, quick);
    await write(a, "INSERT INTO lab.slow SELECT SLEEP(4)");
    const said = await lead([b, a]);
    assert.ok(said.filter((one) => one.startsWith("wait until")).length > 1, said.join("; "));
    assert.doesNotMatch(said.join(), /ended/);
    assert.equal((await client.query("SELECT 1 AS one", quick)).length, 1);
  });
}

/** The first of them leads, and the other one acknowledges its marker. Gives what was said. */
async function lead([leader, follower]: Pair): Promise<readonly string[]> {
  const said: string[] = [];
  const progress = (sentence: string) => void said.push(sentence);
  const replicas = [leader.replica, follower.replica];
  await leader.database.freeze({ until: "", untilMs: 0 });
  await follower.database.fence(3_000);
  const ended = new AbortController();
  const late = setTimeout(() => ended.abort(new Error(said.join("; "))), promotionMs);
  const scope = { signal: ended.signal, entitled: () => true };
  const wish = { clusterUuid, term: ++term, k: 1, held: "", replicas, progress };
  const leading = leader.database.promote(wish, scope).finally(() => clearTimeout(late));
  await Promise.all([leading, follower.followUntilSettled(leader)]);
  await follower.until("it reads", (seen) => seen.replication?.receiver === "running");
  return said;
}

/** As a statement, so that the follower takes as long for it as the leader. */
async function write(leader: DatabaseNode, sql: string): Promise<void> {
  await using client = await leader.client();
  await client.query("SET SESSION binlog_format = 'STATEMENT'", quick);
  await client.query(sql, quick);
}
