import assert from "node:assert/strict";
import { decodeNodeStatus, membersMax, type NodeStatus } from "./wire_status.ts";

const status: NodeStatus = {
  version: 1,
  id: "10.0.0.1:8801",
  cluster: "0b5f0000-0000-4000-8000-000000000001",
  role: "FOLLOWER",
  term: 4,
  epoch: 2,
  leader: "10.0.0.2:8801",
  voters: ["10.0.0.1:8801", "10.0.0.2:8801"],
  idle: [],
  witness: null,
  members: ["10.0.0.1:8801", "10.0.0.2:8801"],
  quorum: { n: 2, q: 2, k: 0 },
  margin: { losses: 0, sentence: "Replication is asynchronous with two voters" },
  sentence: "following 10.0.0.2:8801 in term 4",
  mysqld: { running: "RUNNING", monitor: "ON" },
  backup: { state: "NONE", lastError: "", last: null },
  mysql: {
    state: "ALIVE",
    option: "READONLY",
    executed: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5",
    received: "",
    receiverRunning: true,
    applierRunning: true,
    secondsBehind: "0",
    lastError: "",
    sourceLogFile: "binlog.000001",
    sourceLogPosition: 157,
    endpoint: "10.0.0.1:3306",
    serverUuid: "3e11fa47-71ca-11e1-9e33-c80aa9429562",
    version: "9.7.4",
    semiSync: { source: false, replica: true, k: 0, clients: 0 },
  },
  uptimeSeconds: 12.5,
  counters: {
    leaderPromotes: 0,
    leaderDegrades: 0,
    leaderGetHeartbeats: 0,
    leaderGetVotes: 0,
    candidatePromotes: 0,
    candidateDegrades: 0,
    stateUptimeSeconds: 10,
  },
  ageMs: 40,
  agentVersion: "0.1.0",
  promotion: "",
  settings: [{ name: "LogLevel", value: "INFO" }],
};

Deno.test("decodeNodeStatus() returns what was sent through JSON", () => {
  const decoded = decodeNodeStatus(JSON.parse(JSON.stringify(status)));
  assert.deepEqual(decoded, { kind: "decoded", status });
});

Deno.test("decodeNodeStatus() drops keys that a newer agent added", () => {
  const decoded = decodeNodeStatus({ ...status, weather: "fine" });
  assert.deepEqual(decoded, { kind: "decoded", status });
});

Deno.test("decodeNodeStatus() names the key that is wrong and what was wanted", () => {
  const wrong = { ...status, mysql: { ...status.mysql, option: "MAYBE" } };
  const decoded = decodeNodeStatus(wrong);
  assert.equal(decoded.kind, "refused");
  assert.match(decoded.kind === "refused" ? decoded.because : "", /"mysql\.option" is "MAYBE"/);
});

Deno.test("decodeNodeStatus() refuses another version, a negative term, and too many members", () => {
  const members = Array.from({ length: membersMax + 1 }, (_, index) => `10.0.0.${index}:8801`);
  for (const wrong of [{ version: 2 }, { term: -1 }, { members }, { id: 5 }]) {
    assert.equal(decodeNodeStatus({ ...status, ...wrong }).kind, "refused", JSON.stringify(wrong));
  }
  assert.equal(decodeNodeStatus(null).kind, "refused");
});
