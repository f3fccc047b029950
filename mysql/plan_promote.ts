/**
 * Promotion: from a frozen follower to an open leader, and what the leader tidies up afterwards.
 *
 * The order is what makes it safe. Everything received is applied first. Semi-sync is on and verified
 * before super_read_only goes off. The first transaction is the empty term marker: once k replicas have
 * acknowledged it, they hold everything before it too. Only then does read_only go off. The replica half
 * of semi-sync is left as it is: without a receiver it does nothing, and the next follow plan sets it.
 */

import { dialectOfFacts, type ServerFacts } from "./facts.ts";
import { contains, count, fromInterval, type GtidSet, isEmpty, parse, subtract } from "./gtid.ts";
import { emptyTransaction } from "./empty_transaction.ts";
import {
  durable,
  installSource,
  semiSync,
  semiSyncTimeoutMs,
  sourceOff,
} from "./leader_settings.ts";
import { type Plan, refuse, run, type Statement, statement, waitSliceSeconds } from "./plan.ts";
import { applyReceived, stopReceiver } from "./plan_apply.ts";
import { waitForExecuted } from "./dialect.ts";
import type { Sysvars } from "./sysvars.ts";
import { createAccounts, givePassword } from "./replication_account.ts";
import { unfit } from "./unfit.ts";
import { counted } from "./counted.ts";

/** An account with which one replica reads from this server. All have one password. */
export interface ReplicationAccount {
  readonly user: string;
  readonly password: string;
  /** Whether it is on this server and can be used. */
  readonly present: boolean;
  /** Whether this agent has given it the password on this server. */
  readonly given: boolean;
  /** False while its password is empty: such a one cannot be kept beside the new one. */
  readonly hasPassword: boolean;
}

/** What a promotion should reach. */
export interface PromoteGoal {
  /** The source of term markers. */
  readonly clusterUuid: string;
  readonly term: bigint;
  /** Acknowledgements a commit needs; 0 means that replication is asynchronous. */
  readonly k: number;
  readonly leaderSysvars: Sysvars;
  /** True once the statements of leaderSysvars ran in this promotion: their effect cannot be seen. */
  readonly leaderSysvarsApplied: boolean;
  readonly replicationAccounts: readonly ReplicationAccount[];
  /** How many prepared XA transactions there are; only asked where offline_mode is ON. */
  readonly xaPending: number;
}

/** What the next step towards an open leader of this term is. Asked again after every run. */
export function promote(facts: ServerFacts, goal: PromoteGoal): Plan {
  const marker = fromInterval(goal.clusterUuid, { first: goal.term, last: goal.term });
  const marked = contains(parse(facts.executed), marker);
  if (!facts.readOnly) {
    return marked && opened(facts, goal) ? run() : refuse(
      "the server is writable although this promotion has not opened it: fence it first",
    );
  }
  const reasons = [...unfit(facts, "stand"), ...keptOffline(facts, goal)];
  if (reasons.length > 0) return refuse(reasons.join("; "));
  return stopReceiver(facts) ?? applyReceived(facts) ?? prepare(facts, goal) ??
    verifySafe(facts, goal) ?? (marked ? open(facts) : mark(facts, goal, marker));
}

/**
 * A fence left offline_mode ON, because XA COMMIT ignores read_only: a client could commit what no marker
 * covers. Replicas cannot log in meanwhile, so only a leader that needs none gets to its opening.
 */
function keptOffline({ offlineMode }: ServerFacts, { k, xaPending }: PromoteGoal): string[] {
  if (!offlineMode || xaPending === 0 || k === 0) return [];
  return [
    `offline_mode is ON because of ${
      counted(xaPending, "prepared XA transaction")
    }, which clients ` +
    "could commit before the marker, and it keeps replicas out too: XA COMMIT or XA ROLLBACK here " +
    "what XA RECOVER lists",
  ];
}

/**
 * The goal after statements ran to their end without an error that counts: once the leader settings are
 * among them they need not run again.
 */
export function afterRun(goal: PromoteGoal, ran: readonly Statement[]): PromoteGoal {
  const last = goal.leaderSysvars.statements.at(-1);
  return last !== undefined && ran.includes(last) ? { ...goal, leaderSysvarsApplied: true } : goal;
}

/** The most lower markers that one call of `settlePlan` writes. */
const lowerMarkersMax = 32;

/**
 * What an open leader tidies up, asked at each tick until it is done: markers of lower terms that it lacks,
 * so that no old marker can ever decide an election again, and the source it followed.
 */
export function settlePlan(
  facts: ServerFacts,
  goal: Pick<PromoteGoal, "clusterUuid" | "term">,
): Plan {
  if (facts.readOnly) return refuse("the server is not open: only an open leader settles");
  const left = subtract(parse(facts.received), parse(facts.executed));
  if (!isEmpty(left)) {
    // Forgetting the source would throw them away, and no promotion leaves such a server behind.
    return refuse(`${count(left)} received transactions are not applied, so the source is kept`);
  }
  const statements = facts.replication === null ? [] : [...forgetSource(facts)];
  const busy = parse(facts.owned);
  for (const number of lowerMarkersMissing(facts, goal)) {
    const marker = fromInterval(goal.clusterUuid, { first: number, last: number });
    if (contains(busy, marker)) continue;
    const what = `write the marker of term ${number}, which this server lacks`;
    statements.push(...emptyTransaction(goal.clusterUuid, number, what));
  }
  return run(...statements);
}

/** Everything between a drained follower and a leader that is safe to open. */
function prepare(facts: ServerFacts, goal: PromoteGoal): Plan | undefined {
  const statements = [
    ...stopApplier(facts),
    ...whileSemiSyncIsOff(facts, goal),
    ...semiSync(facts, goal.k),
    ...(goal.xaPending === 0 ? admitLogins(facts) : []),
    // The operator's follower settings may have loosened the first, and his leader settings go last.
    ...(goal.leaderSysvarsApplied ? [] : [...durable(facts), ...goal.leaderSysvars.statements]),
  ];
  return statements.length === 0 ? undefined : run(...statements);
}

function stopApplier(facts: ServerFacts): readonly Statement[] {
  if (facts.replication?.applier !== "running") return [];
  // Semi-sync switched on under a running applier would make the applier wait for acknowledgements.
  return [statement(dialectOfFacts(facts).stopReplica, "stop the applier", { deadline: "thread" })];
}

/** Plugins and accounts need super_read_only off; read_only stays on and keeps ordinary clients out. */
function whileSemiSyncIsOff(facts: ServerFacts, goal: PromoteGoal): readonly Statement[] {
  const statements: Statement[] = [];
  if (goal.k > 0) statements.push(...installSource(facts, "thread"));
  // Commits that wait are never released here. Who waits now does so since after the accounts were made.
  const accounts = facts.semiSyncSource.waitSessions > 0 || facts.owned !== ""
    ? []
    : goal.replicationAccounts;
  const missing = accounts.filter(({ present }) => !present);
  const old = accounts.filter(({ present, given }) => present && !given);
  if (missing.length > 0 && facts.semiSyncSource.enabled) {
    // Left over from an interrupted run: an account must not wait for replicas that need it to connect.
    statements.push(sourceOff(facts));
  }
  statements.push(...createAccounts(missing.map(({ user }) => user), missing[0]?.password ?? ""));
  statements.push(...givePassword(old, old[0]?.password ?? "", facts.version));
  if (statements.length === 0) return [];
  return [...allowSuper(facts), ...statements];
}

function allowSuper(facts: ServerFacts): readonly Statement[] {
  if (!facts.superReadOnly) return [];
  return [statement("SET GLOBAL super_read_only = OFF", "admit the agent, clients stay read-only")];
}

/** The settings were set; here the server's own words about them decide. */
function verifySafe(facts: ServerFacts, goal: PromoteGoal): Plan | undefined {
  const reasons = [...unfit(facts, "lead"), ...semiSyncUnverified(facts, goal.k)];
  return reasons.length === 0 ? undefined : refuse(reasons.join("; "));
}

function semiSyncUnverified(facts: ServerFacts, k: number): readonly string[] {
  const seen = facts.semiSyncSource;
  if (k === 0) return seen.enabled ? ["semi-sync source is ON and must be OFF, as k is 0"] : [];
  const reasons: string[] = [];
  if (!seen.enabled || !seen.status) reasons.push("semi-sync source is OFF and must be ON");
  if (seen.waitForCount !== k) {
    reasons.push(
      `semi-sync asks for ${counted(seen.waitForCount, "acknowledgement")} and must ask for ${k}`,
    );
  }
  if (!seen.waitNoReplica || seen.timeoutMs !== semiSyncTimeoutMs) {
    reasons.push("semi-sync would give up waiting and must wait without limit");
  }
  return reasons;
}

function mark(facts: ServerFacts, goal: PromoteGoal, marker: GtidSet): Plan {
  if (contains(parse(facts.owned), marker)) return waitForMarker(goal);
  const what = `write the marker of term ${goal.term}, acknowledged by ${goal.k}`;
  return run(...allowSuper(facts), ...emptyTransaction(goal.clusterUuid, goal.term, what));
}

/** A second session that wrote the same GTID would only queue behind the first. */
function waitForMarker(goal: PromoteGoal): Plan {
  const sql = waitForExecuted(`${goal.clusterUuid}:${goal.term}`, waitSliceSeconds);
  const acknowledged = counted(goal.k, "replica acknowledges", "replicas acknowledge");
  const what = `wait until ${acknowledged} the marker of term ${goal.term}`;
  return run(statement(sql, what, { deadline: "wait" }));
}

function open(facts: ServerFacts): Plan {
  const opening = statement("SET GLOBAL read_only = OFF", "open for writes");
  return run(...allowSuper(facts), ...admitLogins(facts), opening);
}

/** Replicas that are kept out could not acknowledge the marker. Ordinary clients find read_only ON. */
function admitLogins({ offlineMode }: ServerFacts): readonly Statement[] {
  if (!offlineMode) return [];
  return [statement("SET GLOBAL offline_mode = OFF", "let replicas and clients log in")];
}

function opened(facts: ServerFacts, goal: PromoteGoal): boolean {
  return !facts.superReadOnly && semiSyncUnverified(facts, goal.k).length === 0 &&
    unfit(facts, "lead").length === 0 && facts.replication?.receiver !== "running" &&
    facts.replication?.receiver !== "connecting";
}

function lowerMarkersMissing(
  facts: ServerFacts,
  goal: Pick<PromoteGoal, "clusterUuid" | "term">,
): readonly bigint[] {
  if (goal.term <= 1n) return [];
  const all = fromInterval(goal.clusterUuid, { first: 1n, last: goal.term - 1n });
  const numbers: bigint[] = [];
  for (const intervals of subtract(all, parse(facts.executed)).sources.values()) {
    for (const { first, last } of intervals) {
      for (let number = first; number <= last; number++) {
        if (numbers.length === lowerMarkersMax) return numbers;
        numbers.push(number);
      }
    }
  }
  return numbers;
}

function forgetSource(facts: ServerFacts): readonly Statement[] {
  const dialect = dialectOfFacts(facts);
  return [
    statement(dialect.stopReplica, "stop replication", { deadline: "thread" }),
    statement(dialect.resetReplicaAll, "forget the old source", { deadline: "thread" }),
  ];
}
