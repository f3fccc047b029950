/** dist/xenon in an operator's hands: every command of his against three real nodes, well and ill. */
import assert from "node:assert/strict";
import { Lab } from "../../cmd/demo/lab.ts";
import type { LabNode } from "../../cmd/demo/lab_node.ts";
import { stackPrograms } from "../../cmd/stacks.ts";
import { type ProcessResult, run as runProgram } from "../../mysql/process.ts";
import { cacheFolder, findMysqld } from "./lab.ts";
import { pause } from "../../mysql/time_left.ts";

const program = new URL("../../dist/xenon", import.meta.url).pathname;
const waitMs = 60_000;
/** A command that asks in vain takes its deadline and a start of the program on a busy machine. */
const vainMsMax = 30_000;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

async function withCluster(test: (lab: Lab, leader: LabNode) => Promise<void>): Promise<void> {
  const mysqld = await findMysqld();
  await using lab = new Lab({
    mysqld,
    cacheFolder,
    program: [program],
    timing: "default",
    say: () => {},
  });
  await lab.open();
  assert.ok(await lab.waitWhole(waitMs), "a whole cluster");
  const leader = await lab.waitForLeader(waitMs);
  assert.ok(leader !== null);
  await test(lab, leader);
}

/** Runs a command line with the config of a node; blanks separate its words. */
async function run(lab: Lab, node: LabNode, line: string): Promise<Ended> {
  const result = await lab.xenon(node, line.split(" "));
  return { ...codeOf(result), durationMs: result.durationMs };
}

function codeOf(result: ProcessResult): Omit<Ended, "durationMs"> {
  const { ended, stdoutTail: stdout, stderrTail: stderr } = result;
  assert.equal(ended.how, "exit", JSON.stringify(ended));
  return { code: ended.how === "exit" ? ended.code : -1, stdout, stderr };
}

/** Commands that must end well, on the leader's host. */
function operator(lab: Lab, leader: LabNode) {
  const well = async (line: string) => {
    const { code, stdout, stderr } = await run(lab, leader, `${line} --timeout 60`);
    assert.deepEqual([code, stderr], [0, ""], `${line}: ${stdout}${stderr}`);
    return stdout;
  };
  /** One column of a table of nodes. */
  const column = async (line: string, title: string) => {
    const lines = (await well(`${line} -o tsv`)).trimEnd().split("\n");
    const [header = [], ...rows] = lines.map((row) => row.split("\t"));
    return rows.map((row) => row[header.indexOf(title)] ?? "");
  };
  return { well, column };
}

Deno.test("every command shows a whole cluster, and ends with 0", async (test) => {
  await withCluster(async (lab, leader) => {
    await test.step("the whole cluster", () => showsCluster(lab, leader));
    await test.step("its log", () => showsLog(lab, leader));
    await test.step("the host", () => showsHost(lab, leader));
  });
});

async function showsCluster(lab: Lab, leader: LabNode): Promise<void> {
  const { well, column } = operator(lab, leader);
  await well("cluster status --wait");
  await well("cluster status --wait-leader");
  const table = await well("cluster status");
  assert.match(table, /\(3 rows\)\nn=3 q=2 k=1: 3 of 3 voters healthy/);
  for (const { id } of lab.nodes) assert.ok(table.includes(`| ${id} `), table);
  assert.match(await well("cluster status -o yaml"), /^status:\n {2}- id: "127/);
  const exact = JSON.parse(await well("cluster status json"));
  assert.equal(
    Object.keys(exact.status[0]).join(" "),
    "id raft mysqld-info monitor-info backup-info mysql-info slave-info myleader",
  );
  assert.equal((await column("cluster gtid", "ID")).at(-1), leader.id, "the leader comes last");
  const options = (await column("cluster mysql", "Option")).sort();
  assert.deepEqual(options, ["READONLY", "READONLY", "READWRITE"]);
  assert.deepEqual(await column("cluster mysql", "Mysql"), ["ALIVE", "ALIVE", "ALIVE"]);
  assert.ok((await column("cluster raft", "LPromotes")).some((count) => Number(count) >= 1));
  assert.deepEqual(await column("cluster raft", "Leader"), [leader.id, leader.id, leader.id]);
  const [settings = ""] = await column("cluster xenon", "Config");
  assert.match(settings, /LogLevel:\[INFO\].*RaftHeartbeatTimeout:\[200\]/);
  assert.equal((await column("version --all", "Xenon")).length, 3);
}

async function showsLog(lab: Lab, leader: LabNode): Promise<void> {
  const log = await run(lab, leader, "cluster log --start-datetime 1h");
  assert.equal(log.code, 0);
  assert.match(log.stderr, /^xenon: Times are those of each host's own clock/);
  for (const { id } of lab.nodes) {
    assert.match(log.stdout, new RegExp(`^${id} \\d{4}-.*\\[INFO\\]`, "m"));
  }
  assert.match(log.stdout, /Leading term \d+/);
  const early = await run(lab, leader, "cluster log --stop-datetime 2001-01-01");
  assert.deepEqual([early.code, early.stdout], [0, ""]);
}

async function showsHost(lab: Lab, leader: LabNode): Promise<void> {
  const { well, column } = operator(lab, leader);
  assert.equal(await well("ping"), "");
  assert.equal(await well("xenon ping"), "");
  assert.match(await well("version"), /^xenon \d/);
  assert.match(await well("config check"), /is good\n$/);
  assert.match(await well("config show -o tsv"), /^server\.endpoint\t127\.0\.0\.1:\d+\tfile$/m);
  // Members are stored in the order of their names.
  const nodes = lab.nodes.map(({ id }) => id).sort();
  const state = { state: "LEADER", leader: leader.id, nodes };
  assert.deepEqual(JSON.parse(await well("raft status")), state);
  assert.deepEqual(await column("raft nodes", "Nodes"), nodes);
  assert.equal(JSON.parse(await well("mysql status")).mysql_working, true);
  const [follower = leader] = lab.nodes.filter((node) => node !== leader);
  const stacks = await run(lab, follower, "perf quickstack");
  // Which program is there is the machine's business; gdb may take too long on a busy one.
  if (stacks.code === 0) assert.match(stacks.stderr, /^xenon: stacks of process \d+ taken by \w/);
  else if (!await hasStackProgram()) assert.match(stacks.stderr, /as none of .* is installed/);
  else assert.match(stacks.stderr, /^xenon: Cannot take .* still running after \d+ ms.*; next: /);
}

async function hasStackProgram(): Promise<boolean> {
  const found = await Promise.all(stackPrograms.map(async ({ name }) => {
    const { ended } = await runProgram([name, "--version"], { deadlineMs: waitMs });
    return ended.how !== "notStarted";
  }));
  return found.includes(true);
}

/** Lines that nobody can mean. */
const wrongLines = [
  "cluster",
  "cluster stats",
  "cluster status xml",
  "cluster status -o xml",
  "cluster status --timeout soon",
  "cluster add",
  "cluster add 10.0.0.1",
  "cluster remove a:1 b:1",
  "cluster mysql json",
  "cluster log --start-datetime never",
  "raft",
  "raft trytoleader now",
  "perf quickstack xml",
  "completion tcsh",
  "config convert",
  "init --port 0",
  "help nothing",
];

Deno.test("every command says what is wrong with a cluster that is ill, in time", async () => {
  await withCluster(async (lab, leader) => {
    const [frozen, dead] = lab.nodes.filter((node) => node !== leader) as [LabNode, LabNode];
    const seen = ["status", "gtid", "mysql", "raft", "xenon", "log"].map((kind) =>
      `cluster ${kind}`
    )
      .concat("version --all");

    for (const line of wrongLines) {
      const { code, stdout, stderr } = await run(lab, leader, line);
      assert.deepEqual([code, stdout], [2, ""], `${line}: ${stdout}${stderr}`);
      assert.match(stderr, /^xenon: Cannot .*; next: xenon help.*\n$/, line);
    }

    // The kernel goes on accepting connections for a frozen agent.
    frozen.signalAgent("SIGSTOP");
    dead.signalAgent("SIGKILL");
    for (const line of seen) {
      const { code, stdout, stderr, durationMs } = await run(lab, leader, `${line} --timeout 1`);
      assert.equal(code, 3, `${line}: ${stdout}${stderr}`);
      assert.ok(durationMs < vainMsMax, `${line} took ${durationMs} ms`);
      if (line !== "cluster log") assert.match(stdout, /UNKNOW/, line);
    }
    const status = await run(lab, leader, "cluster status --timeout 1");
    assert.match(status.stdout, new RegExp(`${frozen.id}: no facts: .*did not answer within 1000`));
    assert.match(status.stdout, new RegExp(`${dead.id}: no facts: .*no agent runs there`));

    // Alone, the leader closes its server and steps down.
    await waitFor(async () => (await leader.status())?.role !== "LEADER");
    const vain = await run(lab, leader, "cluster status --wait-leader --timeout 2");
    assert.equal(vain.code, 1);
    assert.match(vain.stdout, /\(3 rows\)/);
    assert.match(vain.stderr, /^xenon: Cannot see an open leader within 2 s: .*; next: /m);
    for (const line of ["cluster add 127.0.0.1:9", "raft trytoleader"]) {
      const { code, stdout, stderr } = await run(lab, leader, `${line} --timeout 20`);
      assert.deepEqual([code, stdout], [1, ""], `${line}: ${stdout}${stderr}`);
      assert.match(stderr, /^xenon: Cannot .*; next: .*\n$/, line);
    }

    const own = ["raft status", "raft nodes", "raft trytoleader", "mysql status", "ping"];
    for (const line of [...seen, ...own, "cluster add 127.0.0.1:9", "cluster remove 127.0.0.1:9"]) {
      const { code, stdout, stderr } = await run(lab, dead, `${line} --timeout 1`);
      assert.deepEqual([code, stdout], [1, ""], line);
      assert.match(stderr, /^xenon: Cannot reach the agent at ".*; next: start it with/, line);
    }
    frozen.signalAgent("SIGCONT");
  });
});

async function waitFor(holds: () => Promise<boolean>): Promise<void> {
  const endsAt = performance.now() + waitMs;
  while (!await holds()) {
    assert.ok(performance.now() < endsAt, "It never came to be");
    await pause(50);
  }
}
