/** Runs the promotion plan to its verified end, with as few looks as the plan can do with. */

import type { Connection } from "./client.ts";
import { DatabaseError } from "./client_error.ts";
import { dialectOfFacts, type ServerFacts } from "./facts.ts";
import { contains, format, fromInterval, parse, subtract, union } from "./gtid.ts";
import type { Plan } from "./plan.ts";
import { endHalfApplied, endHalvesUntil } from "./half_applied.ts";
import { endServerLocks, endWaitsForClients } from "./held_up.ts";
import { messageOf } from "./message_of.ts";
import { afterRun, promote, type PromoteGoal } from "./plan_promote.ts";
import type { ReplicaAccounts } from "./replica_accounts.ts";
import { accountRows, accountsQuery, usableRow } from "./replication_account.ts";
import { fenceSql } from "./plan_fence.ts";
import type { Sessions } from "./sessions.ts";
import type { StatementRunner } from "./statement_runner.ts";
import { helpUntil } from "./time_left.ts";

export interface PromotionParts {
  readonly runner: StatementRunner;
  readonly work: Connection;
  /** Connections for what must run beside a statement. */
  readonly spare: Pick<Sessions, "fresh" | "release" | "ids">;
  readonly goal: PromoteGoal;
  readonly accounts: Pick<ReplicaAccounts, "isGiven" | "gave">;
  /** GTID set that the voters were told; nothing is opened before it is executed here. */
  readonly held: string;
  readonly look: () => Promise<ServerFacts>;
  readonly progress: (sentence: string) => void;
  readonly statementMs: number;
}

/** More rounds than this that only repeat themselves mean that the server does not do what it says. */
const roundsMax = 12;
/** A statement that takes so long may wait for a client's lock; quick ones are given up after more. */
const heldUpMs = 1_000;

/**
 * Promotes.
 *
 * @throws {Error} with the plan's reason, or the failed statement's. Asked again, it goes on from there.
 */
export async function runPromotion(parts: PromotionParts): Promise<void> {
  const { runner, progress } = parts;
  runner.prepareMarker();
  const [first, present] = await Promise.all([parts.look(), withPresentAccounts(parts)]);
  let facts = first;
  let goal = await withPending(parts, { facts, goal: withGivenPasswords(parts, facts, present) });
  let drained = false;
  for (let rounds = 0; rounds < roundsMax;) {
    const plan = promote(facts, goal);
    if (plan.kind === "refuse") throw new Error(`Cannot promote: ${plan.because}`);
    if (plan.kind === "done") return requireHeld(parts, facts);
    if (!isDraining(plan, facts)) {
      requireHeld(parts, facts);
      if (!drained) await clearServerLocks(parts, facts);
      drained = true;
    }
    if (!isWaiting(plan)) rounds++;
    for (const { what, connection } of plan.statements) {
      // The runner tells how the marker fares.
      if (connection !== "marker") progress(what);
    }
    if (stopsApplier(plan, facts)) await stopApplier(parts, { plan, facts });
    else if (isWaiting(plan)) await runner.run(plan.statements);
    else await runHeldUp(parts, { plan, facts });
    goal = afterRun(goal, plan.statements);
    if (changedAccounts(plan)) {
      goal = accountsMade(parts, facts, goal);
      // The passwords may have taken the connection that was opened for the marker.
      runner.prepareMarker();
    }
    const before = facts;
    facts = wroteMarker(plan) ? marked(facts, goal) : await parts.look();
    if (isWaiting(plan) && facts.executed === before.executed) await endHoldUp(parts, facts);
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

/** Runs statements, and ends the clients whose locks they wait for. */
async function runHeldUp(
  parts: PromotionParts,
  { plan, facts }: { readonly plan: Plan & { readonly kind: "run" }; readonly facts: ServerFacts },
): Promise<void> {
  const ran = parts.runner.run(plan.statements);
  await helpUntil(ran, () => endHoldUp(parts, facts), heldUpMs);
  await ran;
}

/** Behind a standstill. It is no reason to give up that this cannot be asked: the wait just goes on. */
async function endHoldUp(parts: PromotionParts, { version }: ServerFacts): Promise<void> {
  const { runner, spare, statementMs: deadlineMs, progress: say } = parts;
  try {
    const connection = await spare.fresh();
    const wish = { connection, sessions: spare, version, deadlineMs, say };
    const what = "end clients that hold the promotion up";
    await runner.guarded(connection, { what, run: () => endWaitsForClients(wish) })
      .finally(() => spare.release(connection));
  } catch (error) {
    say(`Cannot look who holds the promotion up: ${messageOf(error)}`);
  }
}

/** Under them the applier is not stopped, or a leader is opened whose writes wait. */
async function clearServerLocks(parts: PromotionParts, { version }: ServerFacts): Promise<void> {
  const { runner, work, spare, statementMs: deadlineMs, progress: say } = parts;
  const wish = { connection: work, sessions: spare, version, deadlineMs, say };
  const what = "end clients that lock the server";
  try {
    await runner.guarded(work, { what, run: () => endServerLocks(wish) });
  } catch (error) {
    // An older server may not know the question, or not let this account ask it.
    if (!(error instanceof DatabaseError) || error.kind !== "sql") throw error;
    say(`Cannot look who locks the server: ${messageOf(error)}`);
  }
}

async function withPresentAccounts(parts: PromotionParts): Promise<PromoteGoal> {
  const { goal, work, statementMs } = parts;
  const users = goal.replicationAccounts.map(({ user }) => user);
  if (users.length === 0) return goal;
  const rows = accountRows(await work.query(accountsQuery(users), { deadlineMs: statementMs }));
  const replicationAccounts = goal.replicationAccounts.map((account) => {
    const row = usableRow(rows, account.user);
    return { ...account, present: row !== undefined, hasPassword: row?.hasPassword ?? false };
  });
  return { ...goal, replicationAccounts };
}

function withGivenPasswords(
  { accounts }: PromotionParts,
  { serverUuid }: ServerFacts,
  goal: PromoteGoal,
): PromoteGoal {
  const replicationAccounts = goal.replicationAccounts.map((account) => {
    return { ...account, given: accounts.isGiven(serverUuid, account.user) };
  });
  return { ...goal, replicationAccounts };
}

/** Asks for prepared XA transactions where a fence may have left clients kept out because of them. */
async function withPending(
  { runner, work, statementMs }: PromotionParts,
  { facts, goal }: { readonly facts: ServerFacts; readonly goal: PromoteGoal },
): Promise<PromoteGoal> {
  if (!facts.offlineMode) return goal;
  const run = () => work.query(fenceSql.xaRecover, { deadlineMs: statementMs });
  const rows = await runner.guarded(work, { what: "look for prepared XA transactions", run });
  return { ...goal, xaPending: rows.length };
}

function changedAccounts({ statements }: Plan & { readonly kind: "run" }): boolean {
  return statements.some(({ sql }) => sql.startsWith("ALTER USER"));
}

/** A batch that changes accounts makes all that are missing and gives the others their password, or fails. */
function accountsMade(
  { accounts }: PromotionParts,
  { serverUuid }: ServerFacts,
  goal: PromoteGoal,
): PromoteGoal {
  accounts.gave(serverUuid, goal.replicationAccounts.map(({ user }) => user));
  const replicationAccounts = goal.replicationAccounts.map((account) => {
    return { ...account, present: true, given: true };
  });
  return { ...goal, replicationAccounts };
}

function wroteMarker(plan: Plan): boolean {
  return plan.kind === "run" && plan.statements.some(({ deadline }) => deadline === "acknowledged");
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
