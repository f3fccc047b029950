/**
 * Cancels of a rebuild by xtrabackup in a step that a rebuild by clone does not have: S10, where the
 * copy is prepared. Something real is held still there, so that the cancel strikes there and nowhere else.
 */
import assert from "node:assert/strict";
import { poll } from "../../cmd/demo/lab.ts";
import { describeResult, succeeded } from "../../mysql/process.ts";
import { commandLineOf } from "./command_lines.ts";
import type { HostNode } from "./hosts_lab_node.ts";

const patienceMs = 60_000;
const jobMs = 180_000;
const preparing = /xtrabackup\/main.* --prepare/;

/** Holds the job of a node still in one step; disposing of it lets go. */
type Hold = (joiner: HostNode) => Promise<AsyncDisposable>;

export const holds: Readonly<Record<string, Hold>> = {
  "while its copy is prepared (S10)": async (joiner) => {
    const pid = await pidOf(joiner, preparing);
    Deno.kill(pid, "SIGSTOP");
    return { [Symbol.asyncDispose]: () => Promise.resolve(Deno.kill(pid, "SIGCONT")) };
  },
};

/** The node serves its old data again. */
export async function cancelHeld(joiner: HostNode, hold: Hold): Promise<void> {
  const before = (await joiner.status())?.mysql.serverUuid;
  const rebuild = joiner.xenon(["mysql", "rebuildme", "--method=xtrabackup"], jobMs);
  {
    await using held = await hold(joiner);
    void held;
    const canceled = await joiner.xenon(["jobs", "cancel"], jobMs);
    assert.ok(succeeded(canceled), describeResult(canceled));
  }
  assert.match((await rebuild).stderrTail, /the old data is in place again and nothing was lost/);
  const back = await poll(patienceMs, async () => {
    return (await joiner.status())?.mysql.serverUuid === before ? true : null;
  });
  assert.ok(back, "the old server is back");
}

/** Waits until a program with such a command line runs on the host. */
async function pidOf(node: HostNode, line: RegExp): Promise<number> {
  const found = await poll(patienceMs, async () => {
    return (await node.host.pids()).find((pid) => line.test(commandLineOf(pid))) ?? null;
  });
  assert.ok(found !== undefined, `no ${line} on ${node.id}`);
  return found;
}
