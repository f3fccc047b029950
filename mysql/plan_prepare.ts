/** What a server needs before it can be a voter, and that needs nobody's leave: once for each of its runs. */

import { dialectOfFacts, type ServerFacts } from "./facts.ts";
import { type Plan, refuse, run, type Statement, statement } from "./plan.ts";
import { quoteString } from "./text.ts";

/**
 * A receiver whose source fell silent connects anew after so long; MySQL's own 60 would leave a leader
 * without acknowledgements for a minute.
 */
const netTimeoutSeconds = 4;

/** The library is loaded already. */
const installedAlready = [1125, 1968];

/**
 * Closed and quiet after the next restart too, and both halves of semi-sync there before they are needed.
 * Nothing of this writes a transaction.
 */
export function preparePlan(facts: ServerFacts): Plan {
  if (!facts.superReadOnly || !facts.readOnly) {
    return refuse("super_read_only is OFF and must be ON before it is prepared: fence it first");
  }
  const dialect = dialectOfFacts(facts);
  const persist = dialect.persistClosed.map((sql) => statement(sql, "make the next start closed"));
  const { replicaNetTimeout } = dialect.variables;
  const timeout = `SET GLOBAL ${replicaNetTimeout} = ${netTimeoutSeconds}`;
  const quiet = statement(timeout, "notice a silent source soon");
  const plugins: Statement[] = [];
  for (
    const [half, { installed }] of [
      [dialect.semiSyncSource, facts.semiSyncSource],
      [dialect.semiSyncReplica, facts.semiSyncReplica],
    ] as const
  ) {
    if (installed) continue;
    const sql = `INSTALL PLUGIN ${half.plugin} SONAME ${quoteString(half.library)}`;
    plugins.push(statement(sql, `install the plugin ${half.plugin}`, {
      deadline: "thread",
      allowedErrors: installedAlready,
    }));
  }
  if (plugins.length === 0) return run(...persist, quiet);
  // The server refuses plugins under super_read_only; read_only stays and keeps ordinary clients out.
  return run(
    ...persist,
    quiet,
    statement("SET GLOBAL super_read_only = OFF", "admit the agent, clients stay read-only"),
    ...plugins,
    statement("SET GLOBAL super_read_only = ON", "close the server again"),
  );
}
