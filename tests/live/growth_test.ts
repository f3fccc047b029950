/** Members come and go by the commands, and the leader stays open for writes meanwhile. */
import assert from "node:assert/strict";
import { describeResult, succeeded } from "../../mysql/process.ts";
import { connectAsRoot, stopSandbox } from "../../mysql/sandbox.ts";
import { Ward, type WardNode } from "./bad_input_lab.ts";

const statementMs = 10_000;

Deno.test("two nodes grow to three and shrink again without a write that hangs", async () => {
  await using ward = new Ward();
  const [one, two, third] = await Promise.all([ward.start(), ward.start(), ward.start()]);
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
  // Its server replicates and acknowledges without its agent, so its vote must not go yet.
  await leader.until((status) =>
    status?.sentence.includes("connects again and acknowledges: start its agent") ?? false
  );
  assert.equal((await leader.status())?.members.length, 3);
  await write(leader, "CREATE DATABASE of_three_still");
  await stopSandbox(third.sandbox, { termMs: 0 });
  await leader.until((status) => status?.members.length === 2);
  await write(leader, "CREATE DATABASE of_two_again");

  const again = await second.xenon("cluster", "remove", third.id);
  assert.deepEqual(again.ended, { how: "exit", code: 1 });
  assert.match(again.stderrTail, /is no member/);
});

/** Founds a cluster of two; the leader comes first. Neither has data, so the ids decide. */
async function founded(one: WardNode, two: WardNode): Promise<readonly [WardNode, WardNode]> {
  for (const node of [one, two]) {
    await node.until((status) => status !== null && !status.sentence.includes("; MySQL is "));
  }
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
