/**
 * MySQL lets nobody log in while a change of an account waits for its acknowledgement: replicas that have
 * to connect again just then cannot, and the change waits for them. Nothing but another leader helps.
 */
import assert from "node:assert/strict";
import { connectAsRoot } from "../../mysql/sandbox.ts";
import { openAgents, sentencesOf } from "./agents_lab.ts";

const patienceMs = 60_000;
const limits = { deadlineMs: patienceMs } as const;
const count = "SELECT COUNT(*) AS n FROM mysql.user WHERE User = 'late'";

Deno.test("replicas that are cut off beside a CREATE USER get another leader", async () => {
  await using lab = await openAgents(patienceMs);
  const former = await lab.leader();
  assert.ok(former !== null);
  await using root = await connectAsRoot(former.sandbox, patienceMs);
  for (const { sandbox } of lab.nodes.filter((node) => node !== former)) {
    await using replica = await connectAsRoot(sandbox, patienceMs);
    await replica.query("STOP REPLICA IO_THREAD", limits);
  }
  const acknowledged = await root.query("CREATE USER late IDENTIFIED BY 'Wait for 1'", limits)
    .then(() => true, () => false);
  const leader = acknowledged ? await lab.leader() : await lab.waitForLeader(patienceMs, [former]);
  assert.ok(leader !== null, await sentencesOf(lab));
  await using open = await connectAsRoot(leader.sandbox, patienceMs);
  const [row] = await open.query(count, limits);
  assert.equal(Number(row?.["n"]), acknowledged ? 1 : 0);
  await open.query("CREATE USER late_again IDENTIFIED BY 'Wait for 2'", limits);
});
