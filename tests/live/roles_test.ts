/** Idle nodes and the switch of a node, on real servers: who votes, who acknowledges, who leads. */
import assert from "node:assert/strict";
import { describeResult, type ProcessResult, succeeded } from "../../mysql/process.ts";
import { connectAsRoot } from "../../mysql/sandbox.ts";
import { Ward, type WardNode } from "./bad_input_lab.ts";

const leadMs = 30_000;
const statementMs = 20_000;

Deno.test("an idle node replicates and never acknowledges until it is made a voter", async () => {
  await using ward = new Ward();
  const superIdle = (config: string) => config.replace("[raft]", "[raft]\nsuper-idle = true");
  const [one, two, spare, stayer] = await Promise.all([
    ward.start(),
    ward.start(),
    ward.start(),
    ward.start({ edit: superIdle }),
  ]);
  await refused(one.xenon("cluster", "addidle", spare.id), /is in no cluster yet/);
  await allSeen([one, two, spare, stayer]);
  await refused(one.xenon("cluster", "add", `${two.id},${stayer.id}`), /stays idle/);
  await done(one.xenon("cluster", "add", two.id));
  const leader = await leading([one, two]);

  const added = await done(leader.xenon("cluster", "addidle", `${spare.id},${stayer.id}`));
  assert.match(added, new RegExp(`${spare.id} joined as idle`));
  assert.match(added, /Member list 3 is stored on /);
  for (const node of [spare, stayer]) await node.until((status) => status?.role === "IDLE");
  await write(leader, "CREATE DATABASE of_two");
  await spare.until((status) =>
    status?.mysql.receiverRunning === true && !status.mysql.semiSync.replica
  );
  await leader.until((status) => status?.quorum.n === 2 && status.idle.length === 2);
  await refused(leader.xenon("cluster", "add", stayer.id), /super-idle = true/);
  await refused(
    leader.xenon("cluster", "removeidle", two.id === leader.id ? one.id : two.id),
    /vo/,
  );

  await done(leader.xenon("cluster", "add", spare.id));
  await leader.until((status) => status?.quorum.n === 3 && status.quorum.k === 1);
  await spare.until((status) => status?.role === "FOLLOWER" && status.mysql.semiSync.replica);
  await write(leader, "CREATE DATABASE of_three");
  await done(leader.xenon("cluster", "removeidle", stayer.id));
  await leader.until((status) => status?.members.length === 3);
});

Deno.test("a disabled node neither votes nor acknowledges, and a leader hands over first", async () => {
  await using ward = new Ward();
  const nodes = await Promise.all([ward.start(), ward.start(), ward.start()]);
  const [one, two, three] = nodes;
  await allSeen(nodes);
  await done(one.xenon("cluster", "add", `${two.id},${three.id}`));
  const first = await leading(nodes);
  // A leader that has just opened has nobody to hand over to before the others replicate from it.
  for (const node of nodes.filter((node) => node !== first)) {
    await node.until((status) => status?.role === "FOLLOWER" && status.mysql.receiverRunning);
  }
  await first.until((status) => status?.margin.losses === 1);

  const said = await done(first.xenon("raft", "disable"));
  assert.match(said, /^Disabled until "xenon raft enable"/);
  assert.match(said, /n=3 stays/);
  const second = await leading(nodes.filter((node) => node !== first));
  await first.until((status) => status?.role === "IDLE" && !status.mysql.semiSync.replica);
  await second.until((status) => status?.margin.losses === 0 && status.quorum.n === 3);
  await write(second, "CREATE DATABASE without_the_first");

  // Off survives a restart of the agent, and this node stays off when the leader goes.
  await first.endAgent();
  await first.startAgent();
  await first.until((status) => status?.role === "IDLE" && status.leader === second.id);
  await done(first.xenon("raft", "enable"));
  await first.until((status) => status?.role === "FOLLOWER" && status.mysql.semiSync.replica);
  await second.until((status) => status?.margin.losses === 1);
  await lead(first);
  await write(first, "CREATE DATABASE of_all");

  // A transaction of its own is left out of comparisons, until the node leads and gives it to all.
  await second.until((status) => status?.role === "FOLLOWER" && status.leader === first.id);
  await write(second, "FLUSH TABLES");
  await errantOf(second, (errant) => errant !== "");
  await lead(second);
  await errantOf(second, (errant) => errant === "");
  await lead(first);
});

/** Takes the leadership over. The others may still be on their way to the leader of a moment ago. */
async function lead(node: WardNode): Promise<void> {
  const endsAt = performance.now() + leadMs;
  while (true) {
    const result = await node.xenon("raft", "trytoleader");
    if (succeeded(result)) return;
    assert.ok(performance.now() < endsAt, describeResult(result));
    assert.match(result.stderrTail, /does not replicate from me|has not read all|is not complete/);
  }
}

/** Waits for what the node's state file says about transactions of its own. */
async function errantOf(node: WardNode, wanted: (errant: string) => boolean): Promise<void> {
  await node.until(() => wanted(JSON.parse(node.state()).payload.memory.errant));
}

async function done(command: Promise<ProcessResult>): Promise<string> {
  const result = await command;
  assert.ok(succeeded(result), describeResult(result));
  return result.stdoutTail;
}

async function refused(command: Promise<ProcessResult>, because: RegExp): Promise<void> {
  const result = await command;
  assert.deepEqual(result.ended, { how: "exit", code: 1 }, describeResult(result));
  assert.match(result.stderrTail, because);
}

/** Every agent has looked at its server. */
async function allSeen(nodes: readonly WardNode[]): Promise<void> {
  for (const node of nodes) {
    await node.until((status) => status !== null && !status.sentence.includes("; MySQL is "));
  }
}

/** The node that leads and is open, as all of these see it. */
async function leading(nodes: readonly WardNode[]): Promise<WardNode> {
  const [any] = nodes;
  assert.ok(any !== undefined);
  const ids = nodes.map((node) => node.id);
  const status = await any.until((seen) => ids.includes(seen?.leader ?? ""));
  const leader = nodes.find((node) => node.id === status?.leader);
  assert.ok(leader !== undefined);
  await leader.until((seen) => seen?.mysql.option === "READWRITE");
  return leader;
}

async function write(node: WardNode, sql: string): Promise<void> {
  await using connection = await connectAsRoot(node.sandbox, statementMs);
  await connection.query(sql, { deadlineMs: statementMs });
}
