/** The database port against real servers: one source and two replicas through a whole life. */

import assert from "node:assert/strict";
import { Connection } from "../../mysql/client.ts";
import type { ServerFacts } from "../../mysql/facts.ts";
import { contains, parse } from "../../mysql/gtid.ts";
import { pause } from "../../mysql/time_left.ts";
import { DatabaseNode } from "./database_node.ts";
import { LabServer } from "./lab.ts";

const clusterUuid = "c1c1c1c1-0000-4000-8000-000000000001";
const quick = { deadlineMs: 20_000 } as const;

interface Trio {
  readonly a: DatabaseNode;
  readonly b: DatabaseNode;
  readonly c: DatabaseNode;
}

async function timed<T>(what: string, call: () => Promise<T>): Promise<readonly [T, number]> {
  const startedAt = performance.now();
  const result = await call();
  const ms = performance.now() - startedAt;
  times.push(`${what} ${ms.toFixed(1)} ms`);
  return [result, ms];
}

const times: string[] = [];
const endless = { signal: new AbortController().signal, entitled: () => true };
const silent = () => {};

/** The members of the moment. */
let members: readonly DatabaseNode[] = [];

function replicas() {
  return members.map(({ replica }) => replica);
}

function promotion(term: number, held = "") {
  return { clusterUuid, term, k: 1, held, replicas: replicas(), progress: silent };
}

function holds(facts: ServerFacts, set: string): boolean {
  return contains(parse(facts.executed), parse(set));
}

/** The fastest of several calls: what the work costs, not what the machine does beside it. */
async function fastest(what: string, call: () => Promise<unknown>): Promise<number> {
  const all: number[] = [];
  for (let count = 0; count < 7; count++) all.push((await timed(what, call))[1]);
  return Math.min(...all);
}

Deno.test("a database port lives through promotion, failover, fence and close", async (test) => {
  const labs = await Promise.all([1, 2, 3].map((id) => LabServer.start(id)));
  await using a = new DatabaseNode(labs[0]!);
  await using b = new DatabaseNode(labs[1]!);
  await using c = new DatabaseNode(labs[2]!);
  const trio = { a, b, c };
  members = [a, b, c];
  await prepareAndLead(test, trio);
  const held = await freezeAndFence(test, trio);
  await leadNext(test, { ...trio, held });
  await closeAsPlanned(test, trio);
  await meetHardCases(test, trio);
  await breakServer(test, trio);
  if (Deno.env.has("XENON_TIMES")) await Deno.stdout.write(lines(times));
});

function lines(all: readonly string[]): Uint8Array {
  return new TextEncoder().encode(`${all.join("\n")}\n`);
}

/** Three fresh servers become a leader and two followers. */
async function prepareAndLead(test: Deno.TestContext, { a, b, c }: Trio): Promise<void> {
  await test.step("a server is prepared without creating a transaction", async () => {
    for (const node of [a, b, c]) {
      await timed("prepare", () => node.database.prepare());
      assert.equal((await node.facts()).executed, "");
    }
    const closed = `${a.lab.sandbox.dataFolder}/mysqld-auto.cnf`;
    assert.match(Deno.readTextFileSync(closed), /skip_replica_start[^]*super_read_only/);
  });

  await test.step("a look is quick", async () => {
    const ms = await fastest("look", () => a.facts());
    assert.ok(ms < 1_000, `a look took ${ms} ms`);
  });

  await test.step("the first leader makes the account, its marker is acknowledged", async () => {
    for (const node of [b, c]) {
      const wish = { source: a.address, acknowledge: true, replica: node.replica };
      const round = await node.database.follow(wish, await node.facts());
      assert.equal(round.settled, false);
      assert.match(round.because ?? "", /Cannot set no_such_variable/);
    }
    await timed("first promote", () => a.database.promote(promotion(1), endless));
    const facts = await a.facts();
    assert.ok(!facts.readOnly && !facts.superReadOnly && facts.semiSyncSource.status);
    assert.ok(holds(facts, `${clusterUuid}:1`));
    await Promise.all([b, c].map((node) => node.followUntilSettled(a)));
    await b.until("it is connected", (seen) => seen.replication?.receiver === "running");
    await c.until("it is connected", (seen) => seen.replication?.receiver === "running");
  });

  await test.step("a settled follower is left alone, and knows its settings", async () => {
    const facts = await b.facts();
    b.costs.length = 0;
    const wish = { source: a.address, acknowledge: true, replica: b.replica };
    assert.deepEqual(await b.database.follow(wish, facts), { settled: true, because: null });
    assert.deepEqual(b.costs, []);
    assert.equal(facts.durability.syncBinlog, 1000);
  });
}

/** The followers freeze, the leader is fenced; gives what one follower held then. */
async function freezeAndFence(test: Deno.TestContext, { a, b, c }: Trio): Promise<string> {
  const client = await a.client();

  await test.step("a commit is acknowledged", async () => {
    await client.query("CREATE DATABASE lab", quick);
    await client.query("CREATE TABLE lab.t (a INT PRIMARY KEY)", quick);
    await client.query("INSERT INTO lab.t VALUES (1)", quick);
  });

  await test.step("a lost acknowledgement can be released, acknowledgements rearranged", async () => {
    await a.database.nudge(20_000);
    await a.database.arrange({ k: 1, cutOff: null }, endless);
    const before = await readers(client);
    const cutOff = { replica: c.replica, staying: [b.replica] };
    await timed("arrange", () => a.database.arrange({ k: 1, cutOff }, endless));
    const after = await readers(client);
    assert.deepEqual(after, before.filter((id) => after.includes(id)));
    assert.equal(after.length, 1);
    // Its receiver connects again by itself, and would acknowledge.
    const refused = (seen: ServerFacts) => seen.replication?.receiverErrorNumber === 3118;
    await c.until("its account is locked", refused);
    assert.equal((await a.facts()).semiSyncSource.clients, 1);
    await timed("arrange again", () => a.database.arrange({ k: 1, cutOff }, endless));
    await assert.rejects(c.database.nudge(20_000), /Cannot nudge: the server is closed/);
  });

  await test.step("a replica that is added again gets in as another member", async () => {
    c.replica = { ...c.replica, since: 7 };
    const wish = { clusterUuid, term: 1, k: 1, replicas: replicas() };
    await a.database.settle(wish, await a.facts());
    assert.ok((await a.database.settle(wish, await a.facts())).settled);
    await c.followUntilSettled(a);
    await c.until("it is connected", (seen) => seen.replication?.receiver === "running");
    await a.until("it acknowledges", (seen) => seen.semiSyncSource.clients === 2);
  });

  let held = "";

  await test.step("a follower finds out that the replicas' accounts have its password", async () => {
    const wish = { source: a.address, acknowledge: true, replica: b.replica };
    const round = await b.database.follow({ ...wish, replicas: replicas() }, await b.facts());
    assert.ok(round.settled, round.because ?? "");
  });

  await test.step("a freeze receives what it is told to, and stops the receiver", async () => {
    const until = (await a.facts()).executed;
    [held] = await timed("freeze", () => b.database.freeze({ until, untilMs: 20_000 }));
    assert.ok(contains(parse(held), parse(until)));
    assert.equal((await b.facts()).replication?.receiver, "stopped");
    await timed("freeze", () => c.database.freeze({ until, untilMs: 20_000 }));
    const ms = await fastest("freeze again", () => c.database.freeze({ until, untilMs: 0 }));
    assert.ok(ms < 1_000, `a freeze took ${ms} ms`);
    const never = { until: `${clusterUuid}:1-99`, untilMs: 50 };
    await assert.rejects(c.database.freeze(never), /Cannot receive up to .* receiver is stopped/);
  });

  await test.step("a fence never lets a waiting commit be acknowledged", async () => {
    const waiting = settledAs(client.query("INSERT INTO lab.t VALUES (2)", quick));
    await a.until("a commit waits", (facts) => facts.semiSyncSource.waitSessions === 1);
    const [result] = await timed("fence a waiting commit", () => a.database.fence(20_000));
    assert.deepEqual(result, { kind: "closed" });
    assert.equal(await waiting, "lost");
    const facts = await a.facts();
    assert.ok(facts.superReadOnly && facts.readOnly && !facts.semiSyncSource.enabled);
    const ms = await fastest("fence again", () => a.database.fence(20_000));
    assert.ok(ms < 1_000, `a fence of a closed server took ${ms} ms`);
  });
  return held;
}

/** The frozen follower leads. */
async function leadNext(
  test: Deno.TestContext,
  { b, c, held }: Trio & { readonly held: string },
): Promise<void> {
  await test.step("a promotion without what the voters were told refuses", async () => {
    const wish = promotion(2, `${held},${clusterUuid}:77`);
    await assert.rejects(b.database.promote(wish, endless), /lacks .*:77/);
    const facts = await b.facts();
    assert.ok(facts.readOnly && facts.superReadOnly && !facts.semiSyncSource.enabled);
  });

  await test.step("the next leader opens at once", async () => {
    await c.followUntilSettled(b);
    await c.until("it is connected", (facts) => facts.semiSyncReplica.status);
    b.costs.length = 0;
    const [, ms] = await timed("promote", () => b.database.promote(promotion(2, held), endless));
    times.push(`  of it: ${b.costs.join("; ")}`);
    assert.ok(!b.costs.some((cost) => cost.includes("password")), b.costs.join("; "));
    assert.ok(ms < 8_000, `promotion took ${ms} ms`);
    const facts = await b.facts();
    assert.ok(!facts.readOnly && holds(facts, `${clusterUuid}:1-2`));
    assert.equal(facts.durability.syncBinlog, 1);
  });

  await test.step("upkeep forgets the source and then leaves the leader alone", async () => {
    const wish = { clusterUuid, term: 2, k: 1, replicas: replicas() };
    assert.equal((await b.database.settle(wish, await b.facts())).settled, false);
    const facts = await b.facts();
    assert.equal(facts.replication, null);
    assert.deepEqual(await b.database.settle(wish, facts), { settled: true, because: null });
  });
}

/** The leader is closed without a fence. */
async function closeAsPlanned(test: Deno.TestContext, { b, c }: Trio): Promise<void> {
  await using writer = await b.client();

  await test.step("a planned close that fails reopens the server", async () => {
    await writer.query("INSERT INTO lab.t VALUES (3)", quick);
    await c.database.freeze({ until: "", untilMs: 0 });
    const waiting = settledAs(writer.query("INSERT INTO lab.t VALUES (4)", quick));
    await b.until("a commit waits", (facts) => facts.semiSyncSource.waitSessions === 1);
    await assert.rejects(b.database.close(200, endless), /hold the close up; it is open again/);
    const facts = await b.facts();
    assert.ok(!facts.readOnly && !facts.superReadOnly);
    await c.followUntilSettled(b);
    assert.equal(await waiting, "done");
    await writer.query("INSERT INTO lab.t VALUES (5)", quick);
  });

  await test.step("a planned close gives the executed set, and semi-sync can go off behind it", async () => {
    const [executed] = await timed("close", () => b.database.close(20_000, endless));
    const facts = await b.facts();
    assert.ok(facts.readOnly && facts.superReadOnly);
    assert.equal(facts.executed, executed);
    await b.database.release();
    assert.equal((await b.facts()).semiSyncSource.enabled, false);
    const [fenced, ms] = await timed("fence a closed leader", () => b.database.fence(20_000));
    assert.deepEqual(fenced, { kind: "closed" });
    assert.ok(ms < 8_000, `a fence with a reader took ${ms} ms`);
  });
}

/** What must not go wrong, and what an earlier agent left behind. */
async function meetHardCases(test: Deno.TestContext, { b, c }: Trio): Promise<void> {
  await test.step("upkeep does not hold the queue up for a commit that waits", async () => {
    await waitWithoutQueue(b, c);
  });

  await test.step("a promotion that is cut off at any step leaves a server that can be opened", async () => {
    await cutOffAnywhere(b);
  });

  await test.step("a prepared XA transaction can only be fenced by a kill", async () => {
    await killForXa(b);
  });

  await test.step("preparing ends sessions of an earlier agent, and of nobody else", async () => {
    await using earlier = await Connection.connect({
      user: "root",
      password: "",
      socketPath: c.lab.sandbox.socket,
      connectMs: 20_000,
    });
    await using other = await c.client();
    await c.database.prepare();
    await earlier.closed;
    assert.equal((await other.query("SELECT 1 AS one", quick)).length, 1);
  });

  await test.step("missing plugins are installed without a transaction", async () => {
    await using root = await c.client();
    await c.database.freeze({ until: "", untilMs: 0 });
    await root.query("SET GLOBAL super_read_only = OFF", quick);
    await root.query("UNINSTALL PLUGIN rpl_semi_sync_source", quick);
    await root.query("SET GLOBAL super_read_only = ON", quick);
    const before = await c.facts();
    assert.equal(before.semiSyncSource.installed, false);
    await c.database.prepare();
    const after = await c.facts();
    assert.ok(after.semiSyncSource.installed && after.superReadOnly && after.readOnly);
    assert.equal(after.executed, before.executed);
  });
}

/** A server that does not answer. */
async function breakServer(test: Deno.TestContext, { c }: Trio): Promise<void> {
  await test.step("a frozen server is reported in time, and cannot be closed by SQL", async () => {
    const process = await c.lab.sandbox.server.identify();
    assert.ok(process !== null);
    Deno.kill(process.pid, "SIGSTOP");
    const [look, lookedMs] = await timed("look at a frozen server", () => c.database.look(200));
    const [fenced, fencedMs] = await timed("fence a frozen one", () => c.database.fence(300));
    Deno.kill(process.pid, "SIGCONT");
    assert.equal(look.kind === "failed" ? look.reason : "", "timeout");
    assert.equal(fenced.kind, "mustKill");
    assert.ok(lookedMs < 5_000 && fencedMs < 5_000, `${lookedMs} and ${fencedMs} ms`);
    await c.until("it is back", () => true);
  });

  await test.step("a dead server is reported at once", async () => {
    const process = await c.lab.sandbox.server.identify();
    assert.ok(process !== null);
    c.lab.sandbox.server.kill(process);
    await c.lab.sandbox.server.waitGone(process, 60_000);
    const look = await c.database.look(20_000);
    assert.match(look.kind === "failed" ? look.reason : "", /^(?:refused|lost)$/);
    const [fenced] = await timed("fence a dead server", () => c.database.fence(20_000));
    assert.equal(fenced.kind, "mustKill");
  });
}

async function readers(client: Connection): Promise<readonly string[]> {
  const sql = "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog%'";
  return (await client.query(sql, quick)).map(({ id }) => String(id));
}

/** How a statement ended: "done", or the kind of its error. */
async function settledAs(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "done";
  } catch (error) {
    return (error as { readonly kind: string }).kind;
  }
}

/** A lower marker without a replica: left alone, still waiting, until a fence releases it. */
async function waitWithoutQueue(node: DatabaseNode, replica: DatabaseNode): Promise<void> {
  await node.database.promote(promotion(12), endless);
  await replica.database.freeze({ until: "", untilMs: 0 });
  const wish = { clusterUuid, term: 12, k: 1, replicas: replicas() };
  await assert.rejects(
    node.database.settle(wish, await node.facts()),
    /Cannot write the marker of term 3, which this server lacks/,
  );
  const facts = await node.facts();
  assert.equal(facts.owned, `${clusterUuid}:3`);
  const again = assert.rejects(node.database.settle(wish, facts), /marker of term 4/);
  await pause(100);
  assert.deepEqual(await node.database.fence(20_000), { kind: "closed" });
  await again.catch(() => {});
  assert.equal((await node.facts()).owned, "");
  await replica.followUntilSettled(node);
}

/** XA COMMIT ignores super_read_only, so nobody may be told that this server is closed. */
async function killForXa(node: DatabaseNode): Promise<void> {
  await node.database.promote(promotion(60), endless);
  const client = await node.client();
  for (const sql of ["XA START 'x'", "INSERT INTO lab.t VALUES (60)", "XA END 'x'"]) {
    await client.query(sql, quick);
  }
  await client.query("XA PREPARE 'x'", quick);
  const fenced = await node.database.fence(20_000);
  assert.match(fenced.kind === "mustKill" ? fenced.because : "", /1 prepared XA transaction/);
  assert.equal((await node.facts()).semiSyncSource.enabled, true);
  await using other = await node.client();
  await other.query("XA ROLLBACK 'x'", quick);
  assert.deepEqual(await node.database.fence(20_000), { kind: "closed" });
}

/** Takes the scope away after each statement in turn; then lets one promotion go to its end. */
async function cutOffAnywhere(node: DatabaseNode): Promise<void> {
  let finished = false;
  for (let after = 0; !finished; after++) {
    assert.ok(after < 30, "the promotion does not end");
    const controller = new AbortController();
    let statements = 0;
    node.onStatement = () => {
      if (++statements > after) controller.abort(new Error("term lost"));
    };
    if (after === 0) controller.abort(new Error("term lost"));
    const wish = promotion(13 + after);
    const error = await node.database.promote(wish, {
      signal: controller.signal,
      entitled: () => true,
    }).then(
      () => null,
      (failure: Error) => failure.message,
    );
    node.onStatement = silent;
    const facts = await node.facts();
    finished = error === null;
    if (error !== null) assert.match(error, /what it belongs to is over/);
    if (error !== null && facts.readOnly) continue;
    assert.ok(holds(facts, `${clusterUuid}:${wish.term}`), "open without its marker");
    if (!finished) assert.deepEqual(await node.database.fence(20_000), { kind: "closed" });
  }
  assert.deepEqual(await node.database.fence(20_000), { kind: "closed" });
}
