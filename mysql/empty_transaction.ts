/**
 * Empty transactions with a GTID of our choice: term markers, markers of membership changes, and the
 * nudge that releases commits whose acknowledgement was lost on the way.
 */

import { count, fromInterval, lastOf, ofSource, parse, union } from "./gtid.ts";
import type { ServerFacts } from "./facts.ts";
import { done, type Plan, refuse, run, type Statement, statement } from "./plan.ts";
import { quoteString } from "./text.ts";

/**
 * The statements that commit an empty transaction with this GTID. The commit waits for its
 * acknowledgements where semi-sync is on; super_read_only must be off, read_only may be on.
 *
 * @throws {SyntaxError} when the source is no UUID (with or without tag) or the number is not from 1 up.
 */
export function emptyTransaction(
  source: string,
  number: bigint,
  what: string,
): readonly Statement[] {
  fromInterval(source, { first: number, last: number });
  const gtid = quoteString(`${source.toLowerCase()}:${number}`);
  const on = { connection: "marker" } as const;
  return [
    statement(`SET SESSION gtid_next = ${gtid}`, `choose the GTID: ${what}`, on),
    statement("BEGIN", `begin: ${what}`, on),
    statement("COMMIT", what, { ...on, deadline: "acknowledged" }),
    statement("SET SESSION gtid_next = 'AUTOMATIC'", `return to automatic GTIDs: ${what}`, on),
  ];
}

/** Each of them that waits is a session of the server that nothing but an acknowledgement ends. */
const nudgesMax = 2;

/** Do as many of these transactions wait as may? The source is that of `nudge`. */
export function enoughNudges({ owned }: Pick<ServerFacts, "owned">, source: string): boolean {
  return count(ofSource(parse(owned), source)) >= BigInt(nudgesMax);
}

/**
 * Commits one more empty transaction of `source`, a UUID kept for this purpose and never the cluster's own,
 * whose numbers are terms. A lost acknowledgement is not sent again, but the acknowledgement of a later
 * transaction covers all before it, so this releases commits that wait although replicas have them.
 * Ask only on an open leader, when k voters report to have received what waits. While two of them wait
 * there is nothing to do: where nobody acknowledges, more would only use up the server's connections.
 */
export function nudge(facts: ServerFacts, source: string): Plan {
  if (facts.superReadOnly) return refuse("the server is closed: only an open leader may be nudged");
  if (enoughNudges(facts, source)) return done;
  const taken = union(parse(facts.executed), parse(facts.owned));
  const next = lastOf(taken, source) + 1n;
  return run(...emptyTransaction(source, next, "release commits whose acknowledgement was lost"));
}
