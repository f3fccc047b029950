import assert from "node:assert/strict";
import { missingPrivileges, privilegesLacking, seesSessions } from "./privileges.ts";
import type { Version } from "./version.ts";

const version: Version = { major: 9, minor: 7, patch: 4, text: "9.7.4" };
const older: Version = { major: 5, minor: 7, patch: 44, text: "5.7.44" };
const to = "ON *.* TO `xen`@`localhost`";
const dynamic = `GRANT CONNECTION_ADMIN,SYSTEM_VARIABLES_ADMIN,XA_RECOVER_ADMIN ${to}`;

const cases: readonly (readonly [string, Version, readonly string[], readonly string[]])[] = [
  ["ALL of an older server", older, [`GRANT ALL PRIVILEGES ${to} WITH GRANT OPTION`], []],
  ["a list", version, [`GRANT SELECT, PROCESS, SUPER ${to} WITH GRANT OPTION`, dynamic], []],
  ["a list without PROCESS", version, [`GRANT SELECT ${to}`, dynamic], ["PROCESS"]],
  ["SUPER instead of its parts", version, [`GRANT PROCESS, SUPER ${to}`], ["XA_RECOVER_ADMIN"]],
  ["SUPER before 8.0", older, [`GRANT PROCESS, SUPER ${to}`], []],
  ["no SUPER before 8.0", older, [`GRANT PROCESS ${to}`], ["SUPER"]],
  ["a privilege on one schema only", version, [
    `GRANT PROCESS ${to}`,
    "GRANT ALL PRIVILEGES ON `d`.* TO `xen`@`localhost`",
    "GRANT `r`@`%` TO `xen`@`localhost`",
    dynamic,
  ], []],
  ["nothing", version, [`GRANT USAGE ${to}`], [
    "PROCESS",
    "CONNECTION_ADMIN",
    "SYSTEM_VARIABLES_ADMIN",
    "XA_RECOVER_ADMIN",
  ]],
  ["rows that cannot be read", version, ["what is this?"], []],
  ["no rows", version, [], []],
];

for (const [name, of, grants, missing] of cases) {
  Deno.test(`missingPrivileges(): ${name}`, () => {
    assert.deepEqual(missingPrivileges(grants, of).missing, missing);
    assert.equal(seesSessions(grants), !missing.includes("PROCESS"));
  });
}

Deno.test("privilegesLacking() names the GRANT", () => {
  assert.match(
    privilegesLacking(missingPrivileges([`GRANT SELECT ${to}`, dynamic], version)) ?? "",
    /lacks PROCESS, .*: GRANT PROCESS ON \*\.\* TO `xen`@`localhost`, and restart the agent$/,
  );
  assert.equal(privilegesLacking(missingPrivileges([], version)), null);
});
