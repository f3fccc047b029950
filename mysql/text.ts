/**
 * Text that goes into SQL: strings and names quoted so that no value can end its quotes.
 *
 * Quotes are doubled, never escaped with a backslash, so the quoting holds with and without
 * NO_BACKSLASH_ESCAPES. Statements that cannot be prepared (CHANGE REPLICATION SOURCE, CREATE USER,
 * SET GLOBAL) need this.
 */

/**
 * Quotes a string literal: `it's` becomes `'it''s'`.
 *
 * A backslash is doubled as the default sql_mode wants it. Under NO_BACKSLASH_ESCAPES it would be read as
 * two, which changes the value but cannot end the literal: our connections keep the default there.
 *
 * @throws {RangeError} when the text holds a NUL character, which no setting of ours needs.
 */
export function quoteString(text: string): string {
  refuseNul(text);
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

/**
 * Quotes a name of a column, table, variable or plugin with backticks.
 *
 * @throws {RangeError} when the name is empty or holds a NUL character.
 */
export function quoteIdentifier(name: string): string {
  if (name === "") throw new RangeError("Cannot quote identifier: the name is empty");
  refuseNul(name);
  return `\`${name.replaceAll("`", "``")}\``;
}

/** Quotes an account as MySQL writes it: `'user'@'host'`. */
export function quoteAccount(user: string, host: string): string {
  return `${quoteString(user)}@${quoteString(host)}`;
}

/** The value itself is left out of the error: it may be a password. */
function refuseNul(text: string): void {
  if (text.includes("\0")) {
    throw new RangeError("Cannot quote text for SQL: it holds a NUL character");
  }
}

/** Does the text hold a control character, such as the end of a line? */
export function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}
