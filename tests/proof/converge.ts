/** Waits until a cluster is whole again after a fault, without hands as far as that goes. */
import { poll } from "../../cmd/demo/lab.ts";
import type { HostsLab } from "../live/hosts_lab.ts";
import type { HostNode } from "../live/hosts_lab_node.ts";
import { describeResult, succeeded } from "../../mysql/process.ts";

/** A server that waits for space on its disk looks for some once a minute. */
const wholeMs = 90_000;
/** How long a node must be INVALID before somebody rebuilds it. */
const invalidMs = 1_000;
const rebuildMs = 300_000;
const stableMs = 750;

/**
 * Gives what the members said that could not follow as they hold transactions that were never
 * acknowledged. Those are rebuilt; everything else must mend itself.
 */
export async function converge(lab: HostsLab): Promise<readonly string[]> {
  const said: string[] = [];
  const endsAt = performance.now() + wholeMs;
  const since = new Map<HostNode, number>();
  let wholeSince = Infinity;
  const whole = await poll(wholeMs * 2, async () => {
    const now = performance.now();
    wholeSince = await lab.whole(0) ? Math.min(wholeSince, now) : Infinity;
    // An answer may be a moment old, from before a member noticed what it cannot follow.
    if (now - wholeSince >= stableMs) return true;
    for (const { node, sentence } of await invalidOf(lab, since)) {
      said.push(sentence);
      await rebuild(node);
    }
    return performance.now() > endsAt ? false : null;
  });
  if (whole === true) return said;
  const statuses = await Promise.all(lab.nodes.map((node) => node.status()));
  const replication = statuses.map((status) => {
    const { receiverRunning, applierRunning, lastError } = status?.mysql ?? {};
    return `${status?.id} receiver ${receiverRunning}, applier ${applierRunning}: ${lastError}`;
  });
  throw new Error(
    `The cluster is not whole after ${wholeMs / 1000} s: ${await lab.sentences()}; ` +
      replication.join("; "),
  );
}

/** As an operator does it who has read which transactions go. */
async function rebuild(node: HostNode): Promise<void> {
  const result = await node.xenon(["mysql", "rebuildme", "--force"], rebuildMs);
  if (!succeeded(result)) throw new Error(describeResult(result));
}

async function invalidOf(
  lab: HostsLab,
  since: Map<HostNode, number>,
): Promise<readonly { readonly node: HostNode; readonly sentence: string }[]> {
  const statuses = await Promise.all(lab.nodes.map((node) => node.status()));
  const now = performance.now();
  return lab.nodes.flatMap((node, index) => {
    const status = statuses[index];
    if (status?.role !== "INVALID") {
      since.delete(node);
      return [];
    }
    const from = since.get(node) ?? now;
    since.set(node, from);
    return now - from < invalidMs ? [] : [{ node, sentence: status.sentence }];
  });
}
