import assert from "node:assert/strict";
import fc from "fast-check";
import { inspect } from "node:util";
import { type ConfigResult, describeRemark, parseConfig } from "./config.ts";
import { keys } from "./config_schema.ts";
import type { Config } from "./config_shape.ts";

Deno.test("parseConfig() of an empty file gives the defaults without a word", () => {
  const result = parseConfig("");
  assert.equal(result.kind, "config");
  if (result.kind !== "config") return;
  assert.deepEqual(result.warnings, []);
  const { server, raft, vip, rpc } = result.config;
  assert.equal(server.id, "127.0.0.1:8801");
  assert.deepEqual(
    [raft.heartbeatMs, raft.electionMs, raft.leaseMs, raft.fenceMs],
    [200, 1000, 700, 250],
  );
  assert.equal(raft.leaderStartCommand, null);
  assert.equal(vip, null);
  assert.deepEqual(rpc, { requestMs: 500, secretFile: null, bindHost: "127.0.0.1" });
});

Deno.test("parseConfig() accepts the timing that operators know", () => {
  const { raft, mysql, rpc } = configOf(`
[raft]
heartbeat-timeout = 1000
election-timeout = 3000
[mysql]
ping-timeout = 1000
[rpc]
request-timeout = 500
`);
  assert.deepEqual([raft.leaseMs, raft.fenceMs, mysql.hungMs, rpc.requestMs], [
    2450,
    500,
    2000,
    500,
  ]);
  const { vip } = configOf(`
raft = { heartbeat-timeout = 1000, election-timeout = 3000 }
vip = { address = "192.168.0.11", interface = "eth0" }
`);
  assert.deepEqual(vip, {
    address: "192.168.0.11",
    prefix: 24,
    interface: "eth0",
    leaseMs: 2000,
  });
});

Deno.test("parseConfig() tells all mistakes at once, each with place, wanted shape and fix", () => {
  const shown = problemsOf(`[raft]
heartbeat-timeout = "200ms"
  election_timeout = 1000
rejoin = "auto"

[server]
endpoint = "0.0.0.0:8801"

[mysqll]
port = 1

[mysql]
port = 70000
meta-datadir = "/x"
passwd = 12345
`);
  assert.deepEqual(shown, [
    "x.toml:2:1 raft.heartbeat-timeout: Expected a whole number of milliseconds from 10 to 3600000, " +
    'found "200ms"',
    "x.toml:3:3 raft.election_timeout: Unknown key, did you mean election-timeout?",
    'x.toml:4:1 raft.rejoin: Expected one of "manual", "rebuild", found "auto"',
    "x.toml:7:1 server.endpoint: Expected the address and port that the other nodes reach this " +
    'agent at, such as "192.168.0.1:8801"; to listen everywhere set rpc.bind as well, ' +
    'found "0.0.0.0:8801"',
    "x.toml:9:1 mysqll: Unknown section, did you mean mysql?",
    "x.toml:13:1 mysql.port: Expected a port from 1 to 65535, found 70000",
    "x.toml:14:1 mysql.meta-datadir: Unknown key, it belongs below [raft]",
    "x.toml:15:1 mysql.passwd: Expected a text in quotes, found another kind of value",
  ]);
});

Deno.test("parseConfig() checks that the settings fit together", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      "[raft]\nheartbeat-timeout = 400",
      /:1:1 .*Two heartbeats must fit .* raise election-timeout to 1200 or/,
    ],
    ["[raft]\nadmit-defeat-hearbeat-count = 2", /:2:1 .*admit-defeat-hearbeat-count out$/],
    ["[raft]\nlease-timeout = 900", /:2:1 .*must be closed before others elect: lease-timeout 900/],
    ["[raft]\nfence-timeout = 900\nlease-timeout = 500", /raise election-timeout to 1450 or more/],
    ["[raft]\nlease-timeout = 750", /lease-timeout 750 \+ fence-timeout 250 must be less than/],
    ["[raft]\nheartbeat-timeout = 350", /Two heartbeats must fit/],
    ["[rpc]\nrequest-timeout = 1000", /:2:1 .*must end before an election begins.*to 500 or less/],
    [vipText(""), /:2:1 .*must be gone before others elect: set raft.election-timeout to 1200/],
    [vipText("lease = 1500", 3000), /whole seconds: set lease to 2000, found 1500/],
    [vipText("lease = 3000", 3000), /set raft.election-timeout to 3200 or more/],
    ['[vip]\naddress = "10.0.0.9"\n[raft]\nelection-timeout = 2000', /No interface for 10.0.0.9/],
    ['[vip]\ninterface = "eth0"', /:2:1 .*Interface without an address/],
    ['[vip]\naddress = "10.0.0.9/24"', /Expected an address without a prefix/],
    ['[mysql]\npasswd = "x"\npasswd-file = "/x"', /:2:1 .*Given twice: keep passwd-file/],
    [
      '[mysql]\nmaster-sysvars = "a=1; DROP TABLE t; b=2"',
      /Cannot read setting "DROP TABLE t": expected name=value/,
    ],
    ['[mysql]\nmaster-sysvars = "a=(SELECT 1)"', /Cannot read value of setting "a"/],
    ["port = 3306", /:1:1 port: Key stands in no section, it belongs below \[mysql\]/],
  ];
  for (const [text, because] of cases) {
    const shown = problemsOf(text);
    assert.equal(shown.length, 1, `${text}\n${shown.join("\n")}`);
    assert.match(shown[0] ?? "", because);
  }
});

Deno.test("parseConfig() gives advice that works", () => {
  for (let heartbeatMs = 200; heartbeatMs < 5000; heartbeatMs += 137) {
    const text = `[raft]\nheartbeat-timeout = ${heartbeatMs}\n`;
    const [shown] = parseConfig(text).kind === "config" ? [] : problemsOf(text);
    if (shown === undefined) continue;
    const electionMs = /election-timeout to (\d+)/.exec(shown)?.[1];
    configOf(`${text}election-timeout = ${electionMs}\n`);
  }
});

Deno.test("parseConfig() never lets a lease outlive an election, whatever the settings are", () => {
  const ms = fc.integer({ min: 20, max: 5000 });
  const settings = fc.record({
    "heartbeat-timeout": ms,
    "election-timeout": fc.integer({ min: 100, max: 10_000 }),
    "lease-timeout": ms,
    "fence-timeout": ms,
    "admit-defeat-hearbeat-count": fc.integer({ min: 1, max: 20 }),
  }, { requiredKeys: [] });
  fc.assert(fc.property(settings, (given) => {
    const lines = Object.entries(given).map(([key, value]) => `${key} = ${value}`);
    const result = parseConfig(`[rpc]\nrequest-timeout = 50\n[raft]\n${lines.join("\n")}`);
    if (result.kind === "wrong") return;
    const { leaseMs, fenceMs, electionMs, heartbeatMs } = result.config.raft;
    assert.ok(leaseMs + fenceMs < electionMs);
    assert.ok(heartbeatMs * 2 < leaseMs);
  }));
});

Deno.test("parseConfig() warns of settings of the original that have no effect", () => {
  const shown = warningsOf(`
[raft]
candidate-wait-for-2nodes = 60000
[mysql]
semi-sync-timeout-for-two-nodes = 300000
[replication]
gtid-purged = ""
[backup]
ssh-passwd = "hunter2"
mysqld-monitor-interval = 1000
`);
  assert.equal(shown.length, 5);
  assert.match(
    shown[0] ?? "",
    /^x.toml:3:1 raft.candidate-wait-for-2nodes: Has no effect, use a wi/,
  );
  for (const line of shown) assert.ok(!line.includes("hunter2"), line);
});

Deno.test("parseConfig() takes the sysvars of the original and leaves out what promotion decides", () => {
  const text = `[mysql]
master-sysvars = "super_read_only=0;read_only=0;sync_binlog=default;innodb_flush_log_at_trx_commit=2"
slave-sysvars = "Rpl_Semi_Sync_Source_Enabled=OFF;sql_mode='A,B'"
`;
  const { mysql } = configOf(text);
  assert.deepEqual(mysql.leaderSysvars.statements.map(({ sql }) => sql), [
    "SET GLOBAL `sync_binlog` = DEFAULT",
    "SET GLOBAL `innodb_flush_log_at_trx_commit` = 2",
  ]);
  assert.deepEqual(mysql.followerSysvars.statements.map(({ sql }) => sql), [
    "SET GLOBAL `sql_mode` = 'A,B'",
  ]);
  assert.deepEqual(warningsOf(text).map((line) => line.replace(/: promotion.*/, "")), [
    'x.toml:2:1 mysql.master-sysvars: Setting "super_read_only" is left out',
    'x.toml:2:1 mysql.master-sysvars: Setting "read_only" is left out',
    'x.toml:3:1 mysql.slave-sysvars: Setting "rpl_semi_sync_source_enabled" is left out',
  ]);
});

Deno.test("parseConfig() warns where nobody could join, or anybody could replicate", () => {
  const shown = warningsOf('[server]\nendpoint = "192.168.0.1:8801"\n');
  assert.equal(shown.length, 2);
  assert.match(
    shown.join("\n"),
    /:2:1 server.endpoint: No rpc.secret-file: only callers on this host/,
  );
  assert.match(shown.join("\n"), /replication.user: Account "repl" has no password/);
});

Deno.test("parseConfig() never shows a password: not in errors, not in the record", () => {
  const broken = [
    '[mysql]\npasswd = "hunter2\n',
    "[mysql]\npasswd = hunter2\n",
    "[mysql]\npasswd = ['hunter2']\n",
    '[mysql]\npasswd = "hunter2"\npasswd = "hunter2"\n',
    '[mysql]\npasswort = "hunter2"\n',
    '[mysql]\npasswd = "hunter2"\nport = 0\n',
    '[mysql]\npasswd = "hunter2"\npasswd-file = "/x"\n',
  ];
  for (const text of broken) {
    const result = parseConfig(text);
    assert.equal(result.kind, "wrong", text);
    assert.ok(!JSON.stringify(result).includes("hunter2"), JSON.stringify(result));
  }
  const config = configOf('[mysql]\npasswd = "hunter2"\n[replication]\npasswd = "hunter2"\n');
  assert.ok(!JSON.stringify(config).includes("hunter2"));
  assert.ok(!inspect(config, { depth: 9, showHidden: true }).includes("hunter2"));
  assert.ok(config.mysql.password.kind === "inline");
  assert.equal(config.mysql.password.secret.reveal(), "hunter2");
});

Deno.test("parseConfig() points at mistakes in the TOML itself", () => {
  const shown = problemsOf("[raft]\nheartbeat-timeout = 33o6\n");
  assert.equal(shown.length, 1);
  assert.match(shown[0] ?? "", /^x.toml:2:\d+ Cannot read this as TOML: /);
  assert.match(
    problemsOf('{"server": {}}')[0] ?? "",
    /convert a JSON file with xenon config convert/,
  );
  assert.match(
    problemsOf(`#${"x".repeat(300_000)}`)[0] ?? "",
    /^x.toml File has 300001 characters/,
  );
});

Deno.test("parseConfig() finds keys in every notation", () => {
  const texts = [
    'raft.rejoin = "x"',
    'raft = { rejoin = "x" }',
    '"raft"."rejoin" = "x"',
    '[ raft ]\n"rejoin" = "x"',
    '[raft]\nleader-start-command = """\nrejoin = 1"""\nrejoin = "x"',
  ];
  const lines = texts.map((text) => /^x.toml:(\d+):/.exec(problemsOf(text).at(-1) ?? "")?.[1]);
  assert.deepEqual(lines, ["1", "1", "1", "2", "4"]);
});

Deno.test("every key refuses a value of another kind with the wanted shape in the message", () => {
  for (const [section, own] of Object.entries(keys)) {
    for (const [name, key] of Object.entries(own)) {
      const [shown] = problemsOf(`[${section}]\n${name} = [1]\n`);
      assert.ok(shown?.includes(`x.toml:2:1 ${section}.${name}: Expected ${key.wanted}`), shown);
    }
  }
});

Deno.test("parseConfig() wants a name for the account of the replicas", () => {
  const [shown = ""] = problemsOf('[replication]\nuser = ""\n');
  assert.match(shown, /replication\.user.*the account that replicas connect with/);
});

function problemsOf(text: string): readonly string[] {
  const result = parseConfig(text);
  assert.equal(result.kind, "wrong", text);
  return result.kind === "wrong"
    ? result.problems.map((remark) => describeRemark("x.toml", remark))
    : [];
}

function warningsOf(text: string): readonly string[] {
  return right(text).warnings.map((remark) => describeRemark("x.toml", remark));
}

function configOf(text: string): Config {
  return right(text).config;
}

function right(text: string): Extract<ConfigResult, { kind: "config" }> {
  const result = parseConfig(text);
  if (result.kind === "config") return result;
  throw new Error(
    `${text}\n${result.problems.map((one) => describeRemark("x.toml", one)).join("\n")}`,
  );
}

function vipText(line: string, electionMs = 1000): string {
  const address = '[vip]\naddress = "10.0.0.9"\ninterface = "eth0"';
  return `${address}\n${line}\n[raft]\nelection-timeout = ${electionMs}\n`;
}
