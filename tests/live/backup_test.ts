/**
 * Copies over ssh on real hosts, end to end: a rebuild by xtrabackup while writes go on, backups by
 * both methods, and a restore on a host that has nothing. xtrabackup is a stand-in here: see
 * tests/fixtures/xtrabackup.
 */
import assert from "node:assert/strict";
import { poll } from "../../cmd/demo/lab.ts";
import { Ledger } from "../../cmd/demo/ledger.ts";
import { Workload } from "../../cmd/demo/workload.ts";
import { decodeManifest, type Manifest } from "../../backup/manifest.ts";
import { contains, parse } from "../../mysql/gtid.ts";
import { describeResult, run, succeeded } from "../../mysql/process.ts";
import { commandLineOf, sampleCommandLines } from "./command_lines.ts";
import { cancelHeld, holds } from "./copy_cancels.ts";
import { fillNewHost, fillUnderData } from "./copy_disks.ts";
import { testWithHosts } from "./hosts.ts";
import { CopyLab, whyNoCopies } from "./hosts_copies.ts";
import { parted } from "./hosts_faults.ts";
import { FixedLocator, type HostsLab } from "./hosts_lab.ts";
import type { HostNode } from "./hosts_lab_node.ts";
import { assertNothingTold } from "./told_secrets.ts";

const patienceMs = 60_000;
const jobMs = 180_000;

interface Stage extends CopyLab {
  readonly ledger: Ledger;
}

await testWithHosts("copies of a running cluster", async (test) => {
  await using copies = await CopyLab.open();
  const { lab } = copies;
  assert.ok(await lab.whole(patienceMs), await lab.sentences());
  const stage = Object.assign(copies, { ledger: new Ledger() });
  const stop = new AbortController();
  const commandLines = sampleCommandLines(stop.signal);
  for (const [name, step] of Object.entries(steps)) {
    await test.step(name, () => whileWriting(stage, () => step(stage)));
  }
  stop.abort();
  const seen = [...await commandLines];
  await test.step("no password was in a command line, a log, a table or an error", async () => {
    assert.ok(seen.some((line) => line.includes("xtrabackup/main")), "the copies were seen");
    await assertNothingTold(lab, seen);
  });
}, await whyNoCopies());

const steps: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  "a follower is rebuilt by xtrabackup over ssh": async ({ lab }) => {
    const joiner = await follower(lab);
    const result = await joiner.xenon(["mysql", "rebuildme", "--method=xtrabackup"], jobMs);
    assert.ok(succeeded(result), describeResult(result));
    assert.ok(await lab.whole(patienceMs), await lab.sentences());
  },
  "a missing host key is named before anything is touched": async ({ lab, keys, sshds }) => {
    const joiner = await follower(lab);
    keys.forget();
    const result = await joiner.xenon(["mysql", "rebuildme", "--method=xtrabackup"], jobMs);
    sshds.forEach((sshd) => keys.know(sshd));
    assert.match(result.stderrTail, /run "ssh-keyscan/);
    assert.ok(await lab.whole(patienceMs), await lab.sentences());
  },
  "backups by both methods hold what their manifests say": async ({ lab }) => {
    for (const method of ["xtrabackup", "clone"]) {
      const before = await (await lab.leader(patienceMs)).executed();
      const manifest = await backup(lab, ["--method", method]);
      assert.equal(manifest.method, method);
      assert.notEqual(manifest.source, (await lab.leader(patienceMs)).id);
      assert.ok(contains(parse(manifest.gtids), parse(before)));
    }
  },
  "a backup puts nothing into a folder with other things, nor into the data": async ({ lab }) => {
    const node = await lab.leader(patienceMs);
    const foreign = `${lab.folder}/foreign`;
    Deno.mkdirSync(foreign);
    Deno.writeTextFileSync(`${foreign}/letter`, "dear");
    for (const to of [foreign, `${node.dataFolder}/backups`]) {
      const result = await node.xenon(["mysql", "backup", "--to", to], jobMs);
      assert.match(result.stderrTail, /nothing was touched/);
    }
    assert.deepEqual(namesIn(foreign), ["letter"]);
  },
  "a canceled backup leaves nothing": async ({ lab }) => {
    const node = await lab.leader(patienceMs);
    const before = namesIn(backupsOf(lab));
    const words = ["mysql", "backup", "--to", backupsOf(lab), "--method", "xtrabackup"];
    const backup = node.xenon(words, jobMs);
    await sending(lab, node);
    const canceled = await node.xenon(["mysql", "cancelbackup"], jobMs);
    assert.ok(succeeded(canceled), describeResult(canceled));
    assert.match((await backup).stderrTail, /\(backup\) was canceled/);
    assert.deepEqual(namesIn(backupsOf(lab)), before);
    await quiet(lab);
  },
  "a killed agent of the donor ends a backup": async ({ lab }) => {
    const node = await lab.leader(patienceMs);
    const before = namesIn(backupsOf(lab));
    const words = ["mysql", "backup", "--to", backupsOf(lab), "--method", "xtrabackup"];
    const backup = node.xenon(words, jobMs);
    const donor = await sending(lab, node);
    donor.signalAgent("SIGKILL");
    await donor.agentGone();
    await donor.startAgent();
    assert.match((await backup).stderrTail, /The copy failed .*(started anew|not answer)/);
    assert.deepEqual(namesIn(backupsOf(lab)), before);
    await quiet(lab);
    assert.ok(await lab.whole(patienceMs), await lab.sentences());
  },
  "a killed agent of the joiner puts the old data back": async ({ lab }) => {
    const joiner = await follower(lab);
    const rebuild = joiner.xenon(["mysql", "rebuildme", "--method=xtrabackup"], jobMs);
    await sending(lab, joiner);
    joiner.signalAgent("SIGKILL");
    await joiner.agentGone();
    await joiner.startAgent();
    assert.match((await rebuild).stderrTail, /rolled back, the old data is in place again/);
    await quiet(lab);
    assert.ok(await lab.whole(patienceMs), await lab.sentences());
  },
  "a link that is cut during a rebuild puts the old data back": async ({ lab }) => {
    const joiner = await follower(lab);
    const rebuild = joiner.xenon(["mysql", "rebuildme", "--method=xtrabackup"], jobMs);
    const donor = await sending(lab, joiner);
    await lab.network.fault(parted([joiner.host.name], [donor.host.name]));
    const result = await rebuild;
    await lab.network.heal();
    assert.match(result.stderrTail, /the old data is in place again and nothing was lost/);
    await quiet(lab);
    assert.ok(await lab.whole(patienceMs), await lab.sentences());
  },
  ...Object.fromEntries(
    Object.entries(holds).map(([where, hold]) => [
      `a rebuild that is canceled ${where} puts the old data back`,
      async ({ lab }: Stage) => {
        await cancelHeld(await follower(lab), hold);
        await quiet(lab);
        assert.ok(await lab.whole(patienceMs), await lab.sentences());
      },
    ]),
  ),
  "a disk that fills up under a node with data puts the data back": async ({ lab }) => {
    const whole = async () => {
      await quiet(lab);
      assert.ok(await lab.whole(patienceMs), await lab.sentences());
    };
    const node = await follower(lab);
    const { id: donor } = await lab.leader(patienceMs);
    await fillUnderData(node, { donor, sending: (joiner) => sending(lab, joiner), whole });
    await whole();
  },
  "a disk of a new host that fills up ends its rebuild, and one is restored from the newest backup and joins the cluster":
    async ({ lab }) => {
      const leader = await lab.leader(patienceMs);
      const node = await follower(lab);
      const removed = await leader.xenon(["cluster", "remove", "--wait", node.id], jobMs);
      assert.ok(succeeded(removed), describeResult(removed));
      const refused = await node.xenon(["mysql", "restore", "--from", backupsOf(lab)], jobMs);
      assert.match(refused.stderrTail, /nothing was touched/);
      await fillNewHost(node, { donor: leader.id, sending: (joiner) => sending(lab, joiner) });
      await quiet(lab);
      await node.becomeNew();
      assert.ok(await poll(patienceMs, async () => await node.healthy() ? true : null));
      const damaged = `${lab.folder}/damaged`;
      const copied = await run(["cp", "-a", newestOf(lab), damaged], { deadlineMs: jobMs });
      assert.ok(succeeded(copied), describeResult(copied));
      Deno.writeTextFileSync(`${damaged}/data/ibdata1`, "x", { append: true });
      const found = await node.xenon(["mysql", "restore", "--from", damaged], jobMs);
      assert.match(found.stderrTail, /is damaged, 1 file differs: ibdata1/);
      const result = await node.xenon(["mysql", "restore", "--from", backupsOf(lab)], jobMs);
      assert.ok(succeeded(result), describeResult(result));
      const added = await leader.xenon(["cluster", "add", node.id], jobMs);
      assert.ok(succeeded(added), describeResult(added));
      assert.ok(await lab.whole(patienceMs), await lab.sentences());
    },
};

/** Waits until another node sends a copy to this one, and gives it. */
async function sending(lab: HostsLab, joiner: HostNode): Promise<HostNode> {
  const donor = await poll(patienceMs, async () => {
    for (const node of lab.nodes) {
      if (node === joiner) continue;
      if ((await node.status())?.backup.state === "BACKUPING") return node;
    }
    return null;
  });
  assert.ok(donor !== undefined, "nobody sends");
  return donor;
}

/** No program of a copy runs any more, on any host. */
async function quiet(lab: HostsLab): Promise<void> {
  let left: readonly string[] = [];
  const gone = await poll(patienceMs, async () => {
    const pids = await Promise.all(lab.nodes.map(({ host }) => host.pids()));
    left = pids.flat().map(commandLineOf).filter((line) =>
      /xtrabackup\/main|[xm]bstream/.test(line)
    );
    return left.length === 0 ? true : null;
  });
  assert.ok(gone, left.join("\n"));
}

function namesIn(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

function newestOf(lab: HostsLab): string {
  return `${backupsOf(lab)}/${namesIn(backupsOf(lab)).at(-1)}`;
}

function backupsOf(lab: HostsLab): string {
  return `${lab.folder}/backups`;
}

async function backup(lab: HostsLab, words: readonly string[]): Promise<Manifest> {
  const to = backupsOf(lab);
  const node = await lab.leader(patienceMs);
  const result = await node.xenon(["mysql", "backup", "--to", to, ...words], jobMs);
  assert.ok(succeeded(result), describeResult(result));
  return decodeManifest(Deno.readTextFileSync(`${newestOf(lab)}/manifest.json`));
}

async function follower(lab: HostsLab): Promise<HostNode> {
  const leader = await lab.leader(patienceMs);
  const found = lab.nodes.find((node) => node !== leader);
  assert.ok(found !== undefined);
  return found;
}

/** Writes never stop during a copy, and none of them is lost. */
async function whileWriting({ lab, ledger }: Stage, work: () => Promise<void>): Promise<void> {
  const locator = new FixedLocator(lab.address);
  const workload = new Workload({ locator, ledger, account: lab.account, writers: 1 });
  workload.start();
  try {
    await work();
  } finally {
    await workload.stop();
  }
  const executed = await (await lab.leader(patienceMs)).executed();
  for (const node of lab.nodes) {
    const present = await node.integers(executed);
    assert.ok(present !== null, `${node.id} catches up`);
    const lost = ledger.acknowledged.filter(({ integer }) => !present.has(integer));
    assert.equal(lost.length, 0);
  }
}
