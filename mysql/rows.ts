/** Columns of rows that a driver gave: nothing is believed, every wrong shape is a SyntaxError. */

/** One row as the driver gave it. */
export type Row = Readonly<Record<string, unknown>>;

/** The rows of a result; null and undefined are no rows. */
export function rowsOf(value: unknown): readonly Row[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw new SyntaxError("Cannot read rows: the result is no list");
  for (const row of value) {
    if (typeof row !== "object" || row === null) {
      throw new SyntaxError("Cannot read rows: an entry is no row");
    }
  }
  return value;
}

/** A column as text. NULL and a missing column become the fallback, or an error when there is none. */
export function text(row: Row, name: string, fallback?: string): string {
  const value = row[name];
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if ((value === null || value === undefined) && fallback !== undefined) return fallback;
  throw new SyntaxError(`Cannot read column "${name}": expected text, found ${kindOf(value)}`);
}

/** A column as a whole number. */
export function integer(row: Row, name: string): number {
  const value = text(row, name);
  const number = Number(value);
  if (value.trim() === "" || !Number.isSafeInteger(number)) {
    throw new SyntaxError(
      `Cannot read column "${name}": expected a whole number, found "${value.slice(0, 40)}"`,
    );
  }
  return number;
}

/** A column as a whole number; NULL, empty and missing are null. */
export function integerOrNull(row: Row, name: string): number | null {
  return text(row, name, "").trim() === "" ? null : integer(row, name);
}

/** A column as a switch: 1, ON, YES and TRUE are on; 0, OFF, NO and FALSE are off. */
export function flag(row: Row, name: string): boolean {
  const value = text(row, name);
  if (flagOf(value)) return true;
  if (/^(0|off|no|false)$/i.test(value)) return false;
  throw new SyntaxError(
    `Cannot read column "${name}": expected ON or OFF, found "${value.slice(0, 40)}"`,
  );
}

/** Whether a text means on; anything else, also nothing, is off. */
export function flagOf(value: string): boolean {
  return /^(1|on|yes|true)$/i.test(value);
}

/** A column whose text must be one of a few words. */
export function words<T>(row: Row, name: string, known: Readonly<Record<string, T>>): T {
  const value = text(row, name);
  const found = known[value.toLowerCase()];
  if (found !== undefined) return found;
  throw new SyntaxError(`Cannot read column "${name}": unknown word "${value.slice(0, 40)}"`);
}

function kindOf(value: unknown): string {
  return value === null ? "NULL" : value === undefined ? "no such column" : typeof value;
}
