import assert from "node:assert/strict";
import { exitCodes } from "./exit.ts";
import { createFakeCluster, guideNodes, statusOf } from "./fake_cluster.ts";
import { raftTryToLeader } from "./raft_change.ts";

const [local = ""] = guideNodes;
const deadlineMs = 1500;

Deno.test("raftTryToLeader() confirms, refuses with the reason, and never hangs", async () => {
  const up = createFakeCluster({ [local]: { kind: "up", status: statusOf(local) } });
  const done = await raftTryToLeader(up, { deadlineMs });
  assert.deepEqual([done.code, done.stdout], [exitCodes.ok, `${local} did raft.tryToLeader\n`]);
  const because = "its applier is 90 s behind";
  const refusing = createFakeCluster({ [local]: { kind: "refusing", because } });
  await assert.rejects(
    raftTryToLeader(refusing, { deadlineMs }),
    /Cannot make "192\.168\.0\.109:8801" the leader: its applier is 90 s behind/,
  );
  const hanging = createFakeCluster({ [local]: { kind: "hanging" } });
  await assert.rejects(
    hanging.finish(raftTryToLeader(hanging, { deadlineMs })),
    /Cannot reach the agent at "192\.168\.0\.109:8801" as it does not answer/,
  );
});
