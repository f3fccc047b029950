/** A node gets a new copy of the cluster's data while writes go on, by the CLONE plugin. */
import assert from "node:assert/strict";
import { Lab } from "../../cmd/demo/lab.ts";
import type { LabNode } from "../../cmd/demo/lab_node.ts";
import { Ledger } from "../../cmd/demo/ledger.ts";
import { Locator } from "../../cmd/demo/locator.ts";
import { judge } from "../../cmd/demo/verdict.ts";
import { Workload } from "../../cmd/demo/workload.ts";
import { describeResult, succeeded } from "../../mysql/process.ts";
import { cacheFolder, findMysqld } from "./lab.ts";

const root = new URL("../../", import.meta.url).pathname;
const patienceMs = 60_000;

Deno.test("rebuildme replaces a follower's data while writes go on", async (test) => {
  await using lab = await openLab();
  const ledger = new Ledger();
  await using locator = new Locator(lab.nodes.map(({ id }) => id));
  locator.start();
  const workload = new Workload({ locator, ledger, account: lab.account, writers: 2 });
  workload.start();

  await test.step("of a healthy follower, with the numbered steps", async () => {
    const joiner = await follower(lab);
    const result = await lab.xenon(joiner, ["mysql", "rebuildme"]);
    assert.ok(succeeded(result), describeResult(result));
    assert.match(result.stdoutTail, /S8 old data moved aside to \//);
    assert.match(result.stdoutTail, /completed OK!\n$/);
  });

  await workload.stop();
  assert.ok(await lab.waitWhole(patienceMs));
  const verdict = await judge(lab, ledger);
  assert.deepEqual([verdict.lost, verdict.ghosts, verdict.behind], [0, 0, []]);
});

async function follower(lab: Lab): Promise<LabNode> {
  const leader = await lab.waitForLeader(patienceMs);
  const found = lab.nodes.find((node) => node !== leader);
  assert.ok(leader !== null && found !== undefined);
  return found;
}

async function openLab(): Promise<Lab> {
  const lab = new Lab({
    mysqld: await findMysqld(),
    cacheFolder,
    program: [Deno.execPath(), "run", "--quiet", "-A", `${root}main.ts`],
    timing: "default",
    say: () => {},
  });
  try {
    await lab.open();
    assert.ok(await lab.waitWhole(patienceMs));
    return lab;
  } catch (error) {
    await lab.close();
    throw error;
  }
}
