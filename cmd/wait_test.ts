import assert from "node:assert/strict";
import { clusterIsHealthy, leaderIsOpen } from "./conditions.ts";
import { exitCodes } from "./exit.ts";
import { createFakeCluster, type FakeNode, guideNodes, statusOf } from "./fake_cluster.ts";
import { createFakeWorld } from "./fake_world.ts";
import type { Programs } from "./ports.ts";
import { run } from "./run.ts";
import { waitUntil } from "./wait.ts";

const [first = "", , leader = ""] = guideNodes;
const wait = { condition: leaderIsOpen, wanted: "an open leader", limitMs: 5000, deadlineMs: 1500 };

function healthy(): Record<string, FakeNode> {
  return Object.fromEntries(guideNodes.map((id) => [id, { kind: "up", status: statusOf(id) }]));
}

/** A cluster that changes while somebody waits: the change happens after so many pauses. */
function changing(
  before: Record<string, FakeNode>,
  { after, pauses }: { readonly after: Record<string, FakeNode>; readonly pauses: number },
) {
  const nodes = { ...before };
  const cluster = createFakeCluster(nodes);
  const clock = createFakeWorld();
  let slept = 0;
  const world = createFakeWorld({
    now: clock.now,
    readText: () => Promise.resolve("[server]"),
    async sleep(ms) {
      await clock.sleep(ms);
      if (++slept === pauses) Object.assign(nodes, after);
    },
  });
  return { cluster, world };
}

Deno.test("waitUntil() ends as soon as the condition holds", async () => {
  const followers = { ...healthy(), [leader]: { kind: "refusing", because: "no" } } as const;
  const { cluster, world } = changing(followers, { after: healthy(), pauses: 3 });
  const { failed, tookMs, gathered } = await waitUntil(cluster, wait, world);
  assert.equal(failed, null);
  assert.equal(tookMs, 750);
  assert.equal(gathered?.view.id, leader);
});

Deno.test("waitUntil() bears an agent of its own that is not there yet", async () => {
  const { cluster, world } = changing({}, { after: healthy(), pauses: 2 });
  const started = { ...cluster, local: first };
  assert.equal((await waitUntil(started, wait, world)).failed, null);
});

Deno.test("waitUntil() gives up in time and says what was missing", async () => {
  const nodes = { ...healthy(), [leader]: { kind: "refusing", because: "no" } } as const;
  const { cluster, world } = changing(nodes, { after: {}, pauses: 1 });
  const { failed, tookMs } = await waitUntil(cluster, wait, world);
  assert.match(failed?.message ?? "", /^Cannot see an open leader within 5 s: nobody leads$/);
  assert.ok(tookMs <= 5000, `${tookMs}`);
});

Deno.test("cluster status --wait prints the last facts, and fails when the wait was in vain", async () => {
  const nodes: Record<string, FakeNode> = {
    ...healthy(),
    [first]: { kind: "up", status: statusOf(first, { role: "LEARNER", sentence: "copying" }) },
  };
  const { cluster, world } = changing(nodes, { after: {}, pauses: 1 });
  const programs = { openCluster: () => Promise.resolve(cluster) } as unknown as Programs;
  const words = ["cluster", "status", "--wait", "--timeout", "2"];
  const vain = await run(words, { world, programs });
  assert.equal(vain.code, exitCodes.failed);
  assert.match(vain.stdout, /\(3 rows\)/);
  assert.match(
    vain.stderr,
    /^xenon: Cannot see a healthy cluster within 2 s: 192\.168\.0\.109:8801 is LEARNER: copying; next: /,
  );
  const leads = await run(["cluster", "status", "--wait-leader"], { world, programs });
  assert.deepEqual([leads.code, leads.stderr], [exitCodes.ok, ""]);
});

Deno.test("cluster add --wait and raft add --wait wait until the leader counts the vote", async () => {
  const voters = guideNodes.slice(1);
  const before = Object.fromEntries(guideNodes.map((id): [string, FakeNode] => [
    id,
    { kind: "up", status: statusOf(id, { voters }) },
  ]));
  for (const group of ["cluster", "raft"]) {
    const { cluster, world } = changing(before, { after: healthy(), pauses: 4 });
    const programs = { openCluster: () => Promise.resolve(cluster) } as unknown as Programs;
    const words = [group, "add", first, "--wait"];
    const { code, stdout } = await run(words, { world, programs });
    assert.equal(code, exitCodes.ok);
    assert.equal(stdout, `${first} did cluster.add\nComplete after 1.0 s\n`);
  }
});

Deno.test("a cluster is not healthy while its leader counts a voter that could not take over", async () => {
  const margin = { losses: 0, sentence: "2 of 3 voters healthy: no loss can be survived" };
  const short = { ...healthy(), [leader]: { kind: "up", status: { ...statusOf(leader), margin } } };
  const { cluster, world } = changing(short as Record<string, FakeNode>, {
    after: healthy(),
    pauses: 2,
  });
  const { failed, tookMs } = await waitUntil(
    cluster,
    { ...wait, condition: clusterIsHealthy, wanted: "a healthy cluster" },
    world,
  );
  assert.equal(failed, null);
  assert.equal(tookMs, 500);
});
