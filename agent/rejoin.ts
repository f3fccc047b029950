/**
 * `[raft] rejoin = "rebuild"`: a node that stays INVALID, because it holds transactions that the leader
 * has not, rebuilds itself. What stands against it is decided by the checks of the rebuild; here is
 * only when one is tried. Pure but for the timer that is handed in.
 */
import type { Clock, Log } from "./ports.ts";

export interface RejoinMemory {
  /** Since when the node has been seen INVALID without a gap; null while it is not. */
  readonly invalidSince: number | null;
  /** Rebuilds in a row that did not help. */
  readonly failures: number;
  readonly triedAt: number | null;
}

export const noRejoin: RejoinMemory = { invalidSince: null, failures: 0, triedAt: null };

export interface RejoinSeen {
  readonly at: number;
  readonly role: string;
  /** Empty while nobody is known to lead. */
  readonly leader: string;
  readonly jobRuns: boolean;
}

/** An election settles within this time; what is INVALID after it stays so. */
const settledMs = 5_000;
const firstWaitMs = 60_000;
const waitMsMax = 1_800_000;

/** What is remembered from now on, and whether to begin a rebuild. */
export function rejoinDue(
  memory: RejoinMemory,
  seen: RejoinSeen,
): { readonly memory: RejoinMemory; readonly begin: boolean } {
  const { at, role, leader, jobRuns } = seen;
  if (jobRuns) return { memory: { ...memory, invalidSince: null }, begin: false };
  // A node that follows again has been helped, or helped itself.
  if (role !== "INVALID") {
    const well = role === "FOLLOWER" || role === "LEADER";
    return { memory: well ? noRejoin : { ...memory, invalidSince: null }, begin: false };
  }
  const since = memory.invalidSince ?? at;
  const next = { ...memory, invalidSince: since };
  const waited = memory.triedAt === null || at - memory.triedAt >= backOffMs(memory.failures);
  if (leader === "" || at - since < settledMs || !waited) return { memory: next, begin: false };
  return { memory: { ...next, failures: memory.failures + 1, triedAt: at }, begin: true };
}

/** Twice as long after each rebuild that did not help: its reason needs a person. */
function backOffMs(failures: number): number {
  return Math.min(waitMsMax, firstWaitMs * 2 ** Math.min(failures - 1, 10));
}

export interface RejoinOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly look: () => Omit<RejoinSeen, "at">;
  /** Begins a rebuild; rejects when that cannot be. */
  readonly begin: () => Promise<unknown>;
}

const lookEveryMs = 1_000;

/** Watches the node until the result is called. */
export function watchRejoin({ clock, log, look, begin }: RejoinOptions): () => void {
  let memory = noRejoin;
  let cancel = clock.after(lookEveryMs, round);
  function round(): void {
    cancel = clock.after(lookEveryMs, round);
    const due = rejoinDue(memory, { at: clock.now(), ...look() });
    memory = due.memory;
    if (!due.begin) return;
    log.write("warning", 'Rebuilding this node, as it is INVALID and raft.rejoin is "rebuild"', {});
    begin().catch((error) => log.write("error", `Cannot rejoin: ${String(error)}`, {}));
  }
  return () => cancel();
}
