import assert from "node:assert/strict";
import { parseWhen, resolveWhen } from "./when.ts";

const nowMs = Date.UTC(2026, 6, 31, 12);

function resolved(word: string): number | null {
  const when = parseWhen(word);
  return when === null ? null : resolveWhen(when, nowMs);
}

Deno.test("parseWhen() reads the original's form as a time of the operator's own zone", () => {
  assert.equal(resolved("2026/07/31 15:58:33"), new Date(2026, 6, 31, 15, 58, 33).getTime());
  assert.equal(resolved("2026-07-31 15:58"), new Date(2026, 6, 31, 15, 58).getTime());
  assert.equal(resolved("2026-07-31"), new Date(2026, 6, 31).getTime());
});

Deno.test("parseWhen() reads ISO 8601 with a zone, as the log lines have it", () => {
  assert.equal(resolved("2026-07-31T15:58:33.250Z"), Date.UTC(2026, 6, 31, 15, 58, 33, 250));
  assert.equal(resolved("2026-07-31T15:58:33+02:00"), Date.UTC(2026, 6, 31, 13, 58, 33));
});

Deno.test("parseWhen() reads times of today and spans that ended now", () => {
  const today = new Date(nowMs);
  assert.equal(resolved("15:58"), new Date(today).setHours(15, 58, 0, 0));
  assert.equal(resolved("15:58:33"), new Date(today).setHours(15, 58, 33, 0));
  assert.equal(resolved("10m"), nowMs - 600_000);
  assert.equal(resolved("2d"), nowMs - 172_800_000);
});

Deno.test("parseWhen() refuses what is no time", () => {
  for (const word of ["", "now", "yesterday", "25:00", "2026/02/31", "2026/13/01", "10", "-5m"]) {
    assert.equal(parseWhen(word), null, word);
  }
});
