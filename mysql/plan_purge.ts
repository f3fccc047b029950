/**
 * Which binary logs of a server nobody needs any more.
 *
 * A file may go when every member has executed everything in it. That is known from the file after it,
 * which begins with the set of all transactions before it. The files that stay are whole: the one in use
 * and the one before it always do. Where anything is unknown, nothing goes.
 */

import { contains, format, type GtidSet, isEmpty, parse, subtract } from "./gtid.ts";

/** One binary log, oldest first. */
export interface BinaryLog {
  readonly name: string;
  readonly bytes: number;
  /** GTID set of everything before this file, as the file itself says; null where it was not read. */
  readonly previous: string | null;
}

/** How far a member is. */
export interface MemberPosition {
  readonly id: string;
  /** What it has executed; received is not enough, as a restart may forget it. Null: nobody knows. */
  readonly executed: string | null;
  /** Why its position is not known. */
  readonly because: string;
}

export interface PurgeFacts {
  readonly logs: readonly BinaryLog[];
  /** Transactions that no binary log of this server has any more: keeping files brings none back. */
  readonly purged: string;
  /** Transactions that only this server has: nobody else could get them from elsewhere. */
  readonly errant: string;
  readonly members: readonly MemberPosition[];
}

export type PurgePlan =
  /** `PURGE BINARY LOGS TO` this file, which stays. */
  | {
    readonly kind: "purge";
    readonly to: string;
    readonly files: number;
    readonly bytes: number;
  }
  /** There is nothing to remove, and nothing is wrong with that. */
  | { readonly kind: "nothing" }
  /** Files could go if this were different. */
  | { readonly kind: "held"; readonly because: string };

/** The newest files that always stay: the one in use and a margin of one. */
const keptMin = 2;
const shownSetMax = 120;

/** The oldest file that somebody may still need, as the target of a purge. */
export function planPurge(facts: PurgeFacts): PurgePlan {
  const { logs, members } = facts;
  const removable = logs.slice(0, Math.max(0, logs.length - keptMin + 1));
  if (removable.length <= 1) return { kind: "nothing" };
  const unknown = members.find(({ executed }) => executed === null);
  if (unknown !== undefined) {
    return { kind: "held", because: `nobody knows what ${unknown.id} has: ${unknown.because}` };
  }
  let target = 0;
  for (let index = 1; index < removable.length; index++) {
    const needed = neededBefore(facts, index);
    if (needed === null || missing(facts, needed) !== null) break;
    target = index;
  }
  if (target === 0) return heldAt(facts);
  const bytes = logs.slice(0, target).reduce((sum, log) => sum + log.bytes, 0);
  return { kind: "purge", to: logs[target]?.name ?? "", files: target, bytes };
}

/** What the files before this one hold; null where that was not read. */
function neededBefore({ logs, purged }: PurgeFacts, index: number): GtidSet | null {
  const previous = logs[index]?.previous ?? null;
  return previous === null ? null : subtract(parse(previous), parse(purged));
}

/** Who lacks something of this set; null when nobody does. */
function missing(
  { members, errant }: PurgeFacts,
  needed: GtidSet,
): { readonly id: string; readonly lacks: GtidSet } | null {
  const own = parse(errant);
  const alone = subtract(needed, subtract(needed, own));
  if (!isEmpty(alone)) return { id: "every other node", lacks: alone };
  for (const { id, executed } of members) {
    const has = parse(executed ?? "");
    if (!contains(has, needed)) return { id, lacks: subtract(needed, has) };
  }
  return null;
}

/** Even the oldest file is needed: by whom, and for what. */
function heldAt(facts: PurgeFacts): PurgePlan {
  const needed = neededBefore(facts, 1);
  const lack = needed === null ? null : missing(facts, needed);
  if (lack === null) return { kind: "nothing" };
  const shown = format(lack.lacks).slice(0, shownSetMax);
  return { kind: "held", because: `${lack.id} has not executed ${shown}` };
}
