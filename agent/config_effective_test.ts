import assert from "node:assert/strict";
import { readConfigText } from "./config.ts";
import { effectiveSettings } from "./config_effective.ts";

function settingsOf(text: string): Readonly<Record<string, readonly unknown[]>> {
  const read = readConfigText(text);
  assert.ok(read.kind === "config");
  return Object.fromEntries(
    effectiveSettings(read).map(({ section, key, value, origin }) => [
      `${section}.${key}`,
      [value, origin],
    ]),
  );
}

Deno.test("effectiveSettings() tells what stands in the file from what is derived or default", () => {
  const settings = settingsOf(`[server]
endpoint = "10.0.0.1:8801"
[raft]
heartbeat-timeout = 300
election-timeout = 3000
admit-defeat-hearbeat-count = 3
lease-timeout = 2000
[vip]
address = "10.0.0.9"
interface = "eth0"
`);
  assert.deepEqual(settings["server.endpoint"], ["10.0.0.1:8801", "file"]);
  assert.deepEqual(settings["raft.election-timeout"], [3000, "file"]);
  assert.deepEqual(settings["raft.lease-timeout"], [900, "derived"], "3 heartbeats shorten it");
  assert.deepEqual(settings["raft.fence-timeout"], [500, "derived"]);
  assert.deepEqual(settings["rpc.bind"], ["10.0.0.1", "derived"]);
  assert.deepEqual(settings["vip.prefix"], [24, "default"]);
  assert.deepEqual(settings["vip.lease"], [1000, "derived"]);
  assert.deepEqual(settings["mysql.port"], [3306, "default"]);
  assert.deepEqual(settings["mysql.socket"], [null, "default"]);
});

Deno.test("effectiveSettings() never holds a password", () => {
  const settings = settingsOf(`[mysql]\npasswd = "s3cret"\n`);
  assert.deepEqual(settings["mysql.passwd"], ["(hidden)", "file"]);
  assert.deepEqual(settings["replication.passwd"], ["", "default"]);
  assert.doesNotMatch(JSON.stringify(settings), /s3cret/);
});
