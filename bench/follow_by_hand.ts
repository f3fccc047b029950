/** How a copy becomes a replica by hand: the last statements that an operator types, and the wait. */
import type { Connection } from "../mysql/client.ts";
import { connectAsRoot, openForWrites, type Sandbox } from "../mysql/sandbox.ts";

const statementMs = 10_000;
const catchUpSeconds = 300;

export interface Following {
  /** `host:port` of the leader's MySQL. */
  readonly source: string;
  /** What the copy must have at the end. */
  readonly wanted: string;
  /** The GTID set of the copy where the server does not know it. */
  readonly purged: string | null;
}

/** Points a started copy at the leader as root, whose password it has, and waits until it caught up. */
export async function followByHand(copied: Sandbox, following: Following): Promise<void> {
  const { source, wanted, purged } = following;
  const [host = "", port = ""] = source.split(":");
  await openForWrites(copied);
  await using connection = await connectAsRoot(copied, statementMs);
  const statements = [
    // The donor was a replica itself.
    "RESET REPLICA ALL",
    ...purged === null ? [] : ["RESET BINARY LOGS AND GTIDS", `SET GLOBAL gtid_purged='${purged}'`],
    `CHANGE REPLICATION SOURCE TO SOURCE_HOST='${host}', SOURCE_PORT=${port}, ` +
    `SOURCE_USER='root', SOURCE_PASSWORD='${copied.rootPassword}', ` +
    "SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1",
    "START REPLICA",
  ];
  for (const sql of statements) await connection.query(sql, { deadlineMs: statementMs });
  const wait = `SELECT WAIT_FOR_EXECUTED_GTID_SET('${wanted}', ${catchUpSeconds}) AS late`;
  const [row] = await connection.query(wait, { deadlineMs: catchUpSeconds * 1_000 + statementMs });
  if (Number(row?.["late"]) !== 0) throw new Error("The copy by hand does not catch up");
}

/** What a server has executed, over a connection that it closes. */
export async function executedOver(connecting: Promise<Connection>): Promise<string> {
  await using connection = await connecting;
  const sql = "SELECT @@GLOBAL.gtid_executed AS executed";
  const [row] = await connection.query(sql, { deadlineMs: statementMs });
  return String(row?.["executed"]);
}
