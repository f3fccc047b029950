/** Every plan against real servers: promote, follow, freeze and fence, with a commit that nobody acknowledged. */

import assert from "node:assert/strict";
import type { Connection } from "../../mysql/client.ts";
import { dialectOf } from "../../mysql/dialect.ts";
import { nudge } from "../../mysql/empty_transaction.ts";
import { factQueries, heldSet, readFacts, type ServerFacts } from "../../mysql/facts.ts";
import { compare, count, formatLine, subtract } from "../../mysql/gtid.ts";
import { deadlinesMs, type Plan, type Statement } from "../../mysql/plan.ts";
import { fence, type FenceSeen, fenceSql, fenceStart } from "../../mysql/plan_fence.ts";
import { follow } from "../../mysql/plan_follow.ts";
import { freeze } from "../../mysql/plan_freeze.ts";
import { afterRun, promote, type PromoteGoal, settlePlan } from "../../mysql/plan_promote.ts";
import { accountRows, accountsQuery, isUsable } from "../../mysql/replication_account.ts";
import { parseSysvars } from "../../mysql/sysvars.ts";
import { connectAsRoot } from "../../mysql/sandbox.ts";
import { parseVersion } from "../../mysql/version.ts";
import { LabServer } from "./lab.ts";
import { pause } from "../../mysql/time_left.ts";

const deadlineMs = 10_000;
const asksMax = 60;
const clusterUuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const nudgeUuid = "4e11fa47-71ca-11e1-9e33-c80aa9429562";
const account = { user: "repl", password: "it's\\a `secret`" } as const;

/** One server with the connection of its work queue. */
interface Node {
  readonly lab: LabServer;
  readonly work: Connection;
}

async function startNode(serverId: number): Promise<Node> {
  const lab = await LabServer.start(serverId);
  return { lab, work: await connectAsRoot(lab.sandbox, deadlineMs) };
}

async function look({ work, lab }: Node): Promise<ServerFacts> {
  const read = parseVersion(lab.sandbox.version.text);
  assert.ok(read.ok);
  const queries = factQueries(dialectOf(read.version));
  return readFacts({
    settings: await work.query(queries.settings, { deadlineMs }),
    semiSync: await work.query(queries.semiSync, { deadlineMs }),
    replication: await work.query(queries.replication, { deadlineMs }),
    binaryLog: await work.query(queries.binaryLog, { deadlineMs }),
  });
}

/** Asks a plan and runs its statements until it is done. */
async function runPlan(node: Node, ask: (facts: ServerFacts) => Plan | Promise<Plan>) {
  const ran: Statement[] = [];
  for (let at = 0; at < asksMax; at++) {
    const plan = await ask(await look(node));
    if (plan.kind === "refuse") throw new Error(plan.because);
    if (plan.kind === "done") return ran;
    const marker = await connectAsRoot(node.lab.sandbox, deadlineMs);
    for (const next of plan.statements) {
      const connection = next.connection === "marker" ? marker : node.work;
      const limit = next.deadline === "acknowledged" ? deadlineMs : deadlinesMs[next.deadline];
      await connection.query(next.sql, { deadlineMs: limit });
      ran.push(next);
    }
    await marker.close();
  }
  throw new Error(`Plan did not end: ${ran.map(({ what }) => what).join("; ")}`);
}

async function lead(node: Node, term: bigint, k: number) {
  let goal: PromoteGoal = {
    clusterUuid,
    term,
    k,
    leaderSysvars: parseSysvars("sync_binlog=default; innodb_flush_log_at_trx_commit=1"),
    leaderSysvarsApplied: false,
    replicationAccounts: [{ ...account, present: false, given: true, hasPassword: true }],
    xaPending: 0,
  };
  let asked: Plan = { kind: "done" };
  return await runPlan(node, async (facts) => {
    if (asked.kind === "run") goal = afterRun(goal, asked.statements);
    const rows = accountRows(await node.work.query(accountsQuery([account.user]), { deadlineMs }));
    const present = isUsable(rows, account.user);
    const made = { ...account, present, given: true, hasPassword: true };
    goal = { ...goal, replicationAccounts: [made] };
    asked = promote(facts, goal);
    return asked;
  });
}

function followNode(node: Node, source: Node, acknowledge = true) {
  const { port, bindAddress: host } = source.lab.sandbox;
  const { user, password } = account;
  const address = { host, port, user, password, heartbeatPeriodSeconds: 0.5 };
  return runPlan(node, (facts) => follow(facts, { source: address, acknowledge }));
}

/** Fences as the agent does, with connections of its own; gives what happened, in order. */
async function fenceNode(node: Node): Promise<readonly string[]> {
  await using eyes = await connectAsRoot(node.lab.sandbox, deadlineMs);
  await using asking = await connectAsRoot(node.lab.sandbox, deadlineMs);
  const killedIds = new Set<number>();
  const agentConnectionIds = new Set([eyes.id, asking.id, node.work.id]);
  let request: FenceSeen["request"] = "none";
  let memory = fenceStart;
  const happened: string[] = [];
  for (let at = 0; at < 1000; at++) {
    const around = { request, killedIds, agentConnectionIds };
    const step = fence(memory, { ...await lookForFence(eyes, node), ...around });
    memory = step.memory;
    for (const action of step.actions) {
      if (action.kind !== "wait") happened.push(action.kind);
      if (action.kind === "requestSuperReadOnly") {
        request = "pending";
        void asking.query(fenceSql.requestSuperReadOnly, { deadlineMs })
          .then(() => request = "completed");
      } else if (action.kind === "kill") {
        for (const id of action.ids) {
          await eyes.query(fenceSql.kill(id), { deadlineMs });
          killedIds.add(id);
        }
      } else if (action.kind === "semiSyncOff") {
        await eyes.query("SET GLOBAL rpl_semi_sync_source_enabled = OFF", { deadlineMs });
      } else if (action.kind === "done" || action.kind === "mustKillServer") return happened;
    }
  }
  throw new Error(`Fence did not end: ${happened.join(", ")}`);
}

async function lookForFence(eyes: Connection, node: Node) {
  const [row] = await eyes.query(fenceSql.look, { deadlineMs });
  const sessions = await eyes.query(fenceSql.sessions, { deadlineMs });
  return {
    superReadOnly: Number(row?.["super_read_only"]) === 1,
    readOnly: Number(row?.["read_only"]) === 1,
    owned: String(row?.["gtid_owned"]),
    sessions: sessions.map((session) => ({
      id: Number(session["Id"]),
      user: String(session["User"] ?? ""),
      host: String(session["Host"] ?? ""),
      command: String(session["Command"] ?? ""),
      state: String(session["State"] ?? ""),
      info: String(session["Info"] ?? ""),
    })),
    semiSyncSourceEnabled: (await look(node)).semiSyncSource.enabled,
    xaPending: (await eyes.query(fenceSql.xaRecover, { deadlineMs })).length,
  };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const endsAt = performance.now() + deadlineMs;
  while (!await holds()) {
    if (performance.now() > endsAt) throw new Error(`Waited in vain until ${what}`);
    await pause(20);
  }
}

Deno.test("plans on real servers: a cluster of two is founded, fails over and settles", async (test) => {
  const a = await startNode(1);
  await using _a = a.lab;
  const b = await startNode(2);
  await using _b = b.lab;
  await using _workA = a.work;
  await using _workB = b.work;
  await found(test, a, b);
  await failOver(test, a, b);
});

async function found(test: Deno.TestContext, a: Node, b: Node): Promise<void> {
  await test.step("fenced servers are closed, and freezing a server without a source is done", async () => {
    for (const node of [a, b]) {
      assert.deepEqual((await fenceNode(node)).at(-1), "done");
      assert.deepEqual(await runPlan(node, freeze), []);
    }
  });

  await test.step("a first leader opens without acknowledgements and has one marker", async () => {
    await lead(a, 1n, 0);
    const facts = await look(a);
    assert.deepEqual([facts.readOnly, facts.superReadOnly], [false, false]);
    assert.ok(facts.executed.includes(`${clusterUuid}:1`));
    await a.work.query("CREATE DATABASE lab", { deadlineMs });
    await a.work.query("CREATE TABLE lab.t (a INT PRIMARY KEY)", { deadlineMs });
  });

  await test.step("a follower without plugins gets them, follows and acknowledges", async () => {
    await b.work.query("SET GLOBAL super_read_only = OFF", { deadlineMs });
    await b.work.query("UNINSTALL PLUGIN rpl_semi_sync_source", { deadlineMs });
    await b.work.query("UNINSTALL PLUGIN rpl_semi_sync_replica", { deadlineMs });
    await fenceNode(b);
    await followNode(b, a);
    await until("the follower acknowledges", async () => (await look(b)).semiSyncReplica.status);
    assert.deepEqual(await followNode(b, a), []);
    assert.deepEqual([(await look(b)).superReadOnly, (await look(b)).readOnly], [true, true]);
  });

  await test.step("the next term needs one acknowledgement, and fills in markers", async () => {
    await fenceNode(a);
    await lead(a, 3n, 1);
    await runPlan(a, (facts) => settlePlan(facts, { clusterUuid, term: 3n }));
    assert.ok((await look(a)).executed.includes(`${clusterUuid}:1-3`));
    await a.work.query("INSERT INTO lab.t VALUES (1)", { deadlineMs });
    let asked = 0;
    await runPlan(a, (facts) => asked++ === 0 ? nudge(facts, nudgeUuid) : { kind: "done" });
    assert.ok((await look(a)).executed.includes(`${nudgeUuid}:1`));
  });
}

async function failOver(test: Deno.TestContext, a: Node, b: Node): Promise<void> {
  await test.step("the replica half goes off only with a restart of the receiver", async () => {
    const ran = await followNode(b, a, false);
    assert.equal(ran[0]?.what, "stop the receiver");
    assert.equal((await look(b)).semiSyncReplica.status, false);
    await followNode(b, a);
    await until("the follower acknowledges", async () => (await look(b)).semiSyncReplica.status);
  });

  await test.step("a fence lets no waiting client hear of success", async () => {
    await runPlan(b, freeze);
    const client = await connectAsRoot(a.lab.sandbox, deadlineMs);
    const heard = client.change("INSERT INTO lab.t VALUES (2)", { deadlineMs })
      .then(() => "success", () => "an error");
    await until("the commit waits", async () => (await look(a)).semiSyncSource.waitSessions === 1);
    const waiting = (await look(a)).owned;
    assert.equal(waiting, `${(await look(a)).serverUuid}:${waiting.split(":")[1]}`);
    const happened = await fenceNode(a);
    assert.deepEqual(happened, ["requestSuperReadOnly", "kill", "semiSyncOff", "done"]);
    assert.equal(await heard, "an error");
    await client.close();
    const extra = subtract(heldSet(await look(a)), heldSet(await look(b)));
    assert.equal(formatLine(extra), waiting);
  });

  await test.step("the follower leads once the old leader acknowledges its marker", async () => {
    const opening = lead(b, 4n, 1);
    await until("the marker waits", async () => (await look(b)).owned === `${clusterUuid}:4`);
    await followNode(a, b);
    const ran = await opening;
    assert.equal(ran.filter(({ sql }) => sql === "COMMIT").length, 1);
    await runPlan(b, (facts) => settlePlan(facts, { clusterUuid, term: 4n }));
    assert.equal((await look(b)).replication, null);
    await b.work.query("INSERT INTO lab.t VALUES (3)", { deadlineMs });
    await until("the old leader has all", async () => {
      return compare(heldSet(await look(a)), heldSet(await look(b))) === "ahead";
    });
    assert.equal(count(subtract(heldSet(await look(a)), heldSet(await look(b)))), 1n);
  });
}
