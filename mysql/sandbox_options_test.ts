import assert from "node:assert/strict";
import { sandboxOptionFile, type SandboxOptions } from "./sandbox_options.ts";
import type { Version } from "./version.ts";

function version(major: number, minor: number, patch: number): Version {
  return { major, minor, patch, text: `${major}.${minor}.${patch}` };
}

const options: SandboxOptions = {
  version: version(9, 7, 4),
  serverId: 7,
  port: 20001,
  bindAddress: "127.0.0.1",
  socket: "/a b/mysql.sock",
  dataFolder: "/a b/data",
  pidFile: "/a b/mysqld.pid",
  errorLog: "/a b/error.log",
  asRoot: false,
  extraLines: ["sync_binlog=0"],
};

Deno.test("sandboxOptionFile() writes the places of the server and what no lost write needs", () => {
  const lines = sandboxOptionFile(options).split("\n");
  for (
    const line of [
      "server_id=7",
      "port=20001",
      'datadir="/a b/data"',
      "gtid_mode=ON",
      "relay_log_recovery=OFF",
      "log_replica_updates=ON",
    ]
  ) assert.ok(lines.includes(line), line);
  assert.ok(!lines.includes("user=root"));
  assert.ok(sandboxOptionFile({ ...options, asRoot: true }).includes("\nuser=root\n"));
});

Deno.test("sandboxOptionFile() lets the caller's lines win, as a later line overrides", () => {
  const text = sandboxOptionFile(options);
  assert.ok(text.lastIndexOf("sync_binlog=0") > text.lastIndexOf("sync_binlog=1"));
});

Deno.test("sandboxOptionFile() uses the old words for a server before 8.0.26", () => {
  const text = sandboxOptionFile({ ...options, version: version(8, 0, 20) });
  assert.match(text, /\nlog_slave_updates=ON\n/);
  assert.doesNotMatch(text, /replica|redo_log_capacity/);
});
