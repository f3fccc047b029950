import assert from "node:assert/strict";
import { parseConfig } from "../agent/config.ts";
import { convertConfig } from "./config_convert.ts";
import { parseLenientJson } from "./lenient_json.ts";

/** What the operator guide has, its remarks included. */
const guide = `{
  "server": { "endpoint": "192.168.0.109:8801" },  // this host
  "raft": {
    "meta-datadir": "raft.meta",
    "heartbeat-timeout": 1000,
    "election-timeout": 3000,
    "leader-start-command": "sudo ip a a 192.168.0.11/24 dev eth0 && arping -c 3 -A  192.168.0.11  -I eth0",
    "leader-stop-command": "sudo ip a d 192.168.0.11/24 dev eth0"
  },
  "mysql": {
    "admin": "root", "passwd": "s3cret-admin", "host": "localhost", "port": 5001,
    "basedir": "/usr", "defaults-file": "/etc/my5001.cnf", "ping-timeout": 1000,
    "master-sysvars": "super_read_only=0;read_only=0;sync_binlog=default;innodb_flush_log_at_trx_commit=default",
    "slave-sysvars": "super_read_only=1;read_only=1;sync_binlog=1000;innodb_flush_log_at_trx_commit=2"
  },
  "replication": { "user": "rep", "passwd": "s3cret-rep" },
  "backup": {
    "ssh-host": "192.168.0.109", "ssh-user": "mysql", "ssh-passwd": "s3cret-ssh", "ssh-port": 22,
    "backupdir": "/data/mysql5001", "xtrabackup-bindir": "/usr/bin", "backup-iops-limits": 100000,
    "backup-use-memory": "1GB", "backup-parallel": 4
  },
  "rpc": { "request-timeout": 500 }, /* keep it small */
  "log": { "level": "INFO" }
}`;

function convert(text: string, withSecrets = true) {
  const json = parseLenientJson(text);
  assert.equal(json.kind, "value");
  return convertConfig(json.kind === "value" ? json.value : null, { withSecrets });
}

Deno.test("convertConfig() carries the guide's configuration over, timing included", () => {
  const { toml, problems } = convert(guide);
  assert.deepEqual(problems, []);
  const result = parseConfig(toml);
  assert.ok(result.kind === "config");
  const { server, raft, mysql, replication, vip, backup, rpc } = result.config;
  assert.equal(server.id, "192.168.0.109:8801");
  assert.deepEqual([raft.heartbeatMs, raft.electionMs, mysql.pingMs, rpc.requestMs], [
    1000,
    3000,
    1000,
    500,
  ]);
  assert.deepEqual(vip, {
    address: "192.168.0.11",
    prefix: 24,
    interface: "eth0",
    leaseMs: 2000,
  });
  assert.deepEqual([raft.leaderStartCommand, raft.leaderStopCommand], [null, null]);
  assert.equal(mysql.password.kind === "inline" && mysql.password.secret.reveal(), "s3cret-admin");
  assert.equal(replication.user, "rep");
  assert.deepEqual([backup.dataFolder, backup.useMemory, backup.parallel], [
    "/data/mysql5001",
    "1GB",
    4,
  ]);
});

Deno.test("convertConfig() lists what it could not carry over, and never a password", () => {
  const { toml, notes } = convert(guide, false);
  const text = notes.join("\n");
  assert.match(text, /^backup\.ssh-passwd: accepted, but has no effect: copies use ssh keys only/m);
  assert.match(text, /^raft\.meta-datadir: "raft\.meta" depends on where the agent is started/m);
  assert.match(text, /^rpc\.secret-file: .* \/etc\/xenon\/secret on every node/m);
  assert.match(text, /^vip: the agent moves 192\.168\.0\.11 itself/m);
  assert.match(text, /^mysql\.passwd: passwords are written into a file only/m);
  assert.match(text, /^mysql\.master-sysvars: .*read_only/m, "what the agent decides itself");
  assert.doesNotMatch(`${toml}${text}`, /s3cret/);
});

Deno.test("convertConfig() matches keys without regard to case, and numbers in quotes", () => {
  const { toml, notes } = convert(`{
    "Server": { "ENDPOINT": "10.0.0.1:8801" },
    "mysql": { "Port": "5001", "monitor-disabled": "true", "passwd": 17, "colour": "red" },
    "extra": {}, "log": []
  }`);
  const result = parseConfig(toml);
  assert.ok(result.kind === "config");
  assert.deepEqual([result.config.server.id, result.config.mysql.port], ["10.0.0.1:8801", 5001]);
  assert.equal(result.config.mysql.monitored, false);
  const text = notes.join("\n");
  assert.match(
    text,
    /^mysql\.passwd: left out, as wanted is a text in quotes, found another kind/m,
  );
  assert.match(text, /^mysql\.colour: unknown key, left out$/m);
  assert.match(text, /^extra: unknown section, left out$/m);
  assert.match(text, /^log: no object, left out$/m);
});

Deno.test("convertConfig() takes the original's defaults where its file is silent", () => {
  const { toml, notes } = convert("{}");
  const result = parseConfig(toml);
  assert.ok(result.kind === "config");
  const { raft, mysql, server } = result.config;
  assert.deepEqual([raft.heartbeatMs, raft.electionMs], [1000, 3000]);
  assert.equal(server.id, "127.0.0.1:8080");
  assert.equal(mysql.mysqldPath, "/u01/mysql_20160606/bin/mysqld");
  assert.match(notes.join("\n"), /^raft\.election-timeout: was not in the file, 3000 is what/m);
});

Deno.test("convertConfig() accepts every key that has no effect any more, and says why", () => {
  const { notes, problems } = convert(`{
    "server": { "endpoint": "10.0.0.1:8801", "enable-apis": true, "peer-address": ":6060" },
    "raft": { "candidate-wait-for-2nodes": 60000, "admit-defeat-hearbeat-count": 5 },
    "mysql": { "semi-sync-timeout-for-two-nodes": 10000 },
    "replication": { "gtid-purged": "a:1" },
    "backup": {
      "ssh-passwd": "s3cret", "basedir": "/usr", "mysqld-monitor-interval": 1000, "admin": "root"
    }
  }`);
  assert.deepEqual(problems, []);
  const ignored = notes.filter((note) => note.includes("accepted, but has no effect"))
    .map((note) => note.split(":")[0]);
  assert.deepEqual(ignored, [
    "server.enable-apis",
    "server.peer-address",
    "raft.candidate-wait-for-2nodes",
    "mysql.semi-sync-timeout-for-two-nodes",
    "replication.gtid-purged",
    "backup.ssh-passwd",
    "backup.basedir",
    "backup.mysqld-monitor-interval",
  ]);
  assert.match(notes.join("\n"), /^backup\.admin: mysql\.admin is used, left out$/m);
});

Deno.test("convertConfig() says when its result cannot be used as it is", () => {
  const { problems } = convert(
    `{ "raft": { "heartbeat-timeout": 2000, "election-timeout": 3000 } }`,
  );
  assert.match(problems.join("\n"), /Two heartbeats must fit into the lease/);
  assert.deepEqual(convert("[]").problems, ["The file holds no object with sections"]);
});
