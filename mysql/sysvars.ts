/**
 * The operator's setting strings, `sync_binlog=default; innodb_flush_log_at_trx_commit=1`, as statements.
 *
 * Nothing of the text reaches SQL unread: names are checked, values are a number, a word or a quoted
 * string. Settings that promotion and fencing decide themselves are dropped, each with its reason.
 */

import { type Statement, statement } from "./plan.ts";
import { quoteIdentifier, quoteString } from "./text.ts";

/** A list of settings, ready to run. */
export interface Sysvars {
  readonly statements: readonly Statement[];
  /** One sentence for each entry that was left out. */
  readonly dropped: readonly string[];
}

/** More than anybody needs; a longer text is a mistake. */
const lengthMax = 16_384;

const namePattern = /^[A-Za-z][A-Za-z0-9_]{0,63}(?:\.[A-Za-z][A-Za-z0-9_]{0,63})?$/;
const numberPattern = /^[+-]?\d{1,20}(?:\.\d{1,20})?$/;
const wordPattern = /^[A-Za-z_][A-Za-z0-9_,.-]{0,255}$/;
const quotedPattern = /^'((?:[^'\\]|'')*)'$|^"((?:[^"\\]|"")*)"$/;
const reservedPattern = /^(?:read_only|super_read_only|offline_mode|rpl_semi_sync_.*|gtid_.*)$/;

/**
 * Reads `name=value;name=value`. Empty entries are skipped; the text is split at `;` outside quotes.
 *
 * @throws {SyntaxError} naming the entry that cannot be read.
 */
export function parseSysvars(text: string): Sysvars {
  if (text.length > lengthMax) {
    throw new SyntaxError(
      `Cannot read settings: the text has ${text.length} characters, the most is ${lengthMax}`,
    );
  }
  const statements: Statement[] = [];
  const dropped: string[] = [];
  for (const entry of splitOutsideQuotes(text)) {
    if (entry.trim() === "") continue;
    const { name, value } = parseSetting(entry.trim());
    if (isReserved(name)) {
      dropped.push(`Setting "${name}" is left out: promotion and fencing decide it`);
    } else {
      const sql = `SET GLOBAL ${quoteVariable(name)} = ${value}`;
      statements.push(statement(sql, `set ${name}`, { mayFail: true }));
    }
  }
  return { statements, dropped };
}

/** Does promotion or fencing decide this variable, so that nobody else may set it? */
export function isReserved(name: string): boolean {
  return reservedPattern.test(name.split(".").at(-1) ?? "");
}

/** A variable's name for SQL; one of a component has a dot in it. */
export function quoteVariable(name: string): string {
  return name.split(".").map(quoteIdentifier).join(".");
}

function splitOutsideQuotes(text: string): readonly string[] {
  return text.match(/(?:[^;'"]|'[^']*'|"[^"]*"|['"])+/g) ?? [];
}

/** One setting, its name in small letters and its value as SQL text. */
export interface Setting {
  readonly name: string;
  readonly value: string;
}

/**
 * Reads one `name=value`.
 *
 * @throws {SyntaxError} naming what cannot be read.
 */
export function parseSetting(entry: string): Setting {
  const at = entry.indexOf("=");
  const name = entry.slice(0, at).trim().toLowerCase();
  if (at < 0 || !namePattern.test(name)) {
    throw new SyntaxError(`Cannot read setting "${entry.slice(0, 60)}": expected name=value`);
  }
  const value = parseValue(entry.slice(at + 1).trim());
  if (value === undefined) {
    throw new SyntaxError(
      `Cannot read value of setting "${name}": expected a number, a word, a quoted text or default`,
    );
  }
  return { name, value };
}

function parseValue(value: string): string | undefined {
  if (/^default$/i.test(value)) return "DEFAULT";
  if (numberPattern.test(value)) return value;
  const quoted = quotedPattern.exec(value);
  if (quoted?.[1] !== undefined) return quoteString(quoted[1].replaceAll("''", "'"));
  if (quoted?.[2] !== undefined) return quoteString(quoted[2].replaceAll('""', '"'));
  // Quoted, a word means the same to the server, and cannot be taken for a name or a function.
  if (wordPattern.test(value)) return quoteString(value);
  return undefined;
}
