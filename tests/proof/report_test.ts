/** The table: what it counts, and where it is written. */
import assert from "node:assert/strict";
import { faultNamed, menu } from "./menu.ts";
import { complaintsOf, isBroken, type Outcome } from "./outcome.ts";
import { insertReport, reportOf } from "./report.ts";

const good: Outcome = {
  fault: "power",
  awayMs: 20_000,
  outageMs: 1_200,
  acknowledged: 5_000,
  failed: 1,
  unknown: 2,
  lost: 0,
  ghosts: 0,
  twoAcknowledgingMs: 0,
  twoOpenMs: 400,
  twoHoldersMs: 0,
  leader: "another",
  terms: 1,
  timeouts: 1,
  invalid: [],
  revived: 0,
  trouble: null,
  said: [],
};
const occasion = { date: "2026-01-01", machine: "m", versions: "v", command: "make proof" };

Deno.test("reportOf() has a row for each fault that ran, with its median and its worst", () => {
  const slow: Outcome = {
    ...good,
    outageMs: 1_800,
    invalid: ["only here are 3ee7f7a8-e906-11f1-8c96-42c48c4e61f4:990"],
  };
  const report = reportOf(menu, [good, slow], occasion);
  const rows = report.split("\n").filter((line) => line.startsWith("| `"));
  assert.equal(rows.length, 1);
  assert.match(rows[0] ?? "", /2 x 20 \| 1500 \(1800\) \| 10000 \| 0 \| 0.0 \| 0.4 \| 0.0 \|/);
  assert.match(rows[0] ?? "", /1 of 2, 1 INVALID \|$/);
});

Deno.test("reportOf() shows a run that went wrong", () => {
  const lost: Outcome = { ...good, lost: 3 };
  const report = reportOf(menu, [good, lost], occasion);
  assert.match(report, /\| 3 \|.*1 of 2, 1 WRONG/);
  assert.match(report, /2 runs, of which 1 ended as promised:/);
});

Deno.test("insertReport() replaces what stands between the marks, and needs them", () => {
  const empty = reportOf(menu, [], occasion);
  const document = `before\n${empty}\nafter\n`;
  const changed = insertReport(document, reportOf(menu, [good], occasion));
  assert.ok(changed.startsWith("before\n") && changed.endsWith("\nafter\n"));
  assert.match(changed, /`power`/);
  assert.throws(() => insertReport("nothing", empty), /marks are missing/);
});

Deno.test("complaintsOf() names everything that must not be", () => {
  const { expect } = faultNamed("power");
  assert.deepEqual(complaintsOf(good, expect, good.awayMs), []);
  const bad: readonly (readonly [Partial<Outcome>, RegExp])[] = [
    [{ lost: 1 }, /1 acknowledged writes are lost/],
    [{ ghosts: 1 }, /refused writes are there/],
    [{ twoAcknowledgingMs: 1 }, /two servers acknowledged/],
    [{ twoHoldersMs: 1 }, /two hosts had the address/],
    [{ leader: "same" }, /same node leads/],
    [{ outageMs: 60_000 }, /nobody could write/],
    [{ invalid: ["something is wrong"] }, /without naming a transaction/],
    [{ trouble: "it hangs" }, /^it hangs$/],
    [{ trouble: "it hangs", lost: NaN }, /^it hangs; its leader lacks NaN acknowledged writes$/],
  ];
  for (const [change, sentence] of bad) {
    assert.match(complaintsOf({ ...good, ...change }, expect, good.awayMs).join("; "), sentence);
  }
});

Deno.test("isBroken() tells a lost write from a slow machine", () => {
  const { expect } = faultNamed("power");
  for (
    const change of [
      { lost: 1 },
      { trouble: "late", lost: NaN },
      { ghosts: 1 },
      { twoAcknowledgingMs: 1 },
      { twoHoldersMs: 1 },
    ]
  ) {
    assert.ok(isBroken({ ...good, ...change }, expect));
  }
  for (const change of [{ outageMs: 60_000 }, { leader: "same" as const }, { trouble: "late" }]) {
    assert.ok(!isBroken({ ...good, ...change }, expect));
  }
});

Deno.test("every fault of the menu has a name of its own", () => {
  assert.equal(new Set(menu.map(({ name }) => name)).size, menu.length);
  assert.throws(() => faultNamed("flood"), /known are mysqld-kill, /);
});

Deno.test("what docs/proof.md points at is there", () => {
  const root = new URL("../../", import.meta.url).pathname;
  const document = Deno.readTextFileSync(`${root}docs/proof.md`);
  const paths = [...document.matchAll(/`((?:tests|agent|mysql)\/[a-z0-9_/]+\.ts)`/g)];
  const scenarios = [...document.matchAll(/`([a-z_]+\.txt)`/g)];
  const files = [
    ...paths.map(([, path]) => path),
    ...scenarios.map(([, name]) => `tests/scenarios/${name}`),
  ];
  assert.ok(files.length > 30);
  for (const file of files) assert.ok(Deno.statSync(`${root}${file}`).isFile);
  const lists = [...document.matchAll(/live ((?:`[a-z-]+`(?:, )?)+)/g)].map(([, list]) => list);
  for (const [, name] of lists.join(" ").matchAll(/`([a-z-]+)`/g)) faultNamed(name ?? "");
  assert.equal(/begin -->[^]*end -->/.test(document), true);
});
