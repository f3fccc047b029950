import assert from "node:assert/strict";
import { atLeast, parseVersion, type Version } from "./version.ts";

const read: readonly (readonly [string, string])[] = [
  ["9.7.4-2", "9.7.4"],
  ["9.7.4-Debian-2", "9.7.4"],
  ["8.0.36-28", "8.0.36"],
  ["8.4.0", "8.4.0"],
  ["5.7.44-log", "5.7.44"],
  ["/usr/sbin/mysqld  Ver 8.0.36-28 for Linux on x86_64 (Percona Server (GPL))", "8.0.36"],
];

for (const [text, wanted] of read) {
  Deno.test(`parseVersion() reads "${text}"`, () => {
    const result = parseVersion(text);
    assert.ok(result.ok);
    const { major, minor, patch } = result.version;
    assert.equal(`${major}.${minor}.${patch}`, wanted);
  });
}

const refused: readonly (readonly [string, RegExp])[] = [
  ["10.11.19-MariaDB-0+deb12u1", /is MariaDB/],
  ["5.5.5-10.11.6-MariaDB", /is MariaDB/],
  ["5.6.51", /too old: 5\.7\.9 or newer/],
  ["5.7.8-rc", /too old/],
  ["nonsense", /no MySQL version/],
  ["", /no MySQL version/],
];

for (const [text, wanted] of refused) {
  Deno.test(`parseVersion() refuses "${text}" with a reason`, () => {
    const result = parseVersion(text);
    assert.ok(!result.ok);
    assert.match(result.because, wanted);
  });
}

Deno.test("atLeast() compares numbers, not text", () => {
  const version: Version = { major: 8, minor: 0, patch: 26, text: "8.0.26" };
  assert.ok(atLeast(version, 8, 0, 4));
  assert.ok(atLeast(version, 8, 0, 26));
  assert.ok(atLeast(version, 5, 7, 44));
  assert.ok(!atLeast(version, 8, 0, 27));
  assert.ok(!atLeast(version, 8, 2, 0));
  assert.ok(!atLeast(version, 9, 0, 0));
});
