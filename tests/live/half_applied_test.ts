/** A transaction whose second half never comes must not hold a promotion up. */
import assert from "node:assert/strict";
import type { Connection } from "../../mysql/client.ts";
import { poll } from "../../cmd/demo/lab.ts";
import { endHalfApplied } from "../../mysql/half_applied.ts";
import { connectAsRoot, openForWrites } from "../../mysql/sandbox.ts";
import { LabServer } from "./lab.ts";

/** A busy machine is slow. */
const deadlineMs = 120_000;
const rows = 40;
const triesMax = 3;
const halfBytes = 20_000_000;

Deno.test("endHalfApplied() ends an applier that waits for the rest of a transaction", async () => {
  await using source = await LabServer.start(1);
  await using replica = await LabServer.start(2);
  await openForWrites(source.sandbox);
  await using atSource = await connectAsRoot(source.sandbox, deadlineMs);
  await using atReplica = await connectAsRoot(replica.sandbox, deadlineMs);
  await using stopper = await connectAsRoot(replica.sandbox, deadlineMs);
  await replicate(atSource, atReplica, source.sandbox.port);
  const sent = await sendHalf(atSource, atReplica);

  const stopped = stopper.query("STOP REPLICA", { deadlineMs });
  const early = await Promise.race([stopped.then(() => "stopped"), later(1_000, "waiting")]);
  assert.equal(early, "waiting", "without the half transaction this test shows nothing");

  const ended = await endHalfApplied(atReplica, { version: replica.sandbox.version, deadlineMs });
  assert.ok(ended >= 1);
  await stopped;
  assert.equal((await statusOf(atReplica)).Replica_SQL_Running, "No");

  // Started again, it goes on as if nothing had been.
  await atReplica.query("START REPLICA", { deadlineMs });
  await caughtUp(atReplica, await executed(atSource));
  const [count] = await atReplica.query("SELECT COUNT(*) AS n FROM t.x", { deadlineMs });
  assert.equal(Number(count?.n), sent);
});

async function replicate(source: Connection, replica: Connection, port: number): Promise<void> {
  for (
    const sql of [
      "CREATE USER r@'%' IDENTIFIED BY 'r'",
      "GRANT REPLICATION SLAVE ON *.* TO r@'%'",
      "CREATE DATABASE t",
      "CREATE TABLE t.x (id INT PRIMARY KEY, b LONGBLOB)",
    ]
  ) await source.query(sql, { deadlineMs });
  await replica.query(
    `CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = ${port}, ` +
      "SOURCE_USER = 'r', SOURCE_PASSWORD = 'r', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1",
    { deadlineMs },
  );
  await replica.query("START REPLICA", { deadlineMs });
  await caughtUp(replica, await executed(source));
}

/**
 * One large transaction, and the receiver stopped when about an eighth of it has come. All of it may come before
 * the receiver hears that, on a machine that stands still: then another one is sent. Gives the rows of all.
 */
async function sendHalf(source: Connection, replica: Connection): Promise<number> {
  for (let sent = rows; sent <= triesMax * rows; sent += rows) {
    await sendAndStop(source, replica, sent - rows);
    const set = await executed(source);
    const { Retrieved_Gtid_Set: retrieved } = await statusOf(replica);
    const sql = `SELECT GTID_SUBSET('${set}', CONCAT(@@GLOBAL.gtid_executed, ',', ?)) AS whole`;
    const [row] = await replica.query(sql, { deadlineMs, values: [String(retrieved)] });
    if (Number(row?.whole) === 0) {
      const waits = async () => await openTransactions(replica) > 0 || null;
      assert.ok(await poll(deadlineMs, waits), "the applier never began what came");
      return sent;
    }
    await replica.query("START REPLICA IO_THREAD", { deadlineMs });
    await caughtUp(replica, set);
  }
  assert.fail(`all of ${triesMax} transactions came whole`);
}

async function sendAndStop(source: Connection, replica: Connection, from: number): Promise<void> {
  await source.query("BEGIN", { deadlineMs });
  for (let id = from; id < from + rows; id++) {
    await source.query(`INSERT INTO t.x VALUES (${id}, REPEAT('x', 4000000))`, { deadlineMs });
  }
  const before = Number((await statusOf(replica)).Relay_Log_Space);
  const committed = source.query("COMMIT", { deadlineMs });
  const endsAt = performance.now() + deadlineMs;
  while (Number((await statusOf(replica)).Relay_Log_Space) < before + halfBytes) {
    assert.ok(performance.now() < endsAt, "the transaction never came");
    await later(1, "");
  }
  await replica.query("STOP REPLICA IO_THREAD", { deadlineMs });
  await committed;
}

async function caughtUp(replica: Connection, set: string): Promise<void> {
  const sql = `SELECT WAIT_FOR_EXECUTED_GTID_SET('${set}', 100) AS late`;
  const [row] = await replica.query(sql, { deadlineMs });
  assert.equal(Number(row?.late), 0, "the replica catches up");
}

async function statusOf(replica: Connection) {
  const [row] = await replica.query("SHOW REPLICA STATUS", { deadlineMs });
  assert.ok(row);
  return row;
}

async function executed(server: Connection): Promise<string> {
  const [row] = await server.query("SELECT @@GLOBAL.gtid_executed AS e", { deadlineMs });
  return String(row?.e).replaceAll("\n", "");
}

async function openTransactions(replica: Connection): Promise<number> {
  const sql = "SELECT COUNT(*) AS n FROM information_schema.innodb_trx WHERE trx_rows_modified > 0";
  return Number((await replica.query(sql, { deadlineMs }))[0]?.n);
}

function later<T>(ms: number, value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(value), ms));
}
