/**
 * A transaction of which the receiver got only the beginning. Its applier waits for the rest, and
 * STOP REPLICA waits for the applier: up to a minute (seen on 9.7: more than 8 s, and 8 ms after a
 * kill). The rest never comes once the source is gone, so the applier is killed first. It rolls back,
 * and a later START REPLICA goes on as if nothing had been.
 */
import type { Connection } from "./client.ts";
import { DatabaseError } from "./client_error.ts";
import { helpUntil } from "./time_left.ts";
import { atLeast, type Version } from "./version.ts";

const unknownThread = 1094;
/** How often a stop that takes its time is helped. */
const helpEveryMs = 200;

/** Appliers and coordinators that are in the middle of a transaction. */
const inTransaction = "SELECT t.PROCESSLIST_ID AS id FROM performance_schema.threads t JOIN (" +
  "SELECT THREAD_ID FROM performance_schema.replication_applier_status_by_coordinator " +
  "WHERE CHANNEL_NAME = '' AND PROCESSING_TRANSACTION <> '' UNION " +
  "SELECT THREAD_ID FROM performance_schema.replication_applier_status_by_worker " +
  "WHERE CHANNEL_NAME = '' AND APPLYING_TRANSACTION <> '') a ON a.THREAD_ID = t.THREAD_ID";

/**
 * Ends appliers that wait for the rest of a transaction. Only for a drained server: there everything
 * that was received whole is applied, so whoever is in a transaction waits for what never comes.
 * Gives the number of sessions that were told to end.
 */
export async function endHalfApplied(
  connection: Connection,
  how: { readonly version: Version; readonly deadlineMs: number },
): Promise<number> {
  const { version, deadlineMs } = how;
  // Older versions do not tell what an applier is doing; there the stop has to wait.
  if (!atLeast(version, 8, 0, 0)) return 0;
  const rows = await connection.query(inTransaction, { deadlineMs });
  for (const { id } of rows) {
    try {
      await connection.query(`KILL CONNECTION ${BigInt(String(id))}`, { deadlineMs });
    } catch (error) {
      // It ended by itself between the look and the kill.
      if (!(error instanceof DatabaseError) || error.errno !== unknownThread) throw error;
    }
  }
  return rows.length;
}

/**
 * Goes on ending such appliers while a stop of the applier runs: the beginning of a transaction may be
 * read from the relay log only after the look before the stop.
 */
export function endHalvesUntil(
  stopped: Promise<unknown>,
  end: () => Promise<unknown>,
): Promise<void> {
  return helpUntil(stopped, end, helpEveryMs);
}
