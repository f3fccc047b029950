/**
 * Clients that write all the time and know no time limit of their own. When the server closes they
 * must hear it: an address that moved away before would leave them waiting for an answer.
 */
import assert from "node:assert/strict";
import { tableName } from "../../cmd/demo/workload.ts";
import { Connection } from "../../mysql/client.ts";
import { DatabaseError } from "../../mysql/client_error.ts";
import { pause } from "../../mysql/time_left.ts";
import type { HostsLab } from "../live/hosts_lab.ts";
import { mysqlPort } from "../live/hosts_lab_node.ts";

const sessionCount = 8;
const connectMs = 30_000;
/** Longer than a statement takes that the new leader's host refuses in its own time. */
const patientMs = 12_000;
const busyMs = 500;
/** Far outside what the ledger draws, and each used once in the life of a cluster. */
let next = 1_000_000_000;

/** Runs `work` while they write, and makes sure that each of them hears of its end. */
export async function withPatientSessions(
  lab: HostsLab,
  work: () => Promise<void>,
): Promise<void> {
  const target = { ...lab.account, host: lab.address, port: mysqlPort, connectMs };
  const sessions = await Promise.all(
    Array.from({ length: sessionCount }, () => Connection.connect(target)),
  );
  const ends = sessions.map(writeUntilItEnds);
  await pause(busyMs);
  await work();
  for (const error of await Promise.all(ends)) {
    assert.notEqual(error.kind, "timeout", "sessions hear that they ended");
  }
}

/** Gives the error that ends it: of a server that closed, or of a connection that broke. */
async function writeUntilItEnds(connection: Connection): Promise<DatabaseError> {
  await using session = connection;
  const sql = `INSERT INTO ${tableName} (number) VALUES (?)`;
  while (true) {
    try {
      await session.change(sql, { deadlineMs: patientMs, values: [next++] });
    } catch (error) {
      if (error instanceof DatabaseError) return error;
      throw error;
    }
  }
}
