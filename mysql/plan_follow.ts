/**
 * Following: the receiver reads from the leader, and acknowledges only where it may.
 *
 * What was received but not applied is never thrown away. A change of the source would do that while the
 * applier stands still, so it happens only beside a running applier or when nothing is left to apply. A stop
 * of the receiver ends a list, so that the caller can record what was received before the source changes.
 */

import { changeSource, type SourceAddress } from "./dialect.ts";
import {
  applierGaveUp,
  applierMayResume,
  dialectOfFacts,
  relayLogTorn,
  type ReplicationFacts,
  type ServerFacts,
} from "./facts.ts";
import { isEmpty, parse, subtract } from "./gtid.ts";
import { sourceOff } from "./leader_settings.ts";
import { type Plan, refuse, run, type Statement, statement } from "./plan.ts";
import { applierFailed, applyReceived, startApplier, stopReceiver } from "./plan_apply.ts";
import { quoteString } from "./text.ts";

/** An idle source says that it is alive so often; well below the receiver's patience (plan_prepare.ts). */
const heartbeatSeconds = 1;

/** Whom to follow and how. */
export interface FollowGoal {
  readonly source: SourceAddress;
  /** Whether this node's receiver may acknowledge: true for voters only. */
  readonly acknowledge: boolean;
  /** True points the receiver anew although the address is the same, after a change of the password. */
  readonly renew?: boolean;
  /**
   * True while this node is uncertain: nobody counts on what it received, so a relay log that cannot be
   * read is thrown away, and the source sends it again.
   */
  readonly mayForget?: boolean;
  /** True when an applier that stopped for want of space, memory or a lock is to try again. */
  readonly mayResume?: boolean;
}

/** What following still needs. Asked at each tick, it keeps a healthy follower untouched. */
export function follow(facts: ServerFacts, goal: FollowGoal): Plan {
  if (!facts.superReadOnly || !facts.readOnly) {
    return refuse(
      "super_read_only is OFF and must be ON before it follows: fence the server first",
    );
  }
  if (facts.semiSyncSource.waitSessions > 0) {
    return refuse("commits still wait for acknowledgements: fence the server first");
  }
  const replication = facts.replication;
  const settings = settle(facts, goal.acknowledge);
  if (replication === null) {
    return run(...settings, pointFirst(facts, goal.source), ...startAll(facts));
  }
  if (goal.mayForget === true && relayLogTorn(replication)) return forgetReceived(facts);
  const resumes = goal.mayResume === true && applierMayResume(replication);
  if (applierGaveUp(replication) && !resumes) {
    // It is reported and never pointed elsewhere, but it may go on receiving and acknowledging.
    const receiving = replication.receiver !== "stopped" || !reads(replication, goal);
    if (receiving) return refuse(applierFailed(replication));
    return run(...settings, startReceiver(facts));
  }
  if (!reads(replication, goal)) return point(facts, replication, { goal, settings });
  if (acknowledgesWrongly(facts, goal.acknowledge)) {
    // The running receiver keeps the switch it was started with, so it is started again.
    return stopReceiver(facts) ?? run(...settings, ...startStopped(facts, replication));
  }
  return run(...settings, ...startStopped(facts, replication));
}

/** Ends the list, so that the next look decides how to go on with an empty relay log. */
function forgetReceived(facts: ServerFacts): Plan {
  const { stopReplica, resetReplica } = dialectOfFacts(facts);
  return run(
    statement(stopReplica, "stop receiver and applier", { deadline: "thread" }),
    statement(resetReplica, "throw the unreadable relay log away", { deadline: "thread" }),
  );
}

/** The settings of a follower that differ, before any receiver starts. */
function settle(facts: ServerFacts, acknowledge: boolean): readonly Statement[] {
  const dialect = dialectOfFacts(facts);
  const statements: Statement[] = [];
  const half = dialect.semiSyncReplica;
  const missing = acknowledge && !facts.semiSyncReplica.installed;
  if (missing) {
    const off = "SET GLOBAL super_read_only = OFF";
    statements.push(statement(off, "admit the agent, clients stay read-only"));
    const sql = `INSTALL PLUGIN ${half.plugin} SONAME ${quoteString(half.library)}`;
    const options = { deadline: "thread", allowedErrors: [1125, 1968] } as const;
    statements.push(statement(sql, "install the replica half of semi-sync", options));
    statements.push(statement("SET GLOBAL super_read_only = ON", "close the server again"));
  }
  if (facts.semiSyncSource.enabled) statements.push(sourceOff(facts));
  if (
    missing || (facts.semiSyncReplica.installed && facts.semiSyncReplica.enabled !== acknowledge)
  ) {
    const word = acknowledge ? "ON" : "OFF";
    const what = acknowledge ? "let the receiver acknowledge" : "let the receiver not acknowledge";
    statements.push(statement(`SET GLOBAL ${half.enabled} = ${word}`, what));
  }
  return statements;
}

/** `enabled` is what the next receiver will do, `status` what the running one does. */
function acknowledgesWrongly(facts: ServerFacts, acknowledge: boolean): boolean {
  return facts.replication?.receiver === "running" && facts.semiSyncReplica.status !== acknowledge;
}

function reads(replication: ReplicationFacts, goal: FollowGoal): boolean {
  const { host, port, user } = goal.source;
  return replication.sourceHost === host && replication.sourcePort === port &&
    replication.sourceUser === user && replication.autoPosition && goal.renew !== true;
}

/** Points an existing channel at another source, step by step. */
function point(
  facts: ServerFacts,
  replication: ReplicationFacts,
  by: { readonly goal: FollowGoal; readonly settings: readonly Statement[] },
): Plan {
  const stop = stopReceiver(facts);
  if (stop !== undefined) return stop;
  const drained = isEmpty(subtract(parse(facts.received), parse(facts.executed)));
  if (!replication.autoPosition) return pointFromFilePosition(facts, replication, by);
  if (replication.applier === "stopped" && !drained) return run(startApplier(facts));
  return run(
    ...by.settings,
    changed(facts, withoutAutoPosition(by.goal.source)),
    ...startAll(facts),
  );
}

/** Auto position cannot be switched on beside a running applier, so all is applied before. */
function pointFromFilePosition(
  facts: ServerFacts,
  replication: ReplicationFacts,
  by: { readonly goal: FollowGoal; readonly settings: readonly Statement[] },
): Plan {
  const waiting = applyReceived(facts);
  if (waiting !== undefined) return waiting;
  if (replication.applier === "running") {
    const sql = dialectOfFacts(facts).stopReplica;
    return run(statement(sql, "stop the applier", { deadline: "thread" }));
  }
  return run(...by.settings, pointFirst(facts, by.goal.source), ...startAll(facts));
}

function pointFirst(facts: ServerFacts, source: SourceAddress): Statement {
  return changed(facts, { ...source, autoPosition: true });
}

/** Beside a running applier the server refuses the word; the channel keeps the setting. */
function withoutAutoPosition(source: SourceAddress): SourceAddress {
  const { autoPosition: _, ...rest } = source;
  return rest;
}

/** Does a plan tell the receiver where and as whom to log in? */
export function points(plan: Plan): boolean {
  return plan.kind === "run" && plan.statements.some(({ sql }) => sql.startsWith("CHANGE "));
}

function changed(facts: ServerFacts, source: SourceAddress): Statement {
  const what = `point the receiver at ${source.host}:${source.port}`;
  const beating = { ...source, heartbeatPeriodSeconds: heartbeatSeconds };
  return statement(changeSource(dialectOfFacts(facts), beating), what, {
    deadline: "thread",
    secret: true,
  });
}

/** Starting a thread that runs is a note, not an error. */
function startAll(facts: ServerFacts): readonly Statement[] {
  const sql = dialectOfFacts(facts).startReplica;
  return [statement(sql, "start receiver and applier", { deadline: "thread" })];
}

function startStopped(facts: ServerFacts, replication: ReplicationFacts): readonly Statement[] {
  const statements: Statement[] = [];
  if (replication.receiver === "stopped") statements.push(startReceiver(facts));
  if (replication.applier === "stopped") statements.push(startApplier(facts));
  return statements;
}

function startReceiver(facts: ServerFacts): Statement {
  const sql = dialectOfFacts(facts).startReceiver;
  return statement(sql, "start the receiver", { deadline: "thread" });
}
