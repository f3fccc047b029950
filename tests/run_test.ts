import assert from "node:assert/strict";
import { judge, secondChances } from "./run.ts";

const cases: readonly (readonly [string, string, boolean, readonly number[], RegExp | null])[] = [
  ["all passed", "ok | 3 passed (2 steps) | 0 failed (1s)\n", true, [3, 0, 0], null],
  ["one was ignored", "ok | 3 passed | 0 failed | 1 ignored (1s)\n", true, [3, 0, 1], null],
  ["one failed", "FAILED | 2 passed | 1 failed (1s)\n", false, [2, 1, 0], null],
  ["it was killed", "running 3 tests\n", false, [0, 1, 0], /ended badly/],
  ["it failed after its tests", "ok | 3 passed | 0 failed\n", false, [3, 1, 0], /ended badly/],
  ["it says nothing", "", true, [0, 1, 0], /no test of it passed/],
  ["there was nothing to run", "ok | 0 passed | 0 failed (1s)\n", true, [0, 1, 0], /no test/],
];

for (const [what, output, success, [passed, failed, ignored], complains] of cases) {
  Deno.test(`a stage is counted: ${what}`, () => {
    const { counts, complaint } = judge(output, success);
    assert.deepEqual(counts, { passed, failed, ignored });
    if (complains === null) assert.equal(complaint, null);
    else assert.match(complaint ?? "", complains);
  });
}

const files = ["a", "b", "c", "d", "proof"].map((name) => `tests/live/${name}_test.ts`);

/** What Deno prints at the end, where tests of these files failed. */
function failures(...names: readonly string[]): string {
  const lines = names.map((name) => `it works => ./tests/live/${name}_test.ts:9:6`);
  return `running 1 test from ./tests/live/c_test.ts\n\n FAILURES \n\n${lines.join("\n")}\n`;
}

const chances: readonly (readonly [string, string, readonly string[]])[] = [
  ["the files that failed", failures("b", "b", "a"), ["a", "b"]],
  ["none where too many failed", failures("a", "b", "c", "d"), []],
  ["none where acknowledged writes are at stake", failures("a", "proof"), []],
  ["none where the output says none", "ok | 5 passed | 0 failed (1s)\n", []],
];

for (const [what, output, names] of chances) {
  Deno.test(`files with real servers run once more: ${what}`, () => {
    const paths = names.map((name) => `tests/live/${name}_test.ts`);
    assert.deepEqual(secondChances(output, files), paths);
  });
}
