/** Ends the client sessions that hold a promotion up; whose those are is decided in `plan_held_up.ts`. */

import type { Connection } from "./client.ts";
import { sessionOf } from "./closing.ts";
import { killSessions } from "./other_sessions.ts";
import { fenceSql } from "./plan_fence.ts";
import {
  type BusySession,
  endedSentence,
  type HoldUp,
  rowWaitsQuery,
  serverLockHolders,
  serverLocksQuery,
  waitsForClients,
} from "./plan_held_up.ts";
import { integer, rowsOf, text } from "./rows.ts";
import type { Sessions } from "./sessions.ts";
import { pause, TimeLeft } from "./time_left.ts";
import type { Version } from "./version.ts";

export interface HeldUpParts {
  /** An idle one: what is held up waits on another. */
  readonly connection: Connection;
  readonly sessions: Pick<Sessions, "ids">;
  readonly version: Version;
  readonly deadlineMs: number;
  /** Hears a sentence when sessions were ended. */
  readonly say: (sentence: string) => void;
}

/** How long a session that was ended may take to let go of its locks, and how often that is asked. */
const letGoMs = 2_000;
const pollMs = 10;

/** Ends the clients for whose locks the applier or a statement of ours waits, if there are any. */
export async function endWaitsForClients(parts: HeldUpParts): Promise<void> {
  const { connection, deadlineMs, version } = parts;
  const [list, rows] = await Promise.all([
    connection.query(fenceSql.sessions, { deadlineMs }),
    connection.query(rowWaitsQuery(version), { deadlineMs }),
  ]);
  const rowWaits = rowsOf(rows).map((row) => {
    return { waiter: integer(row, "waiter"), blocker: integer(row, "blocker") };
  });
  await end(parts, waitsForClients({ ...seenOf(parts, list), rowWaits }));
}

/**
 * Ends the clients that hold a lock of the whole server, and waits until they let go of it. Whoever takes
 * such a lock later than this look is left alone, as on any leader.
 */
export async function endServerLocks(parts: HeldUpParts): Promise<void> {
  const time = new TimeLeft(letGoMs);
  const ended = new Set<number>();
  for (let found = await serverLocks(parts); found !== null; found = await serverLocks(parts)) {
    const ids = found.ids.filter((id) => !ended.has(id));
    await end(parts, ids.length === 0 ? null : { ...found, ids });
    for (const id of ids) ended.add(id);
    if (time.over) return;
    await pause(pollMs);
  }
}

async function serverLocks(parts: HeldUpParts): Promise<HoldUp | null> {
  const { connection, deadlineMs } = parts;
  const locks = rowsOf(await connection.query(serverLocksQuery, { deadlineMs })).map((row) => {
    return { id: integer(row, "id"), type: text(row, "type") };
  });
  if (locks.length === 0) return null;
  const list = await connection.query(fenceSql.sessions, { deadlineMs });
  return serverLockHolders({ ...seenOf(parts, list), locks });
}

function seenOf({ sessions }: HeldUpParts, list: unknown) {
  const seen = rowsOf(list).map((row): BusySession => {
    return { ...sessionOf(row), state: text(row, "State", "") };
  });
  return { sessions: seen, agentConnectionIds: sessions.ids };
}

async function end(parts: HeldUpParts, found: HoldUp | null): Promise<void> {
  if (found === null) return;
  await killSessions(parts.connection, found.ids, { deadlineMs: parts.deadlineMs });
  parts.say(endedSentence(found));
}
