import assert from "node:assert/strict";
import { foldersOf, readHelpVariables } from "./server_variables.ts";

const help = `mysqld  Ver 9.7.4 for Linux on x86_64
Usage: mysqld [OPTIONS]
  --datadir=name      Path to the database root directory

Variables (--variable-name=value)
and boolean options {FALSE|TRUE}                             Value (after reading options)
------------------------------------------------------------ -------------
abort-slave-event-count                                      0
basedir                                                      /usr/
datadir                                                      /srv/my sql/
innodb-data-file-path                                        ibdata1:12M;ibdata2:12M:autoextend
innodb-data-home-dir                                         (No default value)
innodb-log-group-home-dir                                    /fast/redo/
innodb-undo-directory                                        ./undo
log-bin                                                      /logs/bin.x
log-bin-index                                                (No default value)
relay-log                                                    host-relay-bin

To see what values a running MySQL server is using, type
'mysqladmin variables' instead of 'mysqld --verbose --help'.
`;

Deno.test("foldersOf() finds all folders in what the server program says of its options", () => {
  assert.deepEqual(foldersOf(readHelpVariables(help)), {
    data: "/srv/my sql",
    redo: "/fast/redo",
    undo: "/srv/my sql/undo",
    system: "/srv/my sql",
    systemFiles: ["ibdata1", "ibdata2"],
    binaryLog: { folder: "/logs", base: "bin", index: "/logs/bin.index" },
    relayLog: {
      folder: "/srv/my sql",
      base: "host-relay-bin",
      index: "/srv/my sql/host-relay-bin.index",
    },
  });
});

Deno.test("foldersOf() reads the names of a running server as well", () => {
  const folders = foldersOf(
    new Map([
      ["datadir", "/var/lib/mysql/"],
      ["log_bin", "ON"],
      ["log_bin_basename", "/var/lib/mysql/binlog"],
      ["log_bin_index", "/var/lib/mysql/binlog.index"],
      ["innodb_log_group_home_dir", "./"],
      ["innodb_data_home_dir", ""],
    ]),
  );
  assert.equal(folders?.binaryLog?.base, "binlog");
  assert.equal(folders?.redo, "/var/lib/mysql");
  assert.equal(folders?.relayLog, null);
  assert.equal(foldersOf(new Map()), null);
});
