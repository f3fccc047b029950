/**
 * `SET GLOBAL x=y` as an operator types it, turned into settings: the text itself never reaches the server.
 *
 * Variables that the agent decides are refused, and so is what would take a promise away from an open
 * leader. Everything else is the operator's.
 */

import { type Statement, statement } from "./plan.ts";
import { isReserved, parseSetting, quoteVariable, type Setting } from "./sysvars.ts";

/** More in one statement is a mistake. */
const lengthMax = 4_096;

/** Variables that every managed server must keep, with the reason. */
const fixed: Readonly<Record<string, string>> = {
  server_id: "every server keeps its own number, and replicas know it by that",
  enforce_gtid_consistency: "the cluster needs it ON",
  transaction_read_only: "the agent could not commit any more",
  tx_read_only: "the agent could not commit any more",
};

/** An open leader that loses its last commits in a power cut would give their numbers out twice. */
const durableOnLeader = new Set(["sync_binlog", "innodb_flush_log_at_trx_commit"]);

export type SetGlobalPlan =
  | { readonly kind: "refuse"; readonly because: string }
  | { readonly kind: "run"; readonly names: readonly string[]; readonly statement: Statement };

/**
 * Reads `SET GLOBAL a=1, b='x'`, in any case, with or without a semicolon. All settings take effect or none.
 *
 * @throws {SyntaxError} naming what cannot be read.
 */
export function planSetGlobal(text: string, server: { readonly leads: boolean }): SetGlobalPlan {
  const settings = parse(text);
  for (const setting of settings) {
    const because = refusal(setting, server.leads);
    if (because !== undefined) return { kind: "refuse", because };
  }
  const names = settings.map(({ name }) => name);
  const list = settings.map(({ name, value }) => `${quoteVariable(name)} = ${value}`);
  // Every name after the first needs the word again, else it would be a variable of the session.
  const sql = `SET ${list.map((one) => `GLOBAL ${one}`).join(", ")}`;
  return { kind: "run", names, statement: statement(sql, `set ${names.join(", ")}`) };
}

function parse(text: string): readonly Setting[] {
  if (text.length > lengthMax) {
    throw new SyntaxError(
      `Cannot read the statement: it has ${text.length} characters, the most is ${lengthMax}`,
    );
  }
  const body = /^\s*SET\s+GLOBAL\s+(.*?)\s*;?\s*$/is.exec(text)?.[1];
  if (body === undefined) {
    throw new SyntaxError('Cannot read the statement: expected "SET GLOBAL name=value"');
  }
  return splitAtCommas(body).map((entry) =>
    parseSetting(entry.trim().replace(/^GLOBAL\s+/i, "").replace(/:=/, "="))
  );
}

/** Splits at commas outside quotes that a `name =` follows; a value such as `a,b` keeps its commas. */
function splitAtCommas(text: string): readonly string[] {
  const entries: string[] = [];
  for (const piece of text.match(/(?:[^,'"]|'[^']*'|"[^"]*"|['"])+/g) ?? []) {
    const last = entries.at(-1);
    if (last !== undefined && !/^\s*(?:GLOBAL\s+)?[A-Za-z][\w.]*\s*:?=/i.test(piece)) {
      entries[entries.length - 1] = `${last},${piece}`;
    } else {
      entries.push(piece);
    }
  }
  return entries;
}

function refusal({ name, value }: Setting, leads: boolean): string | undefined {
  if (isReserved(name)) return `the agent alone decides ${name}: promotion and fencing set it`;
  const reason = fixed[name];
  if (reason !== undefined) return `${name} is not to be changed: ${reason}`;
  if (leads && durableOnLeader.has(name) && value !== "1" && value !== "DEFAULT") {
    return `${name} must be 1 on the leader: set it on followers, or in mysql.slave-sysvars`;
  }
  return undefined;
}
