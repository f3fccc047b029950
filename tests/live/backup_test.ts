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
import { describeResult, succeeded } from "../../mysql/process.ts";
import { installStandin, whyNoStandin } from "../fixtures/xtrabackup/install.ts";
import { type Host, testWithHosts } from "./hosts.ts";
import { FixedLocator, HostsLab } from "./hosts_lab.ts";
import type { HostNode } from "./hosts_lab_node.ts";
import { Sshd, SshKeys, whyNoSshd } from "./hosts_sshd.ts";
import { findMysqld } from "./lab.ts";

const patienceMs = 60_000;
const jobMs = 180_000;

interface Stage {
  readonly lab: HostsLab;
  readonly ledger: Ledger;
  readonly sshds: readonly Sshd[];
  readonly keys: SshKeys;
}

await testWithHosts("copies of a running cluster", async (test) => {
  await using lab = await HostsLab.open(3, { moreConfig: backupSection, ownDisks: false });
  const sshds = lab.network.hosts.map((host) => new Sshd(host, `${lab.folder}/sshd-${host.name}`));
  await using stopped = new AsyncDisposableStack();
  const keys = await SshKeys.make(`${lab.folder}/keys`);
  for (const sshd of sshds) {
    await sshd.start(keys);
    stopped.defer(() => sshd.stop());
    keys.know(sshd);
  }
  installStandin(`${lab.folder}/bin`, await findMysqld());
  assert.ok(await lab.whole(patienceMs), await lab.sentences());
  const stage = { lab, ledger: new Ledger(), sshds, keys };
  for (const [name, step] of Object.entries(steps)) {
    await test.step(name, () => whileWriting(stage, () => step(stage)));
  }
}, whyNoSshd() ?? await whyNoStandin());

/** Everything that an agent needs for copies over ssh. */
function backupSection({ address }: Host, folder: string): string {
  return [
    "[backup]",
    `ssh-host = "${address}"`,
    'ssh-user = "root"',
    `ssh-key = "${folder}/keys/id"`,
    `ssh-known-hosts = "${folder}/keys/known_hosts"`,
    `xtrabackup-bindir = "${folder}/bin"`,
    'backup-use-memory = "64MB"',
    "keep-count = 2",
    "",
  ].join("\n");
}

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
    assert.deepEqual([...Deno.readDirSync(foreign)].map(({ name }) => name), ["letter"]);
  },
  "a new host is restored from the newest backup and joins the cluster": async ({ lab }) => {
    const leader = await lab.leader(patienceMs);
    const node = await follower(lab);
    const removed = await leader.xenon(["cluster", "remove", node.id], jobMs);
    assert.ok(succeeded(removed), describeResult(removed));
    const refused = await node.xenon(["mysql", "restore", "--from", backupsOf(lab)], jobMs);
    assert.match(refused.stderrTail, /nothing was touched/);
    await node.becomeNew();
    assert.ok(await poll(patienceMs, async () => await node.healthy() ? true : null));
    const result = await node.xenon(["mysql", "restore", "--from", backupsOf(lab)], jobMs);
    assert.ok(succeeded(result), describeResult(result));
    const added = await leader.xenon(["cluster", "add", node.id], jobMs);
    assert.ok(succeeded(added), describeResult(added));
    assert.ok(await lab.whole(patienceMs), await lab.sentences());
  },
};

function backupsOf(lab: HostsLab): string {
  return `${lab.folder}/backups`;
}

async function backup(lab: HostsLab, words: readonly string[]): Promise<Manifest> {
  const to = backupsOf(lab);
  const node = await lab.leader(patienceMs);
  const result = await node.xenon(["mysql", "backup", "--to", to, ...words], jobMs);
  assert.ok(succeeded(result), describeResult(result));
  const names = [...Deno.readDirSync(to)].map(({ name }) => name).sort();
  return decodeManifest(Deno.readTextFileSync(`${to}/${names.at(-1)}/manifest.json`));
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
