/** Members come and go by the commands, and the leader stays open for writes meanwhile. */
import assert from "node:assert/strict";
import { describeResult, succeeded } from "../../mysql/process.ts";
import { connectAsRoot } from "../../mysql/sandbox.ts";
import { Ward, type WardNode } from "./bad_input_lab.ts";
import { pause } from "../../mysql/time_left.ts";

const statementMs = 10_000;
/**
 * Shorter than the second for which a server answers nobody while its semi-sync is switched off, as it is
 * where two voters are left.
 */
const impatient = {
  edit: (config: string) =>
    config.replace("[mysql]", "[mysql]\nping-timeout = 600\nadmit-defeat-ping-count = 1"),
};
/** ER_ACCOUNT_HAS_BEEN_LOCKED. */
const lockedAccount = 3118;

Deno.test("two nodes grow to three and shrink again without a write that hangs", async () => {
  await using ward = new Ward();
  const [one, two, third] = await Promise.all([
    ward.start(impatient),
    ward.start(impatient),
    ward.start(impatient),
  ]);
  const [leader, second] = await founded(one, two);
  await write(leader, "CREATE DATABASE of_two");

  const added = await second.xenon("cluster", "add", third.id);
  assert.match(
    added.stdoutTail,
    new RegExp(`^${third.id} joined as learner`),
    describeResult(added),
  );
  await leader.until((status) => status?.voters.length === 3);
  await write(leader, "CREATE DATABASE of_three");
  await third.until((status) => status?.role === "FOLLOWER" && status.mysql.semiSync.replica);

  await third.endAgent();
  const removed = await second.xenon("cluster", "remove", third.id);
  assert.match(removed.stdoutTail, new RegExp(`^${third.id} leaves`), describeResult(removed));
  // Its server would go on acknowledging without its agent.
  await leader.until((status) => status?.members.length === 2);
  await write(leader, "CREATE DATABASE of_two_again");
  assert.doesNotMatch(leader.log(), /hung/);
  await isRefused(third);

  const again = await second.xenon("cluster", "remove", third.id);
  assert.deepEqual(again.ended, { how: "exit", code: 1 });
  assert.match(again.stderrTail, /is no member/);
  await loseSecond(leader, second, third);
});

/** The second of two voters is dead for good: it is taken out, and another one gets its place. */
async function loseSecond(leader: WardNode, second: WardNode, next: WardNode): Promise<void> {
  await second.endAgent();
  Deno.kill(Number(Deno.readTextFileSync(second.sandbox.pidFile)), "SIGKILL");
  await write(leader, "CREATE DATABASE beside_a_dead_one");
  const removed = await leader.xenon("cluster", "remove", second.id);
  assert.match(removed.stdoutTail, new RegExp(`^${second.id} leaves`), describeResult(removed));
  await leader.until((status) => status?.members.length === 1);
  await write(leader, "CREATE DATABASE of_one");

  await next.startAgent();
  const added = await leader.xenon("cluster", "add", next.id);
  assert.ok(succeeded(added), describeResult(added));
  await leader.until((status) => status?.voters.length === 2);
  await next.until((status) => status?.role === "FOLLOWER" && status.voters.length === 2);
  await write(leader, "CREATE DATABASE of_two_at_last");
}

Deno.test("a voter of four that is cut off and removed acknowledges nothing when it is back", async () => {
  await using ward = new Ward();
  const nodes = await Promise.all([1, 2, 3, 4].map(() => ward.start()));
  const [first, ...others] = nodes as [WardNode, ...WardNode[]];
  for (const node of nodes) await isReady(node);
  const result = await first.xenon("cluster", "add", others.map(({ id }) => id).join(","));
  assert.ok(succeeded(result), describeResult(result));
  const status = await first.until((status) => (status?.leader ?? "") !== "");
  const leader = nodes.find(({ id }) => id === status?.leader) ?? first;
  const away = nodes.findLast((node) => node !== leader)!;
  await away.until((status) => status?.mysql.semiSync.replica === true);

  await away.endAgent();
  const pid = Number(Deno.readTextFileSync(away.sandbox.pidFile));
  Deno.kill(pid, "SIGSTOP");
  const removed = await leader.xenon("cluster", "remove", away.id);
  assert.match(removed.stdoutTail, new RegExp(`^${away.id} leaves`), describeResult(removed));
  await leader.until((status) => status?.members.length === 3);
  Deno.kill(pid, "SIGCONT");
  await isRefused(away);
  assert.equal(await clientsOf(leader), 2);
  const had = await executedOn(away);
  await write(leader, "CREATE DATABASE of_three");
  assert.equal(await executedOn(away), had);

  await away.startAgent();
  const again = await leader.xenon("cluster", "add", away.id);
  assert.ok(succeeded(again), describeResult(again));
  await leader.until((status) => status?.voters.length === 4);
  await away.until((status) => status?.role === "FOLLOWER" && status.mysql.semiSync.replica);
  await write(leader, "CREATE DATABASE of_four");
});

/** The server connects again by itself, and its account is locked. */
async function isRefused(node: WardNode): Promise<void> {
  await using connection = await connectAsRoot(node.sandbox, statementMs);
  const endsAt = performance.now() + 30_000;
  for (let errno = 0; errno !== lockedAccount;) {
    const [row] = await connection.query("SHOW REPLICA STATUS", { deadlineMs: statementMs });
    errno = Number(row?.["Last_IO_Errno"]);
    if (performance.now() > endsAt) throw new Error(`${node.id} is not refused: error ${errno}`);
    await pause(50);
  }
}

async function clientsOf(node: WardNode): Promise<number> {
  await using connection = await connectAsRoot(node.sandbox, statementMs);
  const sql = "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_source_clients'";
  const [row] = await connection.query(sql, { deadlineMs: statementMs });
  return Number(row?.["Value"]);
}

async function executedOn(node: WardNode): Promise<string> {
  await using connection = await connectAsRoot(node.sandbox, statementMs);
  const sql = "SELECT @@GLOBAL.gtid_executed AS executed";
  const [row] = await connection.query(sql, { deadlineMs: statementMs });
  return String(row?.["executed"]);
}

async function isReady(node: WardNode): Promise<void> {
  await node.until((status) => status !== null && !status.sentence.includes("; MySQL is "));
}

/** Founds a cluster of two; the leader comes first. Neither has data, so the ids decide. */
async function founded(one: WardNode, two: WardNode): Promise<readonly [WardNode, WardNode]> {
  for (const node of [one, two]) await isReady(node);
  const result = await one.xenon("cluster", "add", two.id);
  assert.ok(succeeded(result), describeResult(result));
  const status = await two.until((status) => (status?.leader ?? "") !== "");
  return status?.leader === one.id ? [one, two] : [two, one];
}

async function write(node: WardNode, sql: string): Promise<void> {
  await node.until((status) => status?.mysql.option === "READWRITE");
  await using connection = await connectAsRoot(node.sandbox, statementMs);
  await connection.query(sql, { deadlineMs: statementMs });
}
