/** A disk that fills up while a copy comes over ssh, of a host that has nothing yet. */
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
async function mountMemory(folder: string): Promise<void> {
  const size = "size=1000m,mode=0700";
  await must(["mount", "-t", "tmpfs", "-o", size, "xenon", folder]);
}

function namesIn(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}
