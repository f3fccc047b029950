/**
 * Ends sessions of our own account that should not be there: those of an earlier agent, and those of
 * statements that this agent gave up. A statement of theirs that lands later could close or open a
 * server behind the back of its leader.
 */

import type { Connection } from "./client.ts";
import { DatabaseError } from "./client_error.ts";
import { fenceSql } from "./plan_fence.ts";
import { integer, rowsOf } from "./rows.ts";
import { programName, type Sessions } from "./sessions.ts";
import { quoteString } from "./text.ts";
import { pause, TimeLeft } from "./time_left.ts";

/** Only sessions of this very account, whatever other programs or people are connected. */
const ourAccount = "SELECT DISTINCT PROCESSLIST_ID AS id FROM " +
  "performance_schema.session_account_connect_attrs WHERE ATTR_NAME = 'program_name' " +
  `AND ATTR_VALUE = ${quoteString(programName)}`;

const pollMs = 5;
/** The last look may take so long after the time is over. */
const graceMs = 100;
const unknownThread = 1094;
/** Kills on their way at the same time on one connection. */
const killsMax = 16;

/**
 * Kills what is left of this agent's abandoned statements, and sees it gone. Nothing is sent when there
 * is none.
 *
 * @throws {Error} when one of them is still there after `deadlineMs`.
 */
export async function endStrays(sessions: Sessions, deadlineMs: number): Promise<void> {
  if (sessions.strays.size === 0) return;
  const strays = new Set(sessions.strays);
  await endAll(sessions, { deadlineMs, chosen: (id) => strays.has(id) });
  sessions.forget(strays);
}

/**
 * Kills all other sessions that carry our program's name under this account, and sees them gone.
 *
 * @throws {Error} when one of them is still there after `deadlineMs`.
 */
export async function endOtherAgents(sessions: Sessions, deadlineMs: number): Promise<void> {
  const strays = new Set(sessions.strays);
  await endAll(sessions, { deadlineMs, chosen: () => true });
  sessions.forget(strays);
}

interface EndAll {
  readonly deadlineMs: number;
  readonly chosen: (id: number) => boolean;
}

async function endAll(sessions: Sessions, wish: EndAll): Promise<void> {
  const time = new TimeLeft(wish.deadlineMs);
  const connection = await sessions.get("fence");
  const killed = new Set<number>();
  while (true) {
    const rows = await connection.query(ourAccount, { deadlineMs: time.leftMs + graceMs });
    const own = sessions.ids;
    const others = rowsOf(rows).map((row) => integer(row, "id")).filter((id) =>
      !own.has(id) && wish.chosen(id)
    );
    if (others.length === 0) return;
    if (time.over) {
      throw new Error(
        `Cannot go on as sessions ${others.join(", ")} of an earlier statement do not end within ` +
          `${wish.deadlineMs} ms of their KILL`,
      );
    }
    const living = others.filter((id) => !killed.has(id));
    await killSessions(connection, living, { deadlineMs: time.leftMs + graceMs });
    for (const id of living) killed.add(id);
    if (living.length === 0) await pause(pollMs);
  }
}

/** Kills sessions; one that is gone already counts as killed. */
export async function killSessions(
  connection: Connection,
  ids: readonly number[],
  limits: { readonly deadlineMs: number },
): Promise<void> {
  for (let first = 0; first < ids.length; first += killsMax) {
    await Promise.all(
      ids.slice(first, first + killsMax).map(async (id) => {
        try {
          await connection.query(fenceSql.kill(id), limits);
        } catch (error) {
          if (!(error instanceof DatabaseError && error.errno === unknownThread)) throw error;
        }
      }),
    );
  }
}
