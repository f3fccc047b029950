/** One round of an open leader's upkeep, the settings that its acknowledgements rest on first. */

import { DatabaseError } from "./client_error.ts";
import type { Round, Upkeep } from "./database_types.ts";
import type { ServerFacts } from "./facts.ts";
import type { Plan } from "./plan.ts";
import { arrangeLeader, confirmsAlone } from "./plan_arrange.ts";
import { settlePlan } from "./plan_promote.ts";
import type { ReplicaAccounts } from "./replica_accounts.ts";
import type { StatementRunner } from "./statement_runner.ts";

export interface SettlingParts {
  readonly runner: StatementRunner;
  /** Aborted when somebody else closes the server. */
  readonly signal: AbortSignal;
  readonly wish: Upkeep;
  readonly accounts: Pick<ReplicaAccounts, "knows" | "make">;
}

/** What a round came to. */
export interface Settling extends Round {
  /** The server confirms commits that nobody else has, and that could not be mended. */
  readonly mustClose: boolean;
}

/** Is nothing left to do, but for accounts that were not looked for? */
export function isSettled(facts: ServerFacts, wish: Upkeep): boolean {
  return arrangeLeader(facts, wish.k).kind === "done" && tidy(facts, wish).kind === "done";
}

/**
 * Does one round.
 *
 * @throws {Error} of the statement that failed; asked again, it goes on from there.
 */
export async function settle(parts: SettlingParts, facts: ServerFacts): Promise<Settling> {
  const { runner, wish, accounts } = parts;
  const arranging = arrangeLeader(facts, wish.k);
  if (arranging.kind === "refuse") return unsettled({ because: arranging.because });
  // The round ends there: whether an account waits for acknowledgements is for the next look to say.
  // Nothing may stand before it, as LOCK INSTANCE FOR BACKUP lets nobody make accounts for hours.
  if (arranging.kind === "run") return await arrange(parts, { plan: arranging, facts });
  if (!accounts.knows(wish.replicas)) await accounts.make(runner, { ...wish, facts });
  const tidying = tidy(facts, wish);
  if (tidying.kind === "refuse") return unsettled({ because: tidying.because });
  if (tidying.kind === "run") await runner.run(tidying.statements);
  return { settled: tidying.kind === "done", because: null, mustClose: false };
}

/** The settings; where they cannot be had, the server must not stay open and confirm commits alone. */
async function arrange(
  { runner, signal, wish }: SettlingParts,
  { plan, facts }: { readonly plan: Plan & { readonly kind: "run" }; readonly facts: ServerFacts },
): Promise<Settling> {
  try {
    await runner.run(plan.statements);
  } catch (error) {
    // A connection that broke says nothing about the server: the next round has another one.
    const isAnswer = error instanceof Error && error.cause instanceof DatabaseError &&
      (error.cause.kind === "sql" || error.cause.kind === "timeout");
    if (signal.aborted || !isAnswer || !confirmsAlone(facts, wish.k)) throw error;
    const mended =
      `I close my open server, as it confirms commits that nobody else has: ${error.message}`;
    return unsettled({ mended, mustClose: true });
  }
  const all = plan.statements.map(({ what }) => what).join(", ");
  return unsettled({ mended: `Somebody changed my open server, and I put it right: ${all}` });
}

function tidy(facts: ServerFacts, { clusterUuid, term }: Upkeep): Plan {
  return settlePlan(facts, { clusterUuid, term: BigInt(term) });
}

function unsettled(but: Partial<Settling>): Settling {
  return { settled: false, because: null, mustClose: false, ...but };
}
