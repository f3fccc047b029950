/**
 * Cancels of a rebuild by xtrabackup around the steps that a rebuild by clone does not have: S10, where
 * the copy is prepared, and S15, where the server is told what the copy holds. Something real is held still
 * there, so that the cancel strikes there and nowhere else.
 */
import assert from "node:assert/strict";
import { poll } from "../../cmd/demo/lab.ts";
import { describeResult, succeeded } from "../../mysql/process.ts";
import { commandLineOf } from "./command_lines.ts";
import type { HostNode } from "./hosts_lab_node.ts";

const patienceMs = 60_000;
const jobMs = 180_000;
const statementMs = 5_000;
const preparing = /xtrabackup\/main.* --prepare/;

/** Holds the job of a node still in one step; disposing of it lets go. */
type Hold = (joiner: HostNode) => Promise<AsyncDisposable>;

export const holds: Readonly<Record<string, Hold>> = {
  "while its copy is prepared (S10)": async (joiner) => {
    const pid = await pidOf(joiner, preparing);
    Deno.kill(pid, "SIGSTOP");
    return { [Symbol.asyncDispose]: () => Promise.resolve(Deno.kill(pid, "SIGCONT")) };
  },
  "before the purged transactions are set (S14), which then happens all the same (S15)": async (
    joiner,
  ) => {
    const before = timesSaid(joiner, "S13");
    await pidOf(joiner, preparing);
    // The old server is stopped, so this is the new one. It answers long after its process is there.
    assert.ok(await poll(patienceMs, async () => await joiner.serverGone(0) ? null : true));
    joiner.signalAgent("SIGSTOP");
    const lock = await lockPosition(joiner);
    joiner.signalAgent("SIGCONT");
    const waits = await poll(
      patienceMs,
      () => Promise.resolve(timesSaid(joiner, "S13") > before || null),
    );
    assert.ok(waits, "the job waits in S14");
    const settings = timesSaid(joiner, "S15");
    return {
      async [Symbol.asyncDispose]() {
        await lock.close();
        const set = () => Promise.resolve(timesSaid(joiner, "S15") > settings || null);
        assert.ok(await poll(patienceMs, set), "S15 follows");
      },
    };
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

/** How often the jobs of the node said so far that this step is done. */
function timesSaid({ logPath }: HostNode, step: string): number {
  return Deno.readTextFileSync(logPath).split(`"${step} `).length;
}

/** As soon as the server answers: it can forget no source and empty no binary log then. */
async function lockPosition(node: HostNode) {
  const connection = await poll(patienceMs, () => node.root(statementMs).catch(() => null));
  assert.ok(connection !== undefined, "the new server answers");
  await connection.query("LOCK TABLES mysql.gtid_executed READ", { deadlineMs: statementMs });
  return connection;
}
