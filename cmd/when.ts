/** Points in time as an operator types them. Nothing here reads a clock. */

export type When =
  | { readonly kind: "at"; readonly ms: number }
  /** A time of day in the operator's own zone. */
  | { readonly kind: "today"; readonly hours: number; readonly minutes: number; readonly s: number }
  | { readonly kind: "ago"; readonly ms: number };

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** What a text may look like, for messages. */
export const whenWanted =
  'a time such as "2026/07/31 15:58:33", "2026-07-31T15:58:33Z", "15:58" or "10m" ago';

/** Reads one; null where it is none of the known forms. */
export function parseWhen(word: string): When | null {
  const ago = /^(\d{1,6})([smhd])$/.exec(word);
  if (ago !== null) {
    return { kind: "ago", ms: Number(ago[1]) * (unitMs[ago[2] ?? ""] ?? 0) };
  }
  const day = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(word);
  if (day !== null) {
    const [hours, minutes, s] = [day[1], day[2], day[3] ?? "0"].map(Number) as [
      number,
      number,
      number,
    ];
    return { kind: "today", hours, minutes, s };
  }
  return parseDate(word);
}

/** Milliseconds since 1970, given the present time. */
export function resolveWhen(when: When, nowMs: number): number {
  switch (when.kind) {
    case "at":
      return when.ms;
    case "ago":
      return nowMs - when.ms;
    case "today":
      return new Date(nowMs).setHours(when.hours, when.minutes, when.s, 0);
  }
}

/** The original's form and ISO 8601; without a zone it is the operator's own. */
function parseDate(word: string): When | null {
  const parts =
    /^(\d{4})[/-](\d\d)[/-](\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d(?:\.\d{1,6})?))?)?(Z|[+-]\d\d:?\d\d)?$/
      .exec(word);
  if (parts === null) return null;
  const [, year, month, day, hours = "00", minutes = "00", seconds = "00", zone = ""] = parts;
  const ms = Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}${zone}`);
  // Date.parse takes the 31st of February for the 3rd of March.
  const real = Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number.isNaN(ms) || !real ? null : { kind: "at", ms };
}
