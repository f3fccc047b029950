/** Does the binary log of a server that cannot say where it ends still move? Pure. */
import type { ServerFacts } from "../mysql/facts.ts";

/** What that question remembers from look to look. */
export interface LogMemory {
  readonly since: number;
  /** How far the log was written then. */
  readonly written: string;
  /** Commits that are in the log wait for their acknowledgement. */
  readonly waiting: boolean;
}

/**
 * A rotation may wait behind commits that wait, and their disk is fine. But the next commit brings an
 * acknowledgement that was lost, and a full disk lets no commit through: so not for ever.
 */
const waitingMsMax = 60_000;

/**
 * For how long has something held the binary log without writing to it? A large commit writes, and a full
 * disk does not; either keeps all other commits waiting. A rotation (FLUSH LOGS, or a full file) writes
 * nothing either while it waits for commits that are in the log and wait for their acknowledgement: that
 * is a time of its own, as what they wait for is not the disk. Null while nothing holds the log.
 */
export function watchLog(
  memory: LogMemory | null,
  { binlogHeld: written, semiSyncSource }: Pick<ServerFacts, "binlogHeld" | "semiSyncSource">,
  at: number,
): LogMemory | null {
  if (written === null) return null;
  const waiting = semiSyncSource.waitSessions > 0;
  if (memory?.written === written && memory.waiting === waiting) return memory;
  return { since: at, written, waiting };
}

/** Was it held for too long, at the time `now`? */
export function isStuck(log: LogMemory | null, now: number, patienceMs: number): boolean {
  return log !== null && now - log.since >= (log.waiting ? waitingMsMax : patienceMs);
}

/**
 * Since when a look has waited that was just answered: with the binary log, where that has just moved; and
 * for nothing, `Infinity`, while nobody knows yet how long it is held.
 */
export function lookedSince(
  now: LogMemory | null,
  before: LogMemory | null,
  begun: number,
): number {
  const held = before?.waiting === true ? null : before;
  if (now === null || now.waiting) return held?.since ?? begun;
  return held === null || held === now ? Infinity : held.since;
}
