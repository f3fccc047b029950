import assert from "node:assert/strict";
import type { Version } from "../mysql/version.ts";
import { parseVersion } from "../mysql/version.ts";
import { missingGrants } from "./tool_grants.ts";

const account = "copier@localhost";
const to = "TO `copier`@`localhost`";

function versionOf(text: string): Version {
  const read = parseVersion(text);
  assert.ok(read.ok);
  return read.version;
}

function missing(grants: readonly string[], version = "8.4.3") {
  return missingGrants({ grants, account, version: versionOf(version) });
}

Deno.test("missingGrants() finds nothing to say about an account that may do everything", () => {
  const all = [
    `GRANT SELECT, RELOAD, PROCESS, LOCK TABLES, REPLICATION CLIENT ON *.* ${to}`,
    `GRANT BACKUP_ADMIN,CLONE_ADMIN ON *.* ${to}`,
  ];
  assert.deepEqual(missing(all), []);
  assert.deepEqual(missing([`GRANT ALL PRIVILEGES ON *.* ${to} WITH GRANT OPTION`]), []);
});

Deno.test("missingGrants() names what is missing with the statements that give it", () => {
  const [global = "", table = "", ...rest] = missing([`GRANT PROCESS, LOCK TABLES ON *.* ${to}`]);
  assert.deepEqual(rest, []);
  assert.match(
    global,
    /"GRANT BACKUP_ADMIN, RELOAD, REPLICATION CLIENT ON \*\.\* TO 'copier'@'localhost'"$/,
  );
  assert.match(table, /"GRANT SELECT ON performance_schema\.log_status TO 'copier'@'localhost'"$/);
});

Deno.test("missingGrants() takes a grant on the table, and not one on another", () => {
  const global =
    `GRANT BACKUP_ADMIN, RELOAD, PROCESS, LOCK TABLES, REPLICATION CLIENT ON *.* ${to}`;
  assert.deepEqual(
    missing([global, `GRANT SELECT ON \`performance_schema\`.\`log_status\` ${to}`]),
    [],
  );
  assert.equal(
    missing([global, `GRANT SELECT ON \`shop\`.* ${to}`, `GRANT \`r\`@\`%\` ${to}`]).length,
    1,
  );
});

Deno.test("missingGrants() asks no old server for what it does not know", () => {
  const grants = [`GRANT RELOAD, PROCESS, LOCK TABLES, REPLICATION CLIENT ON *.* ${to}`];
  assert.deepEqual(missing(grants, "5.7.44"), []);
});
