/**
 * Freezing: a voter stops its receiver, so that it can acknowledge nothing more, and only then reads its
 * position. The answer "done" means that the facts it was given are such a position.
 */

import type { ServerFacts } from "./facts.ts";
import { done, type Plan, refuse } from "./plan.ts";
import { stopReceiver } from "./plan_apply.ts";

/** What a freeze still needs. A server that is not closed may not vote: it is fenced first. */
export function freeze(facts: ServerFacts): Plan {
  if (!facts.superReadOnly || !facts.readOnly) {
    return refuse("super_read_only is OFF and must be ON before a vote: fence the server first");
  }
  if (facts.owned !== "" && facts.semiSyncSource.waitSessions > 0) {
    return refuse("commits still wait for acknowledgements: fence the server first");
  }
  return stopReceiver(facts) ?? done;
}
