import assert from "node:assert/strict";
import {
  gtidJson,
  mysqlStatusJson,
  mysqlTable,
  nodesTable,
  raftTable,
  serverTable,
  statusJson,
  statusTable,
} from "./render.ts";

Deno.test("statusTable() shows UNKNOW in every cell of a node that gave no answer", () => {
  const line = statusTable([{ id: "a:1", silent: true }]).split("\n")[3] ?? "";
  assert.deepEqual(line.split("|").slice(1, -1).map((cell) => cell.trim()), [
    "a:1",
    ...Array.from({ length: 7 }, () => "UNKNOW"),
  ]);
});

Deno.test("statusJson() of a silent node has every key in order and empty texts", () => {
  assert.equal(
    JSON.stringify(statusJson({ id: "a:1", silent: true })),
    '{"id":"a:1","raft":"","mysqld-info":"","monitor-info":"","backup-info":"","mysql-info":"",' +
      '"slave-info":"","myleader":""}',
  );
});

Deno.test("gtidJson() removes the newlines inside the sets", () => {
  const row = { id: "a:1", raft: "LEADER", mysql: "[ALIVE]", executed: "x:1,\ny:2", received: "" };
  assert.equal(
    JSON.stringify(gtidJson(row)),
    '{"id":"a:1","raft":"LEADER","mysql":"[ALIVE]","executed-gtid-set":"x:1,y:2",' +
      '"retrieved-gtid-set":""}',
  );
});

Deno.test("mysqlStatusJson() has the keys that scripts read, in their order", () => {
  assert.equal(
    JSON.stringify(mysqlStatusJson({
      receiverRunning: true,
      applierRunning: false,
      mysqldRunning: true,
      mysqlWorking: true,
      secondsBehind: "3",
      lastError: "",
      monitor: "ON",
    })),
    '{"slave_io_running":true,"slave_sql_running":false,"mysqld_running":true,' +
      '"mysql_working":true,"seconds_behind_master":"3","last_error":"","monitor":"ON"}',
  );
});

Deno.test("raftTable() gives a silent node the state UNKNOW and zeros", () => {
  const line = raftTable([{ id: "a:1", silent: true }]).split("\n")[3] ?? "";
  assert.deepEqual(line.split("|").slice(1, -1).map((cell) => cell.trim()), [
    "a:1",
    "UNKNOW",
    ..."0000000",
    "",
    "0",
  ]);
});

Deno.test("raftTable() shows whole seconds and puts numbers on the right", () => {
  const table = raftTable([{
    id: "a:1",
    raft: "LEADER",
    raftAtMysql: "",
    idleCount: 0,
    leaderPromotes: 1,
    leaderDegrades: 2,
    leaderGetHeartbeats: 3,
    leaderGetVotes: 4,
    candidatePromotes: 5,
    candidateDegrades: 6,
    stateUptimeSeconds: 7.9,
  }]);
  assert.match(table, /\| LEADER \| {7}0 \| {9}1 \| {9}2 \| {14}3 \| {9}4 \| {9}5 \| {9}6 \|/);
  assert.match(table, /\| {17}7 \|\n/);
});

Deno.test("mysqlTable() shows the position beside its file", () => {
  const table = mysqlTable([{
    id: "a:1",
    raft: "FOLLOWER",
    mysql: "ALIVE",
    option: "READONLY",
    position: "[mysql-bin.000002/1547]",
    threads: "[true/true]",
    secondsBehind: "0",
    lastError: "",
  }]);
  assert.match(table, /\| {3}Master_Log_File\/Pos {3}\|/);
  assert.match(table, /\| \[mysql-bin\.000002\/1547\] \| \[true\/true\] {4}\| {14}0 \|/);
});

Deno.test("serverTable() shows one setting a line, indented by 24 blanks", () => {
  const table = serverTable([{
    id: "a:1",
    status: "LEADER",
    config: [["LogLevel", "INFO"], ["BackupDir", "/data"]],
    uptimeSeconds: 61.2,
  }]);
  const lines = table.split("\n");
  assert.match(lines[3] ?? "", /\| LogLevel:\[INFO\]\u2424/);
  assert.match(lines[4] ?? "", /\| {25}BackupDir:\[\/data\]/);
});

Deno.test("nodesTable() has the single column Nodes", () => {
  assert.equal(
    nodesTable(["a:1", "b:22"]),
    "+-------+\n| Nodes |\n+-------+\n| a:1   |\n+-------+\n| b:22  |\n+-------+\n(2 rows)\n",
  );
});
