/** The virtual address follows the leader on real hosts: never two hosts have it, no write is lost. */
import assert from "node:assert/strict";
import { poll } from "../../cmd/demo/lab.ts";
import { Ledger, longestGap } from "../../cmd/demo/ledger.ts";
import { tableName, Workload } from "../../cmd/demo/workload.ts";
import { Connection } from "../../mysql/client.ts";
import { DatabaseError } from "../../mysql/client_error.ts";
import { describeResult, succeeded } from "../../mysql/process.ts";
import { AddressSampler } from "./address_sampler.ts";
import { testWithHosts } from "./hosts.ts";
import { isolated } from "./hosts_faults.ts";
import { FixedLocator, HostsLab } from "./hosts_lab.ts";
import { type HostNode, mysqlPort } from "./hosts_lab_node.ts";

/** A busy machine is slow; how fast a failover is, is the bench's business. */
const patienceMs = 30_000;
/** Writers and agents are watched this long after a failover. */
const afterMs = 500;
/** How long at least a leader is frozen or isolated. */
const awayMs = 5_000;
const addressLeaseMs = 1_000;
const commandMs = 20_000;
const sessionCount = 8;
/** Longer than a statement takes that the new leader's host refuses in its own time. */
const patientMs = 12_000;
/** With the timing of this test an outage takes 2 to 3 seconds. */
const outageMsMax = 20_000;

interface Stage {
  readonly lab: HostsLab;
  readonly ledger: Ledger;
  readonly sampler: AddressSampler;
}

interface Fault {
  readonly name: string;
  /** Milliseconds in which two hosts may have the address; 0 where none is given. */
  readonly overlapMsMax?: number;
  /** Ends when the former leader may return. */
  readonly happen: (stage: Stage, former: HostNode) => Promise<void>;
}

const faults: readonly Fault[] = [
  {
    name: "kill -9 of the leader's server",
    happen: (_, former) => former.signalServer("SIGKILL"),
  },
  {
    name: "kill -9 of the leader's agent and server",
    happen: async ({ lab }, former) => {
      former.signalAgent("SIGKILL");
      await former.signalServer("SIGKILL");
      await lab.leader(patienceMs, former);
      await former.startAgent();
    },
  },
  {
    name: "SIGSTOP of the leader's agent for 5 s",
    // A command of the frozen agent may have added the address once more.
    overlapMsMax: addressLeaseMs,
    happen: async ({ lab }, former) => {
      former.signalAgent("SIGSTOP");
      await Promise.all([pause(awayMs), lab.leader(patienceMs, former)]);
      former.signalAgent("SIGCONT");
    },
  },
  {
    name: "isolation of the leader's host for 5 s",
    happen: async ({ lab }, former) => {
      await lab.network.fault(isolated(former.host.name));
      await Promise.all([pause(awayMs), lab.leader(patienceMs, former)]);
      await lab.network.heal();
    },
  },
  {
    name: "raft trytoleader on a follower",
    happen: async (stage, former) => {
      const candidate = stage.lab.nodes.find((node) => node !== former);
      const sessions = await patientSessions(stage);
      const result = await candidate?.xenon(["raft", "trytoleader"], commandMs);
      assert.ok(result !== undefined && succeeded(result), result && describeResult(result));
      const ended = await within(patientMs / 2, Promise.all(sessions));
      assert.ok(ended !== undefined, "sessions hear that they ended before the address moves");
      for (const { kind } of ended) assert.notEqual(kind, "timeout");
    },
  },
  {
    name: "SIGTERM of the leader's agent",
    happen: async ({ lab }, former) => {
      former.signalAgent("SIGTERM");
      assert.ok(await former.agentGone(), "the agent ends");
      await lab.leader(patienceMs, former);
      await former.startAgent();
    },
  },
];

await testWithHosts("the virtual address follows the leader", async (test) => {
  await using lab = await HostsLab.open();
  await using sampler = await AddressSampler.start(lab.network.hosts, lab.address);
  const ledger = new Ledger();
  assert.ok(await lab.whole(patienceMs), await lab.sentences());
  for (const fault of faults) {
    await test.step(fault.name, () => act({ lab, ledger, sampler }, fault));
  }
});

/** Writers run, the leader fails, another one has the address, the former one follows it. */
async function act(stage: Stage, { name, happen, overlapMsMax = 0 }: Fault): Promise<void> {
  const { lab, ledger, sampler } = stage;
  const former = await lab.leader(patienceMs);
  const locator = new FixedLocator(lab.address);
  const workload = new Workload({ locator, ledger, account: lab.account, writers: 2 });
  workload.start();
  let faultAt = performance.now();
  try {
    await written(ledger, faultAt);
    faultAt = performance.now();
    await happen(stage, former);
    const leader = await lab.leader(patienceMs, former);
    await holdsAlone(stage, leader);
    await written(ledger, performance.now());
    await pause(afterMs);
  } finally {
    await workload.stop();
  }
  const outageMs = longestGap(ledger.acknowledged, { fromAt: faultAt, untilAt: performance.now() })
    .ms;
  await returns(lab, former);
  await pause(afterMs);
  await holdsAlone(stage, await lab.leader(patienceMs));
  const overlapMs = sampler.overlapMs(faultAt);
  tell(
    `${name}: outage ${Math.round(outageMs)} ms, two holders ${Math.round(overlapMs)} ms, ` +
      `seen every ${Math.round(sampler.longestGapMs)} ms at worst; ${sampler.describe(faultAt)}`,
  );
  assert.ok(overlapMs <= overlapMsMax, `two holders for ${overlapMs} ms`);
  assert.ok(outageMs < outageMsMax, `an outage of ${outageMs} ms`);
  await nothingLost(stage);
}

/**
 * Clients that write all the time and know no time limit of their own. Each gives the error that ends
 * it: of a server that closed, or of a connection that broke.
 */
async function patientSessions({ lab, ledger }: Stage): Promise<Promise<DatabaseError>[]> {
  const target = { ...lab.account, host: lab.address, port: mysqlPort, connectMs: patienceMs };
  const connections = await Promise.all(
    Array.from({ length: sessionCount }, () => Connection.connect(target)),
  );
  const sessions = connections.map(async (connection) => {
    await using session = connection;
    const sql = `INSERT INTO ${tableName} (number) VALUES (?)`;
    while (true) {
      try {
        await session.change(sql, { deadlineMs: patientMs, values: [ledger.draw()] });
      } catch (error) {
        if (error instanceof DatabaseError) return error;
        throw error;
      }
    }
  });
  await pause(afterMs);
  return sessions;
}

async function written(ledger: Ledger, afterAt: number): Promise<void> {
  const found = await poll(patienceMs, () => {
    const last = ledger.acknowledged.at(-1);
    return Promise.resolve(last !== undefined && last.sentAt > afterAt ? true : null);
  });
  assert.ok(found, "something is written through the virtual address");
}

async function holdsAlone({ lab, sampler }: Stage, leader: HostNode): Promise<void> {
  const alone = await poll(patienceMs, () => {
    const [holder, ...more] = sampler.holders();
    return Promise.resolve(holder === leader.host && more.length === 0 ? true : null);
  });
  const holders = sampler.holders().map(({ address }) => address);
  assert.ok(alone, `${leader.id} leads, [${holders}] have it\n${await lab.sentences()}`);
}

/** It follows again, or names the transactions that only it has; then it gets a new copy. */
async function returns(lab: HostsLab, former: HostNode): Promise<void> {
  const status = await poll(patienceMs, async () => {
    const said = await former.status();
    const following = said?.role === "FOLLOWER" && said.mysql.receiverRunning &&
      said.mysql.applierRunning;
    return following || said?.role === "INVALID" ? said : null;
  });
  assert.ok(status !== undefined, await lab.sentences());
  if (status.role === "INVALID") {
    assert.match(status.sentence, /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:\d+/);
    await former.replaceCopy();
  }
  assert.ok(await lab.whole(patienceMs), await lab.sentences());
}

async function nothingLost({ lab, ledger }: Stage): Promise<void> {
  const executed = await (await lab.leader(patienceMs)).executed();
  for (const node of lab.nodes) {
    const present = await node.integers(executed);
    assert.ok(present !== null, `${node.id} catches up`);
    const lost = ledger.acknowledged.filter(({ integer }) => !present.has(integer));
    const ghosts = ledger.failed.filter((integer) => present.has(integer));
    assert.deepEqual({ lost: lost.length, ghosts: ghosts.length }, { lost: 0, ghosts: 0 });
  }
}

/** For whoever compares times. */
function tell(sentence: string): void {
  if (Deno.env.get("XENON_TIMES") !== "1") return;
  Deno.stderr.writeSync(new TextEncoder().encode(`${sentence}\n`));
}

/** The value, or undefined when it takes longer. */
async function within<T>(ms: number, value: Promise<T>): Promise<T | undefined> {
  const { promise: tooLong, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  try {
    return await Promise.race([value, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
