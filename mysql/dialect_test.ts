import assert from "node:assert/strict";
import { changeSource, type Dialect, dialectOf, waitForExecuted } from "./dialect.ts";
import { parseVersion } from "./version.ts";

function dialect(text: string, words?: "master" | "source"): Dialect {
  const read = parseVersion(text);
  assert.ok(read.ok);
  return dialectOf(read.version, words);
}

const source = { host: "10.0.0.2", port: 3306, user: "repl", password: "it's" } as const;

/** All words of a version on a few lines, so that a change shows as a change of text. */
function spell(it: Dialect): readonly string[] {
  return [
    `${it.showReplicaStatus} | ${it.showBinaryLogStatus} | ${it.resetBinaryLogs}`,
    `${it.stopReceiver} | ${it.startReceiver} | ${it.startApplier}`,
    `${it.stopReplica} | ${it.startReplica} | ${it.resetReplica} | ${it.resetReplicaAll}`,
    changeSource(it, { ...source, autoPosition: true, heartbeatPeriodSeconds: 0.5, ssl: true }),
    changeSource(it, { ...source, getPublicKey: false }),
    it.persistClosed.join(" | "),
    Object.values(it.semiSyncSource).join(" "),
    Object.values(it.semiSyncReplica).join(" "),
    `${it.columns.receiverRunning} ${it.columns.sourceHost} ${it.columns.secondsBehind}`,
    Object.values(it.variables).join(" "),
    `filter tables: ${it.hasFilterTables}`,
  ];
}

const oldThreads = [
  "STOP SLAVE IO_THREAD FOR CHANNEL '' | START SLAVE IO_THREAD FOR CHANNEL '' | START SLAVE SQL_THREAD FOR CHANNEL ''",
  "STOP SLAVE FOR CHANNEL '' | START SLAVE FOR CHANNEL '' | RESET SLAVE FOR CHANNEL '' | RESET SLAVE ALL FOR CHANNEL ''",
];
const newThreads = oldThreads.map((line) => line.replaceAll("SLAVE", "REPLICA"));
const masterNames = [
  "rpl_semi_sync_master semisync_master.so rpl_semi_sync_master_enabled rpl_semi_sync_master_timeout " +
  "rpl_semi_sync_master_wait_for_slave_count rpl_semi_sync_master_wait_no_slave " +
  "rpl_semi_sync_master_wait_point Rpl_semi_sync_master_status Rpl_semi_sync_master_clients " +
  "Rpl_semi_sync_master_wait_sessions",
  "rpl_semi_sync_slave semisync_slave.so rpl_semi_sync_slave_enabled Rpl_semi_sync_slave_status",
];
const sourceNames = masterNames.map((line) =>
  line.replaceAll("master", "source").replaceAll("slave", "replica")
);
const oldColumns = "Slave_IO_Running Master_Host Seconds_Behind_Master";
const newColumns = "Replica_IO_Running Source_Host Seconds_Behind_Source";

function changes(word: string, verb: string, key: boolean): readonly string[] {
  const base = `${verb} ${word}_HOST = '10.0.0.2', ${word}_PORT = 3306, ${word}_USER = 'repl', ` +
    `${word}_PASSWORD = 'it''s', ${word}_CONNECT_RETRY = 1, ${word}_RETRY_COUNT = 0`;
  const first = `${base}, ${word}_HEARTBEAT_PERIOD = 0.5, ${word}_AUTO_POSITION = 1, ` +
    `${word}_SSL = 1${key ? `, GET_${word}_PUBLIC_KEY = 1` : ""} FOR CHANNEL ''`;
  return [first, `${base}${key ? `, GET_${word}_PUBLIC_KEY = 0` : ""} FOR CHANNEL ''`];
}

const golden: Record<string, readonly string[]> = {
  "5.7.44": [
    "SHOW SLAVE STATUS | SHOW MASTER STATUS | RESET MASTER",
    ...oldThreads,
    ...changes("MASTER", "CHANGE MASTER TO", false),
    "",
    ...masterNames,
    oldColumns,
    "log_slave_updates  slave_net_timeout",
    "filter tables: false",
  ],
  "8.0.21": [
    "SHOW SLAVE STATUS | SHOW MASTER STATUS | RESET MASTER",
    ...oldThreads,
    ...changes("MASTER", "CHANGE MASTER TO", true),
    "",
    ...masterNames,
    oldColumns,
    "log_slave_updates  slave_net_timeout",
    "filter tables: true",
  ],
  "8.0.22": [
    "SHOW REPLICA STATUS | SHOW MASTER STATUS | RESET MASTER",
    ...newThreads,
    ...changes("MASTER", "CHANGE MASTER TO", true),
    "",
    ...masterNames,
    newColumns,
    "log_slave_updates  slave_net_timeout",
    "filter tables: true",
  ],
  "8.0.25": [
    "SHOW REPLICA STATUS | SHOW MASTER STATUS | RESET MASTER",
    ...newThreads,
    ...changes("SOURCE", "CHANGE REPLICATION SOURCE TO", true),
    "SET PERSIST_ONLY skip_slave_start = ON | SET PERSIST_ONLY super_read_only = ON",
    ...masterNames,
    newColumns,
    "log_slave_updates skip_slave_start slave_net_timeout",
    "filter tables: true",
  ],
  "8.0.36": [
    "SHOW REPLICA STATUS | SHOW MASTER STATUS | RESET MASTER",
    ...newThreads,
    ...changes("SOURCE", "CHANGE REPLICATION SOURCE TO", true),
    "SET PERSIST_ONLY skip_replica_start = ON | SET PERSIST_ONLY super_read_only = ON",
    ...sourceNames,
    newColumns,
    "log_replica_updates skip_replica_start replica_net_timeout",
    "filter tables: true",
  ],
};
golden["8.4.3"] = [
  "SHOW REPLICA STATUS | SHOW BINARY LOG STATUS | RESET BINARY LOGS AND GTIDS",
  ...golden["8.0.36"]!.slice(1),
];
golden["9.7.4-2"] = golden["8.4.3"]!;

for (const [version, wanted] of Object.entries(golden)) {
  Deno.test(`dialectOf() spells every statement of MySQL ${version}`, () => {
    assert.deepEqual(spell(dialect(version)), wanted);
  });
}

Deno.test("dialectOf() uses the old semi-sync names where the old plugin is installed", () => {
  const it = dialect("8.0.36", "master");
  assert.equal(it.semiSyncSource.enabled, "rpl_semi_sync_master_enabled");
  assert.equal(it.showReplicaStatus, "SHOW REPLICA STATUS");
});

const misfits = [
  { ...source, host: "" },
  { ...source, port: 0 },
  { ...source, port: 70_000 },
  { ...source, user: "" },
  { ...source, password: "p".repeat(33) },
  { ...source, connectRetry: 0 },
  { ...source, heartbeatPeriodSeconds: Number.NaN },
];

for (const [at, misfit] of misfits.entries()) {
  Deno.test(`changeSource() refuses misfit ${at} and never names the password`, () => {
    assert.throws(
      () => changeSource(dialect("9.7.4"), misfit),
      (error) => error instanceof RangeError && !error.message.includes(misfit.password),
    );
  });
}

Deno.test("waitForExecuted() quotes the set and keeps fractions of a second", () => {
  assert.equal(
    waitForExecuted("a:1", 0.5),
    "SELECT WAIT_FOR_EXECUTED_GTID_SET('a:1', 0.5) AS late",
  );
});
