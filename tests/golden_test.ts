/**
 * What operators see, letter by letter. After a wanted change run this file with
 * XENON_REWRITE_GOLDEN=1 and review the difference.
 */
import assert from "node:assert/strict";
import { createFakeCluster, type FakeNode, guideNodes, statusOf } from "../cmd/fake_cluster.ts";
import { buildTree } from "../cmd/program.ts";
import { mysqlTable, raftTable, serverTable } from "../cmd/render.ts";
import { run } from "../cmd/run.ts";

const folder = new URL("golden/", import.meta.url);
const [first = "", second = "", leader = ""] = guideNodes;

/** What `xenon ...` prints on the first of the guide's hosts. */
async function printed(words: string, changes: Readonly<Record<string, FakeNode>> = {}) {
  const well = guideNodes.map((id): [string, FakeNode] => [
    id,
    { kind: "up", status: statusOf(id) },
  ]);
  const cluster = createFakeCluster({ ...Object.fromEntries(well), ...changes });
  const outcome = run(words.split(" "), {
    world: {
      workingFolder: "/",
      executable: "",
      version: "0.1.0",
      env: () => undefined,
      readText: () => Promise.resolve("[server]"),
    },
    programs: {
      openCluster: () => Promise.resolve(cluster),
      runAgent: () => Promise.resolve(1),
      runDemo: () => Promise.resolve(1),
    },
  });
  const { result } = await cluster.finish(outcome);
  assert.equal(result.stderr, "");
  return result.stdout;
}

function compare(name: string, actual: string): void {
  const path = new URL(name, folder);
  if (Deno.env.get("XENON_REWRITE_GOLDEN") === "1") Deno.writeTextFileSync(path, actual);
  assert.equal(actual, Deno.readTextFileSync(path));
}

Deno.test("cluster status draws the guide's table of three nodes", async () => {
  compare("cluster_status.txt", await printed("cluster status"));
});

Deno.test("cluster status draws dead hosts, a dead server and a failed backup", async () => {
  const { mysql } = statusOf(second);
  const status = statusOf(second, {
    role: "INVALID",
    sentence: "3 transactions exist only here: run xenon mysql rebuildme",
    mysqld: { running: "NOTRUNNING", monitor: "OFF" },
    backup: { state: "NONE", lastError: "no room on disk" },
    mysql: { ...mysql, state: "DEAD", option: "" },
  });
  const changes: Record<string, FakeNode> = {
    [second]: { kind: "up", status },
    [leader]: { kind: "hanging" },
  };
  compare("cluster_status_broken.txt", await printed("cluster status", changes));
});

Deno.test("cluster status json prints exactly the original's keys", async () => {
  compare("cluster_status.json", await printed("cluster status json"));
});

Deno.test("cluster status -o json adds keys and keeps the original's first", async () => {
  compare("cluster_status_all.json", await printed("cluster status -o json"));
});

Deno.test("cluster gtid prints the leader last, as a table and as JSON", async () => {
  compare("cluster_gtid.txt", await printed("cluster gtid"));
  compare("cluster_gtid.json", await printed("cluster gtid json"));
});

Deno.test("mysql status, raft status and raft nodes print the original's keys", async () => {
  compare("mysql_status.json", await printed("mysql status"));
  compare("raft_status.json", await printed("raft status"));
  compare("raft_nodes.txt", await printed("raft nodes"));
});

Deno.test("the help of every command reads as it should, a file for each group", async () => {
  compare("help.txt", await helpOf([[]]));
  for (const group of buildTree(() => {}).commands) {
    const name = group.name();
    const words = [[name], ...group.commands.map((command) => [name, command.name()])];
    compare(`help_${name}.txt`, await helpOf(words));
  }
});

async function helpOf(commands: readonly (readonly string[])[]): Promise<string> {
  const texts = commands.map(async (words) => {
    const line = ["help", ...words].join(" ");
    return `$ xenon ${line}\n${await printed(line)}`;
  });
  return (await Promise.all(texts)).join("\n");
}

Deno.test("the tables T3, T4 and T5 keep their layout", () => {
  const rows = { id: first, raft: "FOLLOWER" } as const;
  const mysql = mysqlTable([{
    ...rows,
    mysql: "ALIVE",
    option: "READONLY",
    position: "[mysql-bin.000002/1547]",
    threads: "[true/true]",
    secondsBehind: "0",
    lastError: "",
  }, { id: leader, silent: true }]);
  const raft = raftTable([{
    ...rows,
    raftAtMysql: "",
    idleCount: 0,
    leaderPromotes: 1,
    leaderDegrades: 0,
    leaderGetHeartbeats: 12,
    leaderGetVotes: 0,
    candidatePromotes: 1,
    candidateDegrades: 0,
    stateUptimeSeconds: 3500.9,
  }, { id: leader, silent: true }]);
  const server = serverTable([{
    id: first,
    status: "FOLLOWER",
    config: [["LogLevel", "INFO"], ["BackupDir", "/u01/backup"], ["Mysql", "localhost:5001"]],
    uptimeSeconds: 3600,
  }, { id: leader, silent: true }]);
  compare("tables.txt", `${mysql}\n${raft}\n${server}`);
});
