/** What helps a leader whose commits wait: another commit, and room for replicas that are kept out. */

import type { BinaryLogEnd } from "./binary_log_end.ts";
import { nudge } from "./empty_transaction.ts";
import { purposeUuid } from "./plan_arrange.ts";
import { connectionsOf, connectionsQuery, makeRoom } from "./plan_room.ts";
import type { Sessions } from "./sessions.ts";
import type { StatementRunner } from "./statement_runner.ts";
import { takeLook } from "./take_look.ts";

export interface NudgeParts {
  readonly sessions: Sessions;
  readonly log: BinaryLogEnd;
  /** Aborted by the next fence. */
  readonly unfenced: AbortSignal;
  readonly runner: (signal: AbortSignal) => StatementRunner;
}

/** Commits an empty transaction on a fresh connection, unless enough of them wait already. */
export async function commitNudge(
  { sessions, log, unfenced, runner: runnerFor }: NudgeParts,
  deadlineMs: number,
): Promise<void> {
  const fresh = await sessions.fresh();
  const from = { connection: fresh, log };
  const facts = await takeLook(from, deadlineMs).finally(() => sessions.release(fresh));
  const plan = nudge(facts, purposeUuid(facts.serverUuid));
  if (plan.kind === "refuse") throw new Error(`Cannot nudge: ${plan.because}`);
  const signal = AbortSignal.any([AbortSignal.timeout(deadlineMs), unfenced]);
  await using runner = runnerFor(signal);
  if (plan.kind === "run") await runner.run(plan.statements);
}

/** Raises max_connections where all are taken; gives the new number, or null where there is room. */
export async function raiseConnections(
  sessions: Sessions,
  wish: { readonly more: number; readonly deadlineMs: number },
): Promise<number | null> {
  const limits = { deadlineMs: wish.deadlineMs };
  // This connection is there already: another one might be refused as well.
  const connection = await sessions.get("look");
  const [row] = await connection.query(connectionsQuery, limits);
  const seen = connectionsOf(row ?? {});
  const plan = makeRoom(seen, wish.more);
  if (plan.kind !== "run") return null;
  for (const { sql } of plan.statements) await connection.query(sql, limits);
  return seen.connectionsMax + wish.more;
}
