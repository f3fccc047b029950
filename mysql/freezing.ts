/** Stops the receiver of a closed server, and tells what is held then; decisions are those of `plan_freeze.ts`. */

import type { BinaryLogEnd } from "./binary_log_end.ts";
import type { Connection } from "./client.ts";
import { heldSet, type ServerFacts } from "./facts.ts";
import { contains, format, parse } from "./gtid.ts";
import { freeze } from "./plan_freeze.ts";
import type { StatementRunner } from "./statement_runner.ts";
import { refresh } from "./take_look.ts";
import { pause } from "./time_left.ts";

export interface FreezingParts {
  readonly runner: StatementRunner;
  readonly work: Connection;
  readonly log: BinaryLogEnd;
  /** What a refresh starts from. */
  readonly base: ServerFacts;
  readonly statementMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** What a freeze came to: a server that is open has to be fenced first. */
export type Freezing =
  | { readonly kind: "held"; readonly set: string }
  | { readonly kind: "open"; readonly because: string };

const receivedPollMs = 3;

/**
 * Receives up to a GTID set, and no longer than `endsAt`; then the receiver is stopped, and the held set is
 * read afterwards.
 *
 * @throws {Error} when the set does not come, or the receiver does not stop.
 */
export async function freezeOnce(
  { runner, work, log, base, statementMs, now }: FreezingParts,
  wish: { readonly until: string; readonly endsAt: number },
): Promise<Freezing> {
  let facts = base;
  const run = () => refresh({ connection: work, log }, facts, statementMs);
  const look = () => runner.guarded(work, { what: "freeze", run });
  facts = await look();
  const refused = freeze({ ...facts, replication: null });
  if (refused.kind === "refuse") return { kind: "open", because: refused.because };
  const until = parse(wish.until);
  while (!contains(heldSet(facts), until)) {
    const receiver = facts.replication?.receiver ?? "stopped";
    if (receiver === "stopped" || now() >= wish.endsAt) {
      const why = receiver === "stopped" ? "the receiver is stopped" : "it took too long";
      throw new Error(`Cannot receive up to "${wish.until.slice(0, 200)}": ${why}`);
    }
    await pause(receivedPollMs);
    facts = await look();
  }
  const plan = freeze(facts);
  if (plan.kind === "run") {
    await runner.run(plan.statements);
    facts = await look();
  }
  if (freeze(facts).kind !== "done") throw new Error("Cannot freeze: the receiver still runs");
  return { kind: "held", set: format(heldSet(facts)) };
}
