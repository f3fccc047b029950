import assert from "node:assert/strict";
import { parseVersion } from "../mysql/version.ts";
import {
  backupCommand,
  optionFile,
  readInfo,
  readPosition,
  readToolVersion,
  whyUnfinished,
  whyUnfit,
} from "./xtrabackup.ts";

const one = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const two = "8a94f357-aab4-11df-86ab-c80aa9429444";

Deno.test("backupCommand() names the option file first and no password at all", () => {
  const command = backupCommand({
    toolFolder: "/opt/bin",
    optionFile: "/run/x/options.cnf",
    server: { user: "root", host: "localhost", port: 3306, socket: null },
    workFolder: "/run/x",
    parallel: 4,
    throttle: 100,
  });
  assert.deepEqual(command, [
    "/opt/bin/xtrabackup",
    "--defaults-file=/run/x/options.cnf",
    "--host=localhost",
    "--port=3306",
    "--user=root",
    "--backup",
    "--throttle=100",
    "--parallel=4",
    "--stream=xbstream",
    "--target-dir=/run/x",
  ]);
});

Deno.test("optionFile() includes the server's file and quotes the password", () => {
  const text = optionFile("/etc/mysql/my.cnf", 'a"b\\c#d');
  assert.equal(text, '!include /etc/mysql/my.cnf\n[client]\npassword="a\\"b\\\\c#d"\n');
});

Deno.test("whyUnfinished() wants the marker in the last line", () => {
  const marker = "2026-11-25T18:43:17.1-00:00 0 [Note] [MY-011825] [Xtrabackup] completed OK!";
  assert.equal(whyUnfinished(`copying\n${marker}\n\n`), null);
  assert.equal(whyUnfinished("261125 18:43:17 completed OK!\n"), null);
  assert.match(whyUnfinished("") ?? "", /it wrote nothing/);
  assert.match(whyUnfinished(`${marker}\nsomething more`) ?? "", /something more/);
  assert.match(whyUnfinished("was not completed OK! I fear") ?? "", /last line is not/);
});

Deno.test("whyUnfinished() shows the last error rather than the last line", () => {
  const output = "[ERROR] Can't write: No space left on device\n[Note] cleaning up\n";
  assert.match(whyUnfinished(output) ?? "", /No space left/);
});

Deno.test("readPosition() joins a set that goes on in the next lines", () => {
  assert.equal(
    readPosition(`binlog.000003\t1234\t${two}:1-5,\n${one}:1-3\n`),
    `${one}:1-3,\n${two}:1-5`,
  );
  assert.equal(readPosition("binlog.000003\t1234\n"), "");
  assert.equal(readPosition("binlog.000003\t1234\t\n"), "");
});

Deno.test("readPosition() refuses what is no position", () => {
  for (const text of ["", "binlog.000003 1234", "binlog.000003\tx\t", "b\t1\tnonsense"]) {
    assert.throws(() => readPosition(text), SyntaxError, text);
  }
});

Deno.test("readInfo() finds versions and the set over several lines", () => {
  const text = [
    "uuid = 1",
    "tool_version = 8.0.35-31",
    "server_version = 8.0.36",
    `binlog_pos = filename 'b.3', position '9', GTID of the last change '${one}:1-3,`,
    `${two}:1-5'`,
    "innodb_from_lsn = 0",
  ].join("\n");
  assert.deepEqual(readInfo(text), {
    gtidSet: `${one}:1-3,\n${two}:1-5`,
    toolVersion: "8.0.35-31",
    serverVersion: "8.0.36",
  });
  assert.throws(() => readInfo("nothing here"), SyntaxError);
});

Deno.test("whyUnfit() wants the series of the server, and a tool that knows its patch", () => {
  const server = (text: string) => {
    const read = parseVersion(text);
    assert.ok(read.ok);
    return read.version;
  };
  assert.equal(whyUnfit("8.0.35-31", server("8.0.36")), null);
  assert.equal(whyUnfit("2.4.29", server("5.7.44")), null);
  assert.equal(whyUnfit("8.0.33-28", server("8.0.33")), null);
  assert.match(whyUnfit("8.0.33-28", server("8.0.36")) ?? "", /is newer: install .* 8\.0\.34/);
  assert.match(whyUnfit("8.0.35-31", server("8.4.2")) ?? "", /install Percona XtraBackup 8\.4/);
  assert.match(whyUnfit("8.0.35-31", server("5.7.44")) ?? "", /install Percona XtraBackup 2\.4/);
});

Deno.test("readToolVersion() knows the tool and no other program", () => {
  const line = "xtrabackup version 8.0.35-31 based on MySQL server 8.0.35 Linux (x86_64)";
  assert.equal(readToolVersion(line), "8.0.35-31");
  assert.equal(readToolVersion("mariadb-backup based on MariaDB server 10.11.19"), undefined);
});
