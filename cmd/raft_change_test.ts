import assert from "node:assert/strict";
import { exitCodes } from "./exit.ts";
import { createFakeCluster, guideNodes, statusOf } from "./fake_cluster.ts";
import { changeRole } from "./raft_change.ts";

const [local = ""] = guideNodes;
const deadlineMs = 1500;

Deno.test("raft trytoleader confirms, refuses with the reason, and never hangs", async () => {
  const up = createFakeCluster({ [local]: { kind: "up", status: statusOf(local) } });
  const done = await changeRole(up, "trytoleader", { deadlineMs });
  assert.deepEqual([done.code, done.stdout], [exitCodes.ok, `${local} did raft.tryToLeader\n`]);
  const because = "its applier is 90 s behind";
  const refusing = createFakeCluster({ [local]: { kind: "refusing", because } });
  await assert.rejects(
    changeRole(refusing, "trytoleader", { deadlineMs }),
    /Cannot make "192\.168\.0\.109:8801" the leader: its applier is 90 s behind/,
  );
  const hanging = createFakeCluster({ [local]: { kind: "hanging" } });
  await assert.rejects(
    hanging.finish(changeRole(hanging, "trytoleader", { deadlineMs })),
    /Cannot reach the agent at "192\.168\.0\.109:8801" as it does not answer/,
  );
});

Deno.test("raft disable and enable ask the local agent and tell why not", async () => {
  for (const word of ["disable", "enable"] as const) {
    const up = createFakeCluster({ [local]: { kind: "up", status: statusOf(local) } });
    const done = await changeRole(up, word, { deadlineMs });
    assert.equal(done.stdout, `${local} did raft.${word}\n`);
    const because = "it leads and nobody could take over";
    const refusing = createFakeCluster({ [local]: { kind: "refusing", because } });
    await assert.rejects(
      changeRole(refusing, word, { deadlineMs }),
      new RegExp(`Cannot ${word} "192.168.0.109:8801": it leads and nobody could take over`),
    );
  }
});
