/** Whatever goes wrong during a rebuild: the node is as it was or rebuilt, and the cluster is well. */
import assert from "node:assert/strict";
import type { LabNode } from "../../cmd/demo/lab_node.ts";
import { describeResult, run, succeeded } from "../../mysql/process.ts";
import { cancelOnce, cancels, lockReplicas } from "./rebuild_cancels.ts";
import { leftovers, RebuildLab, uuidOf } from "./rebuild_lab.ts";

/** Copying a data folder on a busy machine takes long. */
const mountMs = 120_000;
const megabyte = new Uint8Array(1 << 20);

Deno.test("a rebuild that is disturbed loses nothing and leaves nothing behind", async (test) => {
  await using ward = await RebuildLab.open();

  for (const [where, cancel] of Object.entries(cancels)) {
    await test.step(`canceled ${where}`, () => cancelOnce(ward, cancel));
  }
  await test.step("the joiner's agent is killed during the copy: the next one rolls back", () =>
    killAgentInCopy(ward));
  await test.step("the joiner's agent is killed after the copy: the next one goes on", () =>
    killAgentAfterCopy(ward));
  await test.step("the donor dies: the old data serves again", () => loseDonor(ward));
  await test.step("another node leads meanwhile: the rebuild ends well", () => changeLeader(ward));
  await test.step("the disk fills up: the old data serves again", () => fillDisk(ward));
  await ward.verdict();
});

async function killAgentInCopy(ward: RebuildLab): Promise<void> {
  const { joiner } = await ward.cast();
  const before = await uuidOf(joiner);
  const job = await ward.begin(joiner);
  await ward.holdCopy(joiner, job);
  await ward.said(joiner, job, /^S9 copying/);
  joiner.signalAgent("SIGKILL");
  await joiner.agentGone();
  await joiner.startAgent();
  const { job: ended, lines } = await ward.ended(joiner, job);
  assert.equal(ended.state, "failed");
  assert.match(lines.join("\n"), /restarted while the rebuild was at "copying": rolling back/);
  await asBefore(ward, joiner, before);
}

async function killAgentAfterCopy(ward: RebuildLab): Promise<void> {
  const cast = await ward.cast();
  const { joiner } = cast;
  const before = await uuidOf(joiner);
  let job = 0;
  {
    // So it cannot end before the kill.
    await using held = await lockReplicas(cast);
    void held;
    job = await ward.begin(joiner);
    await ward.reached(joiner, "S11");
    joiner.signalAgent("SIGKILL");
    await joiner.agentGone();
  }
  await joiner.startAgent();
  const { job: ended, lines } = await ward.ended(joiner, job);
  assert.equal(ended.state, "done", ended.sentence);
  assert.match(
    lines.join("\n"),
    /restarted while the rebuild was at "(placing|starting|following)": going on/,
  );
  await ward.whole();
  assert.notEqual(await uuidOf(joiner), before);
  assert.deepEqual(leftovers(joiner), []);
}

async function loseDonor(ward: RebuildLab): Promise<void> {
  const { joiner, other: donor } = await ward.cast();
  const before = await uuidOf(joiner);
  const job = await ward.begin(joiner, { from: donor.id });
  const goOn = await ward.holdCopy(joiner, job);
  await ward.said(joiner, job, /^S9 copying/);
  // Its agent would start it again.
  donor.signalAgent("SIGSTOP");
  await donor.signalServer("SIGKILL");
  goOn();
  const { job: ended } = await ward.ended(joiner, job);
  donor.signalAgent("SIGCONT");
  assert.equal(ended.state, "failed");
  assert.match(ended.sentence, /the old data is in place again and nothing was lost/);
  await asBefore(ward, joiner, before);
}

async function changeLeader(ward: RebuildLab): Promise<void> {
  const { joiner, other: donor } = await ward.cast();
  const job = await ward.begin(joiner, { from: donor.id });
  const goOn = await ward.holdCopy(joiner, job);
  await ward.reached(joiner, "S9");
  const result = await ward.lab.xenon(donor, ["raft", "trytoleader"]);
  assert.ok(succeeded(result), describeResult(result));
  goOn();
  const { job: ended } = await ward.ended(joiner, job);
  assert.equal(ended.state, "done", ended.sentence);
  await ward.whole();
}

async function fillDisk(ward: RebuildLab): Promise<void> {
  const { joiner } = await ward.cast();
  await using disk = await smallDisk(joiner);
  await ward.whole();
  const before = await uuidOf(joiner);
  const job = await ward.begin(joiner);
  const goOn = await ward.holdCopy(joiner, job);
  await ward.reached(joiner, "S9");
  disk.fill();
  goOn();
  const { job: ended } = await ward.ended(joiner, job);
  disk.empty();
  assert.equal(ended.state, "failed");
  assert.match(ended.sentence, /the old data is in place again and nothing was lost/);
  await asBefore(ward, joiner, before);
}

async function asBefore(ward: RebuildLab, node: LabNode, uuid: string): Promise<void> {
  await ward.whole();
  assert.equal(await uuidOf(node), uuid);
  assert.deepEqual(leftovers(node), []);
}

/** Moves the node's data onto a file system of its own, so that it can be full: a mount point, too. */
async function smallDisk(node: LabNode) {
  const { dataFolder } = node.sandbox;
  const filler = `${dataFolder}/.xenon-filler`;
  await node.end();
  Deno.renameSync(dataFolder, `${dataFolder}.away`);
  Deno.mkdirSync(dataFolder);
  await command("mount", "-t", "tmpfs", "-o", "size=1200m,mode=0750", "tmpfs", dataFolder);
  await command("cp", "-a", `${dataFolder}.away/.`, dataFolder);
  Deno.removeSync(`${dataFolder}.away`, { recursive: true });
  await node.startAgent();
  return {
    fill: () => {
      using file = Deno.openSync(filler, { create: true, write: true });
      try {
        for (;;) file.writeSync(megabyte);
      } catch {
        // The disk is full, which is what was wanted.
      }
    },
    empty: () => Deno.removeSync(filler),
    [Symbol.asyncDispose]: async () => {
      await node.end();
      await command("cp", "-a", dataFolder, `${dataFolder}.away`);
      // What ended a moment ago may still be on its way out.
      await command("umount", "--lazy", dataFolder);
      Deno.removeSync(dataFolder);
      Deno.renameSync(`${dataFolder}.away`, dataFolder);
      await node.startAgent();
    },
  };
}

async function command(...words: readonly string[]): Promise<void> {
  const result = await run(words, { deadlineMs: mountMs });
  assert.ok(succeeded(result), describeResult(result));
}
