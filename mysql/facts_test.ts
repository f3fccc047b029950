import assert from "node:assert/strict";
import { dialectOf } from "./dialect.ts";
import { dialectOfFacts, factQueries, type FactRows, heldSet, readFacts } from "./facts.ts";
import { formatLine } from "./gtid.ts";
import { parseVersion } from "./version.ts";

const uuid = "81f59e9d-e74f-11f1-a555-02fc00000001";
const other = "81f59e9d-e74f-11f1-a555-02fc00000002";

const settings = {
  version: "9.7.4-2",
  version_comment: "(Debian)",
  server_uuid: uuid.toUpperCase(),
  server_id: 1,
  gtid_executed: `${other}:1-7,\n${uuid}:1-3`,
  gtid_owned: `${uuid}:4#11:5#12`,
  gtid_purged: "",
  read_only: 1,
  super_read_only: 0,
  offline_mode: 0,
  gtid_mode: "ON",
  enforce_gtid_consistency: "ON",
  log_bin: 1,
  sync_binlog: 1,
  innodb_flush_log_at_trx_commit: 2,
  relay_log_recovery: 0,
  sync_relay_log: 10000,
  performance_schema: 1,
  performance_schema_session_connect_attrs_size: 512,
  log_replica_updates: 1,
  skip_replica_start: 1,
  filter_count: 0,
};

const replication = {
  Replica_IO_State: "Waiting for source to send event",
  Source_Host: "10.0.0.2",
  Source_User: "repl",
  Source_Port: 3306,
  Source_Log_File: "binlog.000002",
  Read_Source_Log_Pos: 1234,
  Relay_Source_Log_File: "binlog.000002",
  Replica_IO_Running: "Connecting",
  Replica_SQL_Running: "Yes",
  Replicate_Do_DB: "",
  Last_IO_Errno: 2003,
  Last_IO_Error: "error connecting to source",
  Last_SQL_Errno: 0,
  Last_SQL_Error: "",
  Source_UUID: other,
  SQL_Delay: 0,
  Seconds_Behind_Source: null,
  Retrieved_Gtid_Set: `${other}:5-9`,
  Executed_Gtid_Set: "",
  Auto_Position: 1,
  Channel_Name: "",
};

const semiSync = Object.entries({
  rpl_semi_sync_source_enabled: "ON",
  rpl_semi_sync_source_timeout: "4294967295",
  rpl_semi_sync_source_wait_for_replica_count: "2",
  rpl_semi_sync_source_wait_no_replica: "ON",
  rpl_semi_sync_source_wait_point: "AFTER_SYNC",
  rpl_semi_sync_replica_enabled: "OFF",
  Rpl_semi_sync_source_status: "ON",
  Rpl_semi_sync_source_clients: "2",
  Rpl_semi_sync_source_wait_sessions: "1",
  Rpl_semi_sync_replica_status: "OFF",
  Uptime: "77",
}).map(([name, value]) => ({ name, value }));

const rows: FactRows = {
  settings: [settings],
  semiSync,
  replication: [replication],
  binaryLog: [{ File: "binlog.000003", Position: 158, Binlog_Do_DB: "", Binlog_Ignore_DB: "" }],
};

Deno.test("readFacts() reads a whole look", () => {
  const facts = readFacts(rows);
  assert.equal(facts.version.text, "9.7.4-2");
  assert.equal(facts.serverUuid, uuid);
  assert.equal(facts.owned, `${uuid}:4:5`);
  assert.equal(facts.readOnly, true);
  assert.equal(facts.superReadOnly, false);
  assert.deepEqual(facts.filters, []);
  assert.deepEqual(facts.semiSyncSource, {
    installed: true,
    words: "source",
    enabled: true,
    waitForCount: 2,
    timeoutMs: 4_294_967_295,
    waitNoReplica: true,
    waitPoint: "AFTER_SYNC",
    status: true,
    clients: 2,
    waitSessions: 1,
  });
  assert.deepEqual(facts.semiSyncReplica, { installed: true, enabled: false, status: false });
  assert.equal(facts.replication?.receiver, "connecting");
  assert.equal(facts.replication?.applier, "running");
  assert.equal(facts.replication?.secondsBehind, null);
  assert.equal(facts.replication?.receiverErrorNumber, 2003);
  assert.equal(facts.replication?.autoPosition, true);
  assert.deepEqual(facts.binlogEnd, { file: "binlog.000003", position: 158 });
  assert.equal(facts.durability.flushLogAtTrxCommit, 2);
  assert.ok(facts.performanceSchema);
  assert.equal(facts.connectAttributesBytes, 512);
  assert.equal(facts.uptimeSeconds, 77);
});

Deno.test("readFacts() takes apart what the server prints of held GTIDs without a separator", () => {
  const printed = `${other}:9#29${uuid}:4#11:5#12${uuid}:tag:7#8`;
  const facts = readFacts({ ...rows, settings: [{ ...settings, gtid_owned: printed }] });
  assert.equal(facts.owned, `${other}:9,${uuid}:4:5,${uuid}:tag:7`);
});

Deno.test("heldSet() joins executed and received", () => {
  assert.equal(formatLine(heldSet(readFacts(rows))), `${uuid}:1-3,${other}:1-9`);
});

Deno.test("readFacts() sees a server without plugins, source and binary log", () => {
  const facts = readFacts({
    settings: [{ ...settings, log_bin: 0, skip_replica_start: null }],
    semiSync: [{ name: "Uptime", value: "5" }],
    replication: [],
    binaryLog: null,
  });
  assert.equal(facts.replication, null);
  assert.equal(facts.received, "");
  assert.equal(facts.binlogEnd, null);
  assert.equal(facts.durability.skipReplicaStart, null);
  assert.equal(facts.semiSyncSource.installed, false);
  assert.equal(facts.semiSyncReplica.installed, false);
  assert.equal(dialectOfFacts(facts).semiSyncSource.plugin, "rpl_semi_sync_source");
});

Deno.test("readFacts() reads the old names of 5.7", () => {
  const old = Object.fromEntries(
    Object.entries(replication).map(([name, value]) => [
      name.replaceAll("Source", "Master").replaceAll("Replica_", "Slave_"),
      value,
    ]),
  );
  const facts = readFacts({
    settings: [{ ...settings, version: "5.7.44-log", skip_replica_start: null }],
    semiSync: semiSync.map(({ name, value }) => ({
      name: name.replaceAll("source", "master").replaceAll("replica", "slave"),
      value,
    })),
    replication: [old],
    binaryLog: rows.binaryLog,
  });
  assert.equal(facts.replication?.sourceHost, "10.0.0.2");
  assert.equal(facts.semiSyncSource.words, "master");
  assert.equal(facts.semiSyncSource.waitForCount, 2);
});

Deno.test("readFacts() finds the older semi-sync plugin on a newer server", () => {
  const names = [{ name: "rpl_semi_sync_slave_enabled", value: "ON" }];
  const facts = readFacts({
    ...rows,
    settings: [{ ...settings, version: "8.0.36" }],
    semiSync: names,
  });
  assert.equal(dialectOfFacts(facts).semiSyncReplica.enabled, "rpl_semi_sync_slave_enabled");
  assert.deepEqual(facts.semiSyncReplica, { installed: true, enabled: true, status: false });
});

Deno.test("readFacts() names filters and other channels", () => {
  const facts = readFacts({
    ...rows,
    replication: [
      { ...replication, Replicate_Ignore_DB: "test" },
      { ...replication, Channel_Name: "second" },
    ],
    binaryLog: [{ File: "b.1", Position: 4, Binlog_Do_DB: "shop", Binlog_Ignore_DB: "" }],
  });
  assert.deepEqual(facts.filters, ["Replicate_Ignore_DB", "Binlog_Do_DB"]);
  assert.deepEqual(facts.otherChannels, ["second"]);
  const hidden = readFacts({ ...rows, settings: [{ ...settings, filter_count: 1 }] });
  assert.deepEqual(hidden.filters, ["replication filter"]);
});

const broken: readonly (readonly [string, FactRows, RegExp])[] = [
  ["no rows", { ...rows, settings: [] }, /no row of settings/],
  ["no list", { ...rows, semiSync: "text" }, /no list/],
  ["a row that is no row", { ...rows, replication: [7] }, /no row/],
  ["a missing column", { ...rows, settings: [{ version: "9.7.4" }] }, /"server_uuid"/],
  [
    "a GTID set that is none",
    { ...rows, settings: [{ ...settings, gtid_executed: "x" }] },
    /GTID set/,
  ],
  [
    "an unknown word",
    { ...rows, replication: [{ ...replication, Replica_IO_Running: "Maybe" }] },
    /"Maybe"/,
  ],
  [
    "a number that is none",
    { ...rows, settings: [{ ...settings, sync_binlog: "x" }] },
    /whole number/,
  ],
  ["MariaDB", { ...rows, settings: [{ ...settings, version: "10.11.6-MariaDB" }] }, /MariaDB/],
];

for (const [name, look, wanted] of broken) {
  Deno.test(`readFacts() answers ${name} with a SyntaxError`, () => {
    assert.throws(
      () => readFacts(look),
      (error) => error instanceof SyntaxError && wanted.test(error.message),
    );
  });
}

Deno.test("factQueries() asks only for variables that the version has", () => {
  const old = parseVersion("5.7.44");
  const now = parseVersion("9.7.4");
  assert.ok(old.ok && now.ok);
  const before = factQueries(dialectOf(old.version));
  assert.match(before.settings, /@@GLOBAL\.log_slave_updates AS log_replica_updates/);
  assert.match(before.settings, /NULL AS skip_replica_start, 0 AS filter_count/);
  assert.equal(before.replication, "SHOW SLAVE STATUS");
  const after = factQueries(dialectOf(now.version));
  assert.match(after.settings, /@@GLOBAL\.skip_replica_start AS skip_replica_start/);
  assert.equal(after.binaryLog, "SHOW BINARY LOG STATUS");
});
