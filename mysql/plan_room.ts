/** Room for the replicas of a leader whose connections are used up by clients that wait for their commits. */

import { done, type Plan, run, statement } from "./plan.ts";
import { integer, type Row } from "./rows.ts";

/** How many connections there are, and may be. */
export interface ConnectionsSeen {
  readonly connected: number;
  readonly connectionsMax: number;
}

/** Cheap, and only asked while a leader waits for replicas that are not there. */
export const connectionsQuery = "SELECT @@GLOBAL.max_connections AS connections_max, " +
  "(SELECT VARIABLE_VALUE FROM performance_schema.global_status " +
  "WHERE VARIABLE_NAME = 'Threads_connected') AS connected";

/** Reads the row of `connectionsQuery`. */
export function connectionsOf(row: Row): ConnectionsSeen {
  return {
    connected: integer(row, "connected"),
    connectionsMax: integer(row, "connections_max"),
  };
}

/**
 * Lets so many more in while all connections are taken. Replicas log in like everybody else and are
 * refused then (error 1040), while the clients that took their places wait for their acknowledgement.
 */
export function makeRoom({ connected, connectionsMax }: ConnectionsSeen, more: number): Plan {
  if (connected < connectionsMax) return done;
  const sql = `SET GLOBAL max_connections = ${connectionsMax + more}`;
  return run(statement(sql, `let ${more} more connections in`));
}
