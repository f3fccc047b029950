/** Nodes get a new copy of the cluster's data by the CLONE plugin, while writes go on. */
import assert from "node:assert/strict";
import { findFreePorts } from "../../mysql/sandbox.ts";
import { poll } from "../../cmd/demo/lab.ts";
import type { LabNode } from "../../cmd/demo/lab_node.ts";
import { describeResult, succeeded } from "../../mysql/process.ts";
import { leftovers, patienceMs, RebuildLab, uuidOf } from "./rebuild_lab.ts";
import { NewHost } from "./rebuild_new_host.ts";

/** A busy machine is slow. */
const statementMs = 30_000;
const long = { deadlineMs: 240_000 };

Deno.test("rebuildme gives a node a new copy while writes go on", async (test) => {
  await using ward = await RebuildLab.open();

  await test.step("a healthy follower, in the original's numbered steps", () =>
    rebuildFollower(ward));
  await test.step("a node whose data was deleted by accident", () => rebuildEmptied(ward));
  await test.step("transactions that exist only here are saved before they go", () =>
    saveExtra(ward));
  await test.step("the leader is refused, and so is a donor that nobody knows", () =>
    refuseWrongNodes(ward));
  await test.step(
    "an empty host becomes a member by rebuildme and cluster add; its server is a service that " +
      "keeps its logs in folders of their own, which a second rebuild moves too",
    () => addNewHost(ward),
  );
  await test.step("an old leader with a tail of its own rebuilds itself where rejoin says so", () =>
    rejoinByItself(ward));
  await ward.verdict();
});

async function rebuildFollower(ward: RebuildLab): Promise<void> {
  const { lab } = ward;
  const { joiner } = await ward.cast();
  const before = await uuidOf(joiner);
  const result = await lab.xenon(joiner, ["mysql", "rebuildme"], long);
  assert.ok(succeeded(result), describeResult(result));
  const steps = [...result.stdoutTail.matchAll(/^S(\d+) /gm)].map(([, number]) => Number(number));
  assert.deepEqual([...new Set(steps)], Array.from({ length: 18 }, (_, index) => index + 1));
  assert.match(result.stdoutTail, /^S8 old data moved aside to .*\/\.xenon-old-\d+$/m);
  assert.match(result.stdoutTail, /^completed OK!$/m);
  assert.notEqual(await uuidOf(joiner), before);
  assert.deepEqual(leftovers(joiner), []);
  await ward.whole();
}

async function rebuildEmptied(ward: RebuildLab): Promise<void> {
  const { lab } = ward;
  const { joiner } = await ward.cast();
  await joiner.signalServer("SIGKILL");
  Deno.removeSync(joiner.sandbox.dataFolder, { recursive: true });
  const refused = await lab.xenon(joiner, ["mysql", "rebuildme", "--dry-run"], long);
  assert.ok(succeeded(refused), describeResult(refused));
  assert.match(refused.stdoutTail, /^would do S8 not needed: there is no old data$/m);
  const result = await lab.xenon(joiner, ["mysql", "rebuildme", "--method=clone"], long);
  assert.ok(succeeded(result), describeResult(result));
  await ward.whole();
}

async function saveExtra(ward: RebuildLab): Promise<void> {
  const { lab } = ward;
  const { joiner } = await ward.cast();
  const uuid = await uuidOf(joiner);
  await using connection = await joiner.root(statementMs);
  // Under super_read_only this is a transaction of the server's own.
  await connection.query("FLUSH PRIVILEGES", { deadlineMs: statementMs });
  await connection.close();
  const refused = await lab.xenon(joiner, ["mysql", "rebuildme"], long);
  assert.match(refused.stderrTail, /exists? only here.*max-allowed-local-trx-count allows 0/);
  const result = await lab.xenon(joiner, ["mysql", "rebuildme", "--force"], long);
  assert.ok(succeeded(result), describeResult(result));
  const [, folder = ""] = /^Saved what exists only here to (\S+): 1 of 1/m
    .exec(result.stdoutTail) ?? [];
  assert.match(Deno.readTextFileSync(`${folder}/extra.sql`), new RegExp(`${uuid}:1'.*`, "i"));
  assert.match(Deno.readTextFileSync(`${folder}/README`), new RegExp(`${uuid}:1`));
  await ward.whole();
}

async function refuseWrongNodes(ward: RebuildLab): Promise<void> {
  const { lab } = ward;
  const { leader, joiner } = await ward.cast();
  const leading = await lab.xenon(leader, ["mysql", "rebuildme"], long);
  assert.match(leading.stderrTail, /This node leads: hand over first/);
  const [port = 0] = findFreePorts(1);
  const nobody = await lab.xenon(joiner, ["mysql", "rebuildme", `--from=127.0.0.1:${port}`], long);
  assert.match(nobody.stderrTail, /cannot be copied as its agent does not answer/);
}

async function addNewHost(ward: RebuildLab): Promise<void> {
  const { lab } = ward;
  const { leader, other } = await ward.cast();
  await using host = await NewHost.open(ward);
  const { node } = host;
  const rebuilt = await lab.xenon(node, ["mysql", "rebuildme", `--from=${other.id}`], long);
  assert.ok(succeeded(rebuilt), describeResult(rebuilt));
  assert.match(rebuilt.stdoutTail, new RegExp(`xenon cluster add ${node.id}`));
  const joined = await lab.xenon(leader, ["cluster", "add", node.id]);
  assert.ok(succeeded(joined), describeResult(joined));
  await votes(ward, node);
  const again = await lab.xenon(node, ["mysql", "rebuildme", `--from=${other.id}`], long);
  assert.ok(succeeded(again), describeResult(again));
  for (const folder of [node.sandbox.dataFolder, ...host.logFolders]) {
    assert.match(again.stdoutTail, new RegExp(`^S8 .*${folder}/\\.xenon-old-2\\b`, "m"));
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assert.deepEqual(names.filter((name) => name.startsWith(".xenon-")), [], folder);
    assert.notDeepEqual(names, [], folder);
  }
  assert.match(host.manager.calls(), /^--no-ask-password stop --no-block -- /m);
  await votes(ward, node);
  const removed = await lab.xenon(leader, ["cluster", "remove", "--wait", node.id]);
  assert.ok(succeeded(removed), describeResult(removed));
}

function votes(ward: RebuildLab, node: LabNode): Promise<void> {
  return ward.until(
    node,
    ({ role, voters, mysql }) =>
      role === "FOLLOWER" && voters.length === 4 && mysql.semiSync.replica && mysql.receiverRunning,
  );
}

async function rejoinByItself(ward: RebuildLab): Promise<void> {
  const { leader: former } = await ward.cast();
  const before = await uuidOf(former);
  letRejoin(former);
  await leaveTail(ward, former);
  await former.startAgent();
  await ward.until(
    former,
    (status) =>
      status.role === "FOLLOWER" && status.mysql.receiverRunning &&
      !["", before].includes(status.mysql.serverUuid),
  );
  const { job } = await ward.ended(former, null);
  assert.equal(job.state, "done", job.sentence);
  const [saved] = [...Deno.readDirSync(metaOf(former))]
    .filter(({ name }) => name.startsWith("saved-job-"));
  assert.ok(saved !== undefined, "its transactions were saved first");
}

/** What the next agent of the node reads. */
function letRejoin(node: LabNode): void {
  const text = Deno.readTextFileSync(node.configPath);
  Deno.writeTextFileSync(node.configPath, text.replace("[raft]", '[raft]\nrejoin = "rebuild"'));
}

function metaOf(node: LabNode): string {
  return /meta-datadir = "([^"]+)"/.exec(Deno.readTextFileSync(node.configPath))?.[1] ?? "";
}

/** The leader dies with a commit that no other server has, and another one leads. */
async function leaveTail(ward: RebuildLab, former: LabNode): Promise<void> {
  const followers = ward.lab.nodes.filter((node) => node !== former);
  // It would close its server when the followers are silent, and the followers start the receivers again.
  former.signalAgent("SIGSTOP");
  for (const node of followers) node.signalAgent("SIGSTOP");
  for (const node of followers) {
    await using connection = await node.root(statementMs);
    await connection.query("STOP REPLICA IO_THREAD", { deadlineMs: statementMs });
  }
  const writer = await former.root(statementMs);
  // It waits for an acknowledgement that never comes, and ends with its server.
  const waiting = writer.query("CREATE DATABASE tail", { deadlineMs: statementMs }).catch(() => {});
  await commitsWait(former);
  former.signalAgent("SIGKILL");
  await former.signalServer("SIGKILL");
  await waiting;
  await former.agentGone();
  for (const node of followers) node.signalAgent("SIGCONT");
  assert.ok(await ward.lab.waitForLeader(patienceMs, [former]), await ward.sentences());
}

/** A commit that waits is in the binary log, so it is there after a crash too. */
async function commitsWait(node: LabNode): Promise<void> {
  await using connection = await node.root(statementMs);
  const sql = "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_source_wait_sessions'";
  const waits = async () => {
    const [row] = await connection.query(sql, { deadlineMs: statementMs });
    return Number(row?.["Value"]) >= 1 || null;
  };
  assert.ok(await poll(patienceMs, waits), "no commit waits");
}
