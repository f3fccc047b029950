/** Looks for every acknowledged integer on every server that should have it. */
import type { Connection } from "../../mysql/client.ts";
import type { Lab } from "./lab.ts";
import type { LabNode } from "./lab_node.ts";
import type { Ledger } from "./ledger.ts";
import { tableName } from "./workload.ts";

export interface Verdict {
  readonly acknowledged: number;
  readonly failed: number;
  readonly unknown: number;
  /** Acknowledged but absent on the leader or on a follower that caught up. */
  readonly lost: number;
  /** A few of them, for whoever looks for the reason. */
  readonly examples: readonly number[];
  /** Refused but present: no loss, and still a lie of the server. */
  readonly ghosts: number;
  /** Whose tables were read. */
  readonly checked: readonly string[];
  /** Followers that did not catch up in time, so that nothing can be said about them. */
  readonly behind: readonly string[];
}

const connectMs = 2_000;
const statementMs = 10_000;
/** A new copy applies every write since the beginning. */
const catchUpSeconds = 60;
const rowsMax = 20_000;
const examplesMax = 5;

/** Call it when no writer runs any more. */
export async function judge(lab: Lab, ledger: Ledger): Promise<Verdict> {
  const leader = await lab.waitForLeader(30_000);
  if (leader === null) throw new Error("Cannot count the writes as nobody leads");
  const statuses = await Promise.all(lab.nodes.map((node) => node.status()));
  const followers = lab.nodes.filter((node, index) =>
    node !== leader && statuses[index]?.role === "FOLLOWER"
  );
  await using connection = await leader.root(connectMs);
  const [row] = await connection.query("SELECT @@GLOBAL.gtid_executed AS executed", {
    deadlineMs: statementMs,
  });
  const onLeader = await integers(connection);
  const absent = new Set(absentOf(ledger, onLeader));
  const behind: LabNode[] = [];
  for (const follower of followers) {
    const there = await integersOfFollower(follower, String(row?.["executed"] ?? ""));
    if (there === null) behind.push(follower);
    else for (const integer of absentOf(ledger, there)) absent.add(integer);
  }
  return {
    acknowledged: ledger.acknowledged.length,
    failed: ledger.failed.length,
    unknown: ledger.unknown.length,
    lost: absent.size,
    examples: [...absent].slice(0, examplesMax),
    ghosts: ledger.failed.filter((integer) => onLeader.has(integer)).length,
    checked: [leader, ...followers].filter((node) => !behind.includes(node)).map(mysqlOf),
    behind: behind.map(mysqlOf),
  };
}

function mysqlOf(node: LabNode): string {
  return node.mysql;
}

function absentOf(ledger: Ledger, present: ReadonlySet<number>): readonly number[] {
  return ledger.acknowledged.map(({ integer }) => integer).filter((one) => !present.has(one));
}

/** Null when it does not catch up. */
async function integersOfFollower(
  node: LabNode,
  executed: string,
): Promise<ReadonlySet<number> | null> {
  await using connection = await node.root(connectMs);
  const [row] = await connection.query("SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?) AS late", {
    deadlineMs: 1_000 * catchUpSeconds + statementMs,
    values: [executed, catchUpSeconds],
  });
  if (Number(row?.["late"]) !== 0) return null;
  return await integers(connection);
}

/** All integers of a server, read in pieces. */
async function integers(connection: Connection): Promise<ReadonlySet<number>> {
  const all = new Set<number>();
  let last = 0;
  while (true) {
    const sql = `SELECT number FROM ${tableName} WHERE number > ? ORDER BY number LIMIT ${rowsMax}`;
    const rows = await connection.query(sql, { deadlineMs: statementMs, values: [last] });
    for (const row of rows) all.add(last = Number(row["number"]));
    if (rows.length < rowsMax) return all;
  }
}
