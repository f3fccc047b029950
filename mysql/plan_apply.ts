/** What several plans begin with: the receiver stands still, and what it received is applied. */

import { applierGaveUp, dialectOfFacts, type ReplicationFacts, type ServerFacts } from "./facts.ts";
import { count, format, isEmpty, parse, subtract } from "./gtid.ts";
import { type Plan, refuse, run, statement, waitSliceSeconds } from "./plan.ts";
import { waitForExecuted } from "./dialect.ts";

/** Asking a server without a source to stop its receiver is no mistake. */
const notConfigured = [1200, 3084];

/**
 * Stops the receiver, or nothing when it stands still. The caller gets fresh facts before anything else
 * happens, as the receiver may have written more until it stopped.
 */
export function stopReceiver(facts: ServerFacts): Plan | undefined {
  if (facts.replication === null || facts.replication.receiver === "stopped") return undefined;
  return run(statement(dialectOfFacts(facts).stopReceiver, "stop the receiver", {
    deadline: "thread",
    allowedErrors: notConfigured,
  }));
}

/** Lets the applier go on until everything received is executed, in short waits with visible progress. */
export function applyReceived(facts: ServerFacts): Plan | undefined {
  const missing = subtract(parse(facts.received), parse(facts.executed));
  if (isEmpty(missing) || facts.replication === null) return undefined;
  const replication: ReplicationFacts = facts.replication;
  if (applierGaveUp(replication)) return refuse(applierFailed(replication));
  const what = `wait until ${count(missing)} received transactions are applied`;
  const wait = statement(waitForExecuted(format(missing), waitSliceSeconds), what, {
    deadline: "wait",
  });
  if (replication.applier === "running") return run(wait);
  return run(startApplier(facts), wait);
}

/** Starts the applier alone. */
export function startApplier(facts: ServerFacts) {
  return statement(dialectOfFacts(facts).startApplier, "start the applier", { deadline: "thread" });
}

/** The sentence about an applier that gave up. The server's own text may quote rows, so it is cut short. */
export function applierFailed(replication: ReplicationFacts): string {
  const text = replication.applierError.replaceAll(/\s+/g, " ").slice(0, 160);
  return `the applier stopped with error ${replication.applierErrorNumber}: "${text}"`;
}
