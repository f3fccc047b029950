/** The password of the replicas is changed as docs/operations.md says, on real servers and agents. */
import assert from "node:assert/strict";
import type { Lab } from "../../cmd/demo/lab.ts";
import type { LabNode } from "../../cmd/demo/lab_node.ts";
import { describeResult, succeeded } from "../../mysql/process.ts";
import { openAgents, sentencesOf } from "./agents_lab.ts";

const patienceMs = 60_000;

Deno.test("a change of the replication password outlives every change of leader", async (test) => {
  await using lab = await openAgents(patienceMs);
  const former = await lab.leader();
  assert.ok(former !== null);
  const others = lab.nodes.filter((node) => node !== former);

  await test.step("the agents are restarted one after the other, the leader's last", async () => {
    await Deno.writeTextFile(`${lab.folder}/replication.password`, "an entirely new one\n");
    for (const node of others) {
      await restartAgent(node);
      await whole(lab);
    }
    former.signalAgent("SIGTERM");
    await former.agentGone();
    assert.ok(await lab.waitForLeader(patienceMs, [former]), await sentencesOf(lab));
    await former.startAgent();
    await whole(lab);
  });

  await test.step("every node can be handed the leadership", async () => {
    for (const node of [...others, former]) {
      if (await lab.leader() === node) continue;
      const result = await lab.xenon(node, ["raft", "trytoleader"]);
      assert.ok(succeeded(result), describeResult(result));
      await whole(lab);
      assert.equal(await lab.leader(), node);
    }
  });
});

async function restartAgent(node: LabNode): Promise<void> {
  node.signalAgent("SIGTERM");
  await node.agentGone();
  await node.startAgent();
}

async function whole(lab: Lab): Promise<void> {
  assert.ok(await lab.waitWhole(patienceMs), await sentencesOf(lab));
}
