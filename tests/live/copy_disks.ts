/** Disks that fill up while a copy comes over ssh: of a host that has nothing yet, and of one with data. */
import assert from "node:assert/strict";
import { poll } from "../../cmd/demo/lab.ts";
import { describeResult, run } from "../../mysql/process.ts";
import type { HostNode } from "./hosts_lab_node.ts";
import { must, unmount } from "./hosts_sweep.ts";

const patienceMs = 60_000;
const jobMs = 180_000;
const fillMs = 60_000;

/** What a rebuild of the node is filled up in; it waits until a copy is under way. */
export interface Filling {
  readonly donor: string;
  readonly sending: (joiner: HostNode) => Promise<unknown>;
}

/** A new host begins on a disk that has room, and then has none. */
export async function fillNewHost(node: HostNode, filling: Filling): Promise<void> {
  await node.becomeNew((folder) => mountMemory(folder));
  const { dataFolder } = node;
  try {
    assert.ok(await poll(patienceMs, async () => await node.healthy() ? true : null));
    await fillDuringRebuild(node, filling);
    assert.deepEqual(namesIn(dataFolder), [".xenon-filler"]);
  } finally {
    await unmount(dataFolder);
  }
}

/** A node with data has it on such a disk meanwhile. `whole` waits until it is a member like any other. */
export async function fillUnderData(
  node: HostNode,
  filling: Filling & { readonly whole: () => Promise<void> },
): Promise<void> {
  const { dataFolder } = node;
  const away = `${dataFolder}.away`;
  await ended(node);
  Deno.renameSync(dataFolder, away);
  Deno.mkdirSync(dataFolder, { mode: 0o700 });
  await mountMemory(dataFolder, 2_000);
  try {
    await must(["cp", "-a", `${away}/.`, dataFolder]);
    await node.startAgent();
    await filling.whole();
    const before = (await node.status())?.mysql.serverUuid;
    await fillDuringRebuild(node, filling);
    Deno.removeSync(`${dataFolder}/.xenon-filler`);
    await filling.whole();
    assert.equal((await node.status())?.mysql.serverUuid, before);
    assert.deepEqual(namesIn(dataFolder).filter((name) => name.startsWith(".xenon-")), []);
  } finally {
    await ended(node);
    Deno.removeSync(away, { recursive: true });
    await must(["cp", "-a", dataFolder, away]);
    await unmount(dataFolder);
    Deno.removeSync(dataFolder);
    Deno.renameSync(away, dataFolder);
    await node.startAgent();
  }
}

async function fillDuringRebuild(node: HostNode, { donor, sending }: Filling): Promise<void> {
  const words = ["mysql", "rebuildme", "--method=xtrabackup", "--from", donor];
  const rebuild = node.xenon(words, jobMs);
  await Promise.race([
    sending(node),
    rebuild.then((result) => assert.fail(`it ended before: ${describeResult(result)}`)),
  ]);
  const filler = `${node.dataFolder}/.xenon-filler`;
  await run(["dd", "if=/dev/zero", `of=${filler}`, "bs=1M", "status=none"], { deadlineMs: fillMs });
  assert.match(
    (await rebuild).stderrTail,
    /the disk of .* is full.*the old data is in place again/,
  );
}

/** With room for the data, the copy and what is asked for besides, as the checks want it. */
async function mountMemory(folder: string, megabytes = 1_000): Promise<void> {
  const size = `size=${megabytes}m,mode=0700`;
  await must(["mount", "-t", "tmpfs", "-o", size, "xenon", folder]);
}

async function ended(node: HostNode): Promise<void> {
  node.signalAgent("SIGKILL");
  await node.agentGone();
  await node.signalServer("SIGTERM");
  await node.serverGone();
}

function namesIn(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}
