/** Real servers and agents: the leader fails, another leads, and nothing acknowledged is lost. */
import assert from "node:assert/strict";
import { type Lab, poll } from "../../cmd/demo/lab.ts";
import type { LabNode } from "../../cmd/demo/lab_node.ts";
import { firstWrite } from "../../cmd/demo/failover.ts";
import { Ledger } from "../../cmd/demo/ledger.ts";
import { Locator } from "../../cmd/demo/locator.ts";
import { judge } from "../../cmd/demo/verdict.ts";
import { Workload } from "../../cmd/demo/workload.ts";
import { describeResult, succeeded } from "../../mysql/process.ts";
import { openAgents, sentencesOf } from "./agents_lab.ts";
import { pause } from "../../mysql/time_left.ts";

/** A busy machine is slow; how fast a failover is, is the bench's business. */
const patienceMs = 60_000;
const writeAgainMs = 1_000;
const statementMs = 10_000;

interface Act {
  readonly lab: Lab;
  readonly ledger: Ledger;
  readonly former: LabNode;
}

Deno.test("a cluster of real servers survives its leaders without a lost write", async (test) => {
  await using lab = await openAgents(patienceMs);
  const ledger = new Ledger();
  await using locator = new Locator(lab.nodes.map(({ id }) => id));
  locator.start();

  await test.step("kill -9 of the leader's mysqld", async () => {
    await act({ lab, ledger, locator }, async ({ former }) => {
      await former.signalServer("SIGKILL");
    });
  });

  await test.step("kill -9 of the leader's agent and mysqld", async () => {
    await act({ lab, ledger, locator }, async ({ former }) => {
      former.signalAgent("SIGKILL");
      await former.signalServer("SIGKILL");
      assert.ok(await lab.waitForLeader(patienceMs, [former]), "another node leads");
      await former.startAgent();
    });
  });

  await test.step("SIGTERM of the leader's mysqld", async () => {
    await act({ lab, ledger, locator }, async ({ former }) => {
      await former.signalServer("SIGTERM");
    });
  });

  await test.step("an agent that is restarted at once hands over and keeps its server", async () => {
    await act({ lab, ledger, locator }, async ({ former }) => {
      const server = await former.serverProcess();
      former.signalAgent("SIGTERM");
      const gone = await poll(patienceMs, () => Promise.resolve(former.agentAlive ? null : true));
      assert.ok(gone, "the agent ends by itself");
      await former.startAgent();
      // The new agent closes what it finds; a healthy server is never killed for that.
      const follows = await poll(patienceMs, async () => {
        const status = await former.status();
        return status?.role === "FOLLOWER" && status.mysql.receiverRunning ? status : null;
      });
      assert.ok(follows, await sentencesOf(lab));
      assert.equal((await former.serverProcess())?.incarnation, server?.incarnation);
    });
  });

  await test.step("raft trytoleader on a follower", async () => {
    await act({ lab, ledger, locator }, async ({ former }) => {
      const candidate = lab.nodes.find((node) => node !== former);
      assert.ok(candidate !== undefined);
      const result = await lab.xenon(candidate, ["raft", "trytoleader"]);
      assert.ok(succeeded(result), describeResult(result));
      assert.equal((await lab.waitForLeader(patienceMs, [former]))?.id, candidate.id);
    });
  });

  await test.step("somebody sets the leader's server to offline_mode", async () => {
    await act({ lab, ledger, locator }, async ({ former }) => {
      await using root = await former.root(statementMs);
      await root.query("SET GLOBAL offline_mode = ON", { deadlineMs: statementMs });
    });
  });

  await test.step("kill -9 of the leader's mysqld while clients lock the tables of all others", async () => {
    await act({ lab, ledger, locator }, async ({ former }) => {
      const others = lab.nodes.filter((node) => node !== former);
      await using _locks = await lockTables(others);
      await former.signalServer("SIGKILL");
      assert.ok(await lab.waitForLeader(patienceMs, [former]), await sentencesOf(lab));
    });
  });
});

/** A client on each of them that holds the global read lock until it is disposed of, or ended. */
async function lockTables(nodes: readonly LabNode[]): Promise<AsyncDisposable> {
  const clients = await Promise.all(nodes.map((node) => node.root(statementMs)));
  const sql = "FLUSH TABLES WITH READ LOCK";
  await Promise.all(clients.map((client) => client.query(sql, { deadlineMs: statementMs })));
  return {
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(clients.map((client) => client.close()));
    },
  };
}

/** Writers run, the leader fails, another one leads, the former one returns, all writes are there. */
async function act(
  stage: { readonly lab: Lab; readonly ledger: Ledger; readonly locator: Locator },
  fault: (act: Act) => Promise<void>,
): Promise<void> {
  const { lab, ledger, locator } = stage;
  const former = await lab.waitForLeader(patienceMs);
  assert.ok(former !== null, await sentencesOf(lab));
  const workload = new Workload({ locator, ledger, account: lab.account, writers: 2 });
  workload.start();
  try {
    await writesAt(former, ledger, performance.now());
    const faultAt = performance.now();
    await fault({ lab, ledger, former });
    const leader = await lab.waitForLeader(patienceMs, [former]);
    assert.ok(leader !== null, await sentencesOf(lab));
    await writesAt(leader, ledger, faultAt);
    await pause(writeAgainMs);
  } finally {
    await workload.stop();
  }
  await returns(lab, former);
  const verdict = await judge(lab, ledger);
  assert.deepEqual({ lost: verdict.lost, ghosts: verdict.ghosts, behind: verdict.behind }, {
    lost: 0,
    ghosts: 0,
    behind: [],
  });
}

async function writesAt(node: LabNode, ledger: Ledger, afterAt: number): Promise<void> {
  const found = await poll(patienceMs, () => Promise.resolve(firstWrite(ledger, node, afterAt)));
  assert.ok(found !== undefined, `no write was acknowledged by ${node.mysql}`);
}

/** It follows again, or names the transactions that only it has; then it gets a new copy. */
async function returns(lab: Lab, former: LabNode): Promise<void> {
  const role = await poll(patienceMs, async () => {
    const status = await former.status();
    const following = status?.role === "FOLLOWER" && status.mysql.receiverRunning &&
      status.mysql.applierRunning;
    return following || status?.role === "INVALID" ? status : null;
  });
  assert.ok(role !== undefined, await sentencesOf(lab));
  if (role.role === "INVALID") {
    assert.match(role.sentence, /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:\d+/);
    await former.replaceCopy();
  }
  assert.ok(await lab.waitWhole(patienceMs), await sentencesOf(lab));
}
