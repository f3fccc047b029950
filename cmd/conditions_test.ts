import assert from "node:assert/strict";
import type { NodeStatus } from "../agent/wire_status.ts";
import {
  clusterIsHealthy,
  leaderIsOpen,
  nodesAreGone,
  nodesAreIdle,
  nodesVote,
} from "./conditions.ts";
import { guideNodes, statusOf } from "./fake_cluster.ts";
import type { Gathered, NodeAnswer } from "./gather.ts";

const [first = "", second = "", leader = ""] = guideNodes;

/** The guide's three nodes, but for these changes; null for a node that does not answer. */
function gathered(changes: Readonly<Record<string, Partial<NodeStatus> | null>> = {}): Gathered {
  const nodes = guideNodes.map((id): NodeAnswer => {
    const change = id in changes ? changes[id] : {};
    if (change === null) return { kind: "missing", id, because: "no answer within 1.5 s" };
    return { kind: "answered", id, status: statusOf(id, change) };
  });
  const lead = nodes.find((node) => node.kind === "answered" && node.status.role === "LEADER");
  const view = lead?.kind === "answered" ? lead.status : statusOf(first);
  return { nodes, view };
}

Deno.test("leaderIsOpen() wants a leader whose server takes writes, whoever else is missing", () => {
  assert.equal(leaderIsOpen(gathered({ [first]: null, [second]: null })), null);
  assert.equal(leaderIsOpen(gathered({ [leader]: null })), "nobody leads");
  const { mysql } = statusOf(leader);
  const closed = `${leader} leads, but its server is not open for writes yet`;
  const shut = gathered({ [leader]: { mysql: { ...mysql, option: "READONLY" } } });
  assert.equal(leaderIsOpen(shut), closed);
  const promoting = gathered({ [leader]: { promotion: "WaitUntilAfterGTID" } });
  assert.equal(leaderIsOpen(promoting), closed);
});

Deno.test("clusterIsHealthy() names the first thing that is not well", () => {
  assert.equal(clusterIsHealthy(gathered()), null);
  const { mysql } = statusOf(second);
  const cases: readonly (readonly [Partial<NodeStatus> | null, RegExp])[] = [
    [null, /154:8801 does not answer \(no answer within 1\.5 s\)/],
    [{ role: "LEARNER", sentence: "catching up" }, /154:8801 is LEARNER: catching up/],
    [{ role: "IDLE" }, /154:8801 is IDLE/],
    [{ leader: "" }, /154:8801 does not know 192\.168\.0\.155:8801 as leader yet/],
    [{ mysql: { ...mysql, state: "DEAD" } }, /the server of 192\.168\.0\.154:8801 is DEAD/],
    [{ mysql: { ...mysql, applierRunning: false } }, /154:8801 does not replicate yet/],
  ];
  for (const [change, pattern] of cases) {
    assert.match(clusterIsHealthy(gathered({ [second]: change })) ?? "well", pattern);
  }
  const idle = gathered({ [second]: { role: "IDLE" }, [leader]: { idle: [second] } });
  assert.equal(clusterIsHealthy(idle), null, "an idle member is meant to be idle");
  assert.equal(clusterIsHealthy(gathered({ [second]: { role: "WITNESS" } })), null);
});

Deno.test("changes of members are complete in the leader's own record", () => {
  assert.equal(nodesVote([second])(gathered()), null);
  const joining = gathered({ [leader]: { voters: [first, leader], idle: [second] } });
  assert.equal(nodesVote([second])(joining), `${second} has no vote yet`);
  assert.match(nodesVote([second])(gathered({ [second]: null })) ?? "", /does not answer/);
  assert.equal(nodesAreIdle([second])(gathered()), `${second} is not idle yet`);
  const idle = gathered({ [leader]: { idle: [second] }, [second]: { role: "IDLE" } });
  assert.equal(nodesAreIdle([second])(idle), null);
  assert.equal(nodesAreGone([second])(gathered()), `${second} is still a member`);
  assert.equal(nodesAreGone(["10.0.0.9:8801"])(gathered()), null);
});
