/** Runs the promotion plan to its verified end, with as few looks as the plan can do with. */

import type { Connection } from "./client.ts";
import { dialectOfFacts, type ServerFacts } from "./facts.ts";
import { contains, format, fromInterval, parse, subtract, union } from "./gtid.ts";
import type { Plan, Statement } from "./plan.ts";
import { endHalfApplied, endHalvesUntil } from "./half_applied.ts";
import { afterRun, promote, type PromoteGoal } from "./plan_promote.ts";
import { accountRows, accountsQuery, isUsable } from "./replication_account.ts";
import type { Sessions } from "./sessions.ts";
import type { StatementRunner } from "./statement_runner.ts";

export interface PromotionParts {
  readonly runner: StatementRunner;
  readonly work: Connection;
  /** Connections for what must run beside a statement. */
  readonly spare: Pick<Sessions, "fresh" | "release">;
  readonly goal: PromoteGoal;
  /** GTID set that the voters were told; nothing is opened before it is executed here. */
  readonly held: string;
  readonly look: () => Promise<ServerFacts>;
  readonly progress: (sentence: string) => void;
  readonly statementMs: number;
}

/** More rounds than this that only repeat themselves mean that the server does not do what it says. */
const roundsMax = 12;

/**
 * Promotes.
 *
 * @throws {Error} with the plan's reason, or the failed statement's. Asked again, it goes on from there.
 */
export async function runPromotion(parts: PromotionParts): Promise<void> {
  const { runner, progress } = parts;
  runner.prepareMarker();
  let [facts, goal] = await Promise.all([parts.look(), withPresentAccounts(parts)]);
  for (let rounds = 0; rounds < roundsMax;) {
    const plan = promote(facts, goal);
    if (plan.kind === "refuse") throw new Error(`Cannot promote: ${plan.because}`);
    if (plan.kind === "done") return requireHeld(parts, facts);
    if (!isDraining(plan, facts)) requireHeld(parts, facts);
    if (!isWaiting(plan)) rounds++;
    for (const { what, connection } of plan.statements) {
      // The runner tells how the marker fares.
      if (connection !== "marker") progress(what);
    }
    if (stopsApplier(plan, facts)) await stopApplier(parts, { plan, facts });
    else await runner.run(plan.statements);
    goal = accountsMade(afterRun(goal, plan.statements), plan.statements);
    facts = wroteMarker(plan) ? marked(facts, goal) : await parts.look();
  }
  throw new Error(`Cannot promote: the server is not open after ${roundsMax} rounds`);
}

function stopsApplier(plan: Plan & { readonly kind: "run" }, facts: ServerFacts): boolean {
  const { stopReplica } = dialectOfFacts(facts);
  return plan.statements.some(({ sql }) => sql === stopReplica);
}

/** All that was received whole is applied by now: an applier that is still at work waits in vain. */
async function stopApplier(
  { runner, work, spare, statementMs }: PromotionParts,
  { plan, facts }: { readonly plan: Plan & { readonly kind: "run" }; readonly facts: ServerFacts },
): Promise<void> {
  const how = { version: facts.version, deadlineMs: statementMs };
  const what = "end appliers that wait for the rest of a transaction";
  await runner.guarded(work, { what, run: () => endHalfApplied(work, how) });
  const stopped = runner.run(plan.statements);
  await endHalvesUntil(stopped, async () => {
    const connection = await spare.fresh();
    await endHalfApplied(connection, how).finally(() => spare.release(connection));
  });
  await stopped;
}

async function withPresentAccounts(parts: PromotionParts): Promise<PromoteGoal> {
  const { goal, work, statementMs } = parts;
  const users = goal.replicationAccounts.map(({ user }) => user);
  if (users.length === 0) return goal;
  const rows = accountRows(await work.query(accountsQuery(users), { deadlineMs: statementMs }));
  const replicationAccounts = goal.replicationAccounts.map((account) => {
    return { ...account, present: isUsable(rows, account.user) };
  });
  return { ...goal, replicationAccounts };
}

/** A batch that makes accounts makes all that are missing, or fails. */
function accountsMade(goal: PromoteGoal, ran: readonly Statement[]): PromoteGoal {
  if (!ran.some(({ sql }) => sql.startsWith("CREATE USER"))) return goal;
  const replicationAccounts = goal.replicationAccounts.map((account) => {
    return { ...account, present: true };
  });
  return { ...goal, replicationAccounts };
}

function wroteMarker(plan: Plan): boolean {
  return plan.kind === "run" && plan.statements.some(({ connection }) => connection === "marker");
}

/** The first steps: the receiver stops, and what it received is applied. */
function isDraining(plan: Plan & { readonly kind: "run" }, facts: ServerFacts): boolean {
  const { stopReceiver } = dialectOfFacts(facts);
  return isWaiting(plan) || plan.statements.every(({ sql }) => sql === stopReceiver);
}

function isWaiting(plan: Plan & { readonly kind: "run" }): boolean {
  return plan.statements.some(({ deadline }) => deadline === "wait");
}

/** The voters granted what they were told: less than that would lose what they hold. */
function requireHeld(parts: PromotionParts, facts: ServerFacts): void {
  const executed = parse(facts.executed);
  const missing = subtract(parse(parts.held), executed);
  if (contains(executed, parse(parts.held))) return;
  throw new Error(
    `Cannot promote as the server has not executed what the voters were told: it lacks ` +
      `"${format(missing).slice(0, 200)}"`,
  );
}

/** The commit returned, so it is acknowledged and executed: the server need not be asked for that. */
function marked(facts: ServerFacts, goal: PromoteGoal): ServerFacts {
  const marker = fromInterval(goal.clusterUuid, { first: goal.term, last: goal.term });
  const executed = format(union(parse(facts.executed), marker));
  return { ...facts, superReadOnly: false, executed };
}
