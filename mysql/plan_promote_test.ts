import assert from "node:assert/strict";
import type { ServerFacts } from "./facts.ts";
import {
  clusterUuid,
  execute,
  followerFacts,
  followerWith,
  ModelError,
  type ModelServer,
  modelServer,
  ownUuid,
  sourceUuid,
  statementsOf,
} from "./fake_server.ts";
import { afterRun, promote, type PromoteGoal, settlePlan } from "./plan_promote.ts";
import type { Plan, Statement } from "./plan.ts";
import { nudge } from "./empty_transaction.ts";
import { parseSysvars } from "./sysvars.ts";

const goal: PromoteGoal = {
  clusterUuid,
  term: 5n,
  k: 1,
  leaderSysvars: parseSysvars("sync_binlog=default; event_scheduler=on"),
  leaderSysvarsApplied: false,
  replicationAccounts: ["repl_a", "repl_b"].map((user) => {
    return { user, password: "pass'word", present: false, given: false, hasPassword: true };
  }),
  xaPending: 0,
};

/** Made by an earlier leader, with another password: replicas are refused. */
const formerAccounts = {
  accounts: goal.replicationAccounts.map(({ user }) => `'${user}'@'%'`),
  passwordsGiven: false,
};

/** The goal with what an account query would find now. */
function goalFor(server: ModelServer, wanted: PromoteGoal): PromoteGoal {
  const replicationAccounts = wanted.replicationAccounts.map((account) => ({
    ...account,
    present: server.accounts.includes(`'${account.user}'@'%'`),
  }));
  return { ...wanted, replicationAccounts };
}

/** As the agent remembers it. */
function givenAfter(wanted: PromoteGoal, ran: readonly Statement[]): PromoteGoal {
  if (!ran.some(({ sql }) => sql.startsWith("ALTER USER"))) return wanted;
  const replicationAccounts = wanted.replicationAccounts.map((account) => {
    return { ...account, given: true };
  });
  return { ...wanted, replicationAccounts };
}

interface Run {
  readonly server: ModelServer;
  readonly ran: readonly Statement[];
  readonly finished: boolean;
}

const asksMax = 20;

/** Asks and runs until done, or until so many statements ran: then the agent is gone, its session too. */
function runPromotion(start: ModelServer, wanted: PromoteGoal, statementsMax = Infinity): Run {
  let server = start;
  let present = wanted;
  const ran: Statement[] = [];
  for (let ask = 0; ask < asksMax; ask++) {
    present = goalFor(server, present);
    const statements = statementsOf(promote(server.facts, present));
    if (statements.length === 0) return { server, ran, finished: true };
    for (const next of statements) {
      if (ran.length >= statementsMax) {
        return { server: { ...server, gtidNext: "", unlogged: false }, ran, finished: false };
      }
      server = execute(server, next.sql);
      ran.push(next);
    }
    present = givenAfter(afterRun(present, statements), statements);
  }
  throw new Error(`Promotion did not end: ${ran.map(({ sql }) => sql).join("\n")}`);
}

function assertLeads(server: ModelServer, k: number): void {
  const { facts } = server;
  assert.equal(facts.readOnly, false);
  assert.equal(facts.superReadOnly, false);
  assert.equal(facts.semiSyncSource.enabled, k > 0);
  if (k > 0) assert.equal(facts.semiSyncSource.waitForCount, k);
  assert.ok(facts.executed.includes(`${clusterUuid}:5`));
  assert.equal(server.lost, "");
}

function settingsOf(facts: ServerFacts) {
  return { semiSyncSource: { ...facts.semiSyncSource, installed: false } };
}

const loose = { ...followerFacts.durability, syncBinlog: 1000, flushLogAtTrxCommit: 2 };

/** Starting points from which a promotion must always reach an open leader. */
const starts: Readonly<Record<string, readonly [ServerFacts, PromoteGoal]>> = {
  "a follower in step": [followerFacts, goal],
  "a follower that has not applied all": [
    followerWith({ received: `${sourceUuid}:5-20` }),
    goal,
  ],
  "a stopped applier with work left": [
    followerWith({ received: `${sourceUuid}:5-20`, replication: { applier: "stopped" } }),
    goal,
  ],
  "a server without a source": [followerWith({ replication: null }), goal],
  "a server without plugins": [followerWith(settingsOf(followerFacts)), goal],
  "loose durability": [followerWith({ durability: loose }), goal],
  "k = 0": [followerFacts, { ...goal, k: 0 }],
  "k = 2": [followerFacts, { ...goal, k: 2 }],
  "k = 0 with semi-sync left on": [
    followerWith({
      semiSyncSource: { ...followerFacts.semiSyncSource, enabled: true, status: true },
      replication: null,
    }),
    { ...goal, k: 0 },
  ],
};

for (const [name, [facts, wanted]] of Object.entries(starts)) {
  Deno.test(`promote() opens ${name}`, () => {
    assertLeads(runPromotion(modelServer(facts), wanted).server, wanted.k);
  });

  Deno.test(`promote() of ${name} can be interrupted after every statement`, () => {
    const whole = runPromotion(modelServer(facts), wanted).ran.length;
    for (let statementsMax = 0; statementsMax < whole; statementsMax++) {
      const first = runPromotion(modelServer(facts), wanted, statementsMax);
      assert.equal(first.finished, false);
      const second = runPromotion(first.server, wanted);
      assert.ok(second.finished, `after ${statementsMax}`);
      assertLeads(second.server, wanted.k);
    }
  });
}

Deno.test("promote() orders its steps: drained, account, semi-sync, settings, marker, open", () => {
  const facts = followerWith({ received: `${sourceUuid}:5-20` });
  const { ran } = runPromotion(modelServer(facts), goal);
  assert.deepEqual(ran.map(({ what }) => what), [
    "stop the receiver",
    "wait until 10 received transactions are applied",
    "stop the applier",
    "admit the agent, clients stay read-only",
    "create replication account repl_a, repl_b",
    "set up replication account repl_a, repl_b",
    "let replication account repl_a, repl_b read",
    "let commits wait without limit",
    "switch semi-sync source on",
    "set sync_binlog",
    "set event_scheduler",
    "choose the GTID: write the marker of term 5, acknowledged by 1",
    "begin: write the marker of term 5, acknowledged by 1",
    "write the marker of term 5, acknowledged by 1",
    "return to automatic GTIDs: write the marker of term 5, acknowledged by 1",
    "open for writes",
  ]);
});

Deno.test("promote() marks statements with passwords as secret and never says them", () => {
  const { ran } = runPromotion(modelServer(followerFacts), goal);
  const holding = ran.filter(({ sql }) => sql.includes("pass''word"));
  assert.equal(holding.length, 2);
  assert.ok(holding.every(({ secret }) => secret));
  assert.ok(ran.every(({ what }) => !what.includes("pass")));
});

Deno.test("promote() gives accounts that are there the configured password, once and unlogged", () => {
  const start = modelServer(followerFacts, formerAccounts);
  const { server, ran } = runPromotion(start, goal);
  assertLeads(server, 1);
  const words = ran.map(({ what }) => what);
  const at = words.indexOf("give replication account repl_a, repl_b the configured password");
  assert.ok(at >= 0 && at < words.indexOf("switch semi-sync source on"), words.join("; "));
  const keep = "IDENTIFIED BY 'pass''word' RETAIN CURRENT PASSWORD";
  assert.equal(ran[at]?.sql, `ALTER USER 'repl_a'@'%' ${keep}, 'repl_b'@'%' ${keep}`);
  assert.equal(ran[at]?.secret, true);
  assert.ok(!server.facts.executed.includes(`${ownUuid}:`), "nothing that others could lack");
  const given = givenAfter(goal, ran);
  const again = runPromotion(modelServer(followerFacts, { ...formerAccounts, ...server }), given);
  assert.ok(again.ran.every(({ sql }) => !/USER|sql_log_bin/.test(sql)));
});

Deno.test("promote() gives passwords after an interruption, and new accounts theirs with the rest", () => {
  const start = modelServer(followerFacts, formerAccounts);
  const whole = runPromotion(start, goal).ran.length;
  for (let statementsMax = 0; statementsMax < whole; statementsMax++) {
    const first = runPromotion(start, goal, statementsMax);
    assertLeads(runPromotion(first.server, goal).server, 1);
  }
  const one = { ...start, accounts: ["'repl_a'@'%'"] };
  assertLeads(runPromotion(one, goal).server, 1);
});

const offline = followerWith({ offlineMode: true });

Deno.test("promote() lets replicas log in before the marker where offline_mode was left ON", () => {
  for (const k of [0, 1, 2]) {
    const { server, ran } = runPromotion(modelServer(offline), { ...goal, k });
    assertLeads(server, k);
    assert.equal(server.facts.offlineMode, false);
    const statements = ran.map(({ sql }) => sql);
    const admitted = statements.indexOf("SET GLOBAL offline_mode = OFF");
    assert.ok(admitted < statements.indexOf("COMMIT"));
    assert.ok(admitted > statements.indexOf("SET GLOBAL rpl_semi_sync_source_enabled = ON"));
  }
});

Deno.test("promote() keeps clients of prepared XA transactions out until the marker is written", () => {
  const start = modelServer(offline, { xaPending: 1 });
  const { server, ran } = runPromotion(start, { ...goal, k: 0, xaPending: 1 });
  assertLeads(server, 0);
  assert.equal(server.facts.offlineMode, false);
  assert.deepEqual(ran.slice(-2).map(({ what }) => what), [
    "let replicas and clients log in",
    "open for writes",
  ]);
  const plan = promote(offline, { ...goal, xaPending: 1 });
  const because = plan.kind === "refuse" ? plan.because : "";
  assert.match(because, /offline_mode is ON because of 1 prepared XA .* XA COMMIT or XA ROLLBACK/);
});

Deno.test("promote() waits for a marker that hangs, and does not write it twice", () => {
  const hanging = modelServer(followerWith({ replication: null }), { ackers: 0 });
  assert.throws(() => runPromotion(hanging, goal), /did not end/);
  const { server, ran } = runPromotion(hanging, goal, 20);
  assert.equal(server.facts.owned, `${clusterUuid}:5`);
  assert.equal(server.facts.readOnly, true);
  assert.equal(ran.filter(({ sql }) => sql === "COMMIT").length, 1);
  assert.match(ran.at(-1)?.what ?? "", /wait until 1 replica acknowledges the marker of term 5/);
  assertLeads(runPromotion({ ...server, ackers: 1 }, goal).server, 1);
});

Deno.test("promote() never makes accounts or loosens semi-sync while a marker waits", () => {
  const hanging = modelServer(followerWith({ replication: null }), { ackers: 0 });
  const { server } = runPromotion(hanging, goal, 20);
  const forgotten = { ...server, accounts: [] };
  const statements = statementsOf(promote(forgotten.facts, goalFor(forgotten, goal)));
  assert.ok(statements.every(({ sql }) => !/CREATE USER|= OFF/.test(sql)));
});

Deno.test("promote() drops nothing of the durability the operator's settings break, it refuses", () => {
  const careless = { ...goal, leaderSysvars: parseSysvars("sync_binlog=1000") };
  const start = modelServer(followerFacts, { accounts: ["'repl'@'%'"] });
  assert.throws(() => runPromotion(start, careless), /sync_binlog is 1000 and must be 1/);
});

const refusals: readonly (readonly [string, ServerFacts, RegExp])[] = [
  [
    "a writable server",
    followerWith({ readOnly: false, superReadOnly: false }),
    /writable.*fence it first/,
  ],
  [
    "a server that another request is just closing",
    followerWith({ readOnly: false, superReadOnly: true }),
    /fence it first/,
  ],
  [
    "an applier that gave up",
    followerWith({
      received: `${sourceUuid}:1-20`,
      replication: { applier: "stopped", applierErrorNumber: 1062, applierError: "Duplicate" },
    }),
    /applier stopped with error 1062/,
  ],
  ["filters", followerWith({ filters: ["Binlog_Do_DB"] }), /Binlog_Do_DB/],
];

for (const [name, facts, wanted] of refusals) {
  Deno.test(`promote() refuses ${name}`, () => {
    const plan = promote(facts, goal);
    assert.equal(plan.kind, "refuse");
    assert.match(plan.kind === "refuse" ? plan.because : "", wanted);
  });
}

function leader(change: Partial<ServerFacts>): ServerFacts {
  return {
    ...followerWith({ replication: null, readOnly: false, superReadOnly: false }),
    executed: `${clusterUuid}:5`,
    semiSyncSource: {
      ...followerFacts.semiSyncSource,
      enabled: true,
      status: true,
      timeoutMs: 4_294_967_295,
    },
    ...change,
  };
}

const present = goal.replicationAccounts.map((account) => {
  return { ...account, present: true, given: true };
});

Deno.test("promote() is done only while every promise of an open leader holds", () => {
  const ready = { ...goal, leaderSysvarsApplied: true, replicationAccounts: present };
  assert.equal(promote(leader({}), ready).kind, "done");
  const source = leader({}).semiSyncSource;
  const broken: readonly Partial<ServerFacts>[] = [
    { semiSyncSource: { ...source, enabled: false } },
    { semiSyncSource: { ...source, waitForCount: 2 } },
    { semiSyncSource: { ...source, timeoutMs: 10_000 } },
    { semiSyncSource: { ...source, waitNoReplica: false } },
    { durability: loose },
    { executed: `${clusterUuid}:4` },
    { replication: followerFacts.replication },
  ];
  for (const change of broken) {
    assert.equal(promote(leader(change), ready).kind, "refuse", JSON.stringify(change));
  }
});

function settle(facts: ServerFacts): Plan {
  return settlePlan(facts, goal);
}

Deno.test("settlePlan() forgets the source and writes the markers the leader lacks", () => {
  const stopped = {
    ...followerFacts.replication!,
    receiver: "stopped",
    applier: "stopped",
  } as const;
  const start = leader({ executed: `${clusterUuid}:2:5,${sourceUuid}:1-10`, replication: stopped });
  let server = modelServer({ ...start, received: `${sourceUuid}:1-10` });
  for (const next of statementsOf(settle(server.facts))) server = execute(server, next.sql);
  assert.equal(server.facts.replication, null);
  assert.ok(server.facts.executed.includes(`${clusterUuid}:1-5`), server.facts.executed);
  assert.equal(server.lost, "");
  assert.equal(settle(server.facts).kind, "done");
});

Deno.test("settlePlan() writes a bounded number of markers at a time and none that waits", () => {
  const many = settlePlan(leader({}), { clusterUuid, term: 1000n });
  assert.equal(statementsOf(many).filter(({ sql }) => sql === "COMMIT").length, 32);
  const waiting = settle(leader({ executed: `${clusterUuid}:2-5`, owned: `${clusterUuid}:1` }));
  assert.equal(waiting.kind, "done");
});

Deno.test("settlePlan() refuses a closed server and keeps what is not applied", () => {
  assert.equal(settle(followerFacts).kind, "refuse");
  const plan = settle(leader({ received: `${sourceUuid}:1-3` }));
  assert.match(
    plan.kind === "refuse" ? plan.because : "",
    /3 received transactions are not applied/,
  );
});

Deno.test("nudge() takes the next free number of its own source", () => {
  const plan = nudge(leader({ executed: `${ownUuid}:1-3`, owned: `${ownUuid}:4` }), ownUuid);
  assert.equal(statementsOf(plan)[0]?.sql, `SET SESSION gtid_next = '${ownUuid}:5'`);
  assert.equal(nudge(followerFacts, ownUuid).kind, "refuse");
});

Deno.test("nudge() leaves it at two that nobody acknowledges", () => {
  let server = modelServer(leader({ executed: `${clusterUuid}:5` }));
  const owned: string[] = [];
  for (let asked = 0; asked < 10; asked++) {
    for (const { sql } of statementsOf(nudge(server.facts, ownUuid))) {
      const gtid = /gtid_next = '(.*:\d+)'/.exec(sql)?.[1];
      if (gtid !== undefined) owned.push(gtid);
    }
    server = { ...server, facts: { ...server.facts, owned: owned.join(",") } };
  }
  assert.deepEqual(owned, [`${ownUuid}:1`, `${ownUuid}:2`]);
  const released = { ...server.facts, owned: "", executed: `${clusterUuid}:5,${owned.join(",")}` };
  assert.equal(statementsOf(nudge(released, ownUuid))[0]?.sql.includes(`${ownUuid}:3`), true);
});

Deno.test("the model refuses what a server refuses, so the tests above can fail", () => {
  const closed = modelServer(followerFacts);
  assert.throws(() => execute(closed, "COMMIT"), ModelError);
  assert.throws(() => execute(closed, "SET GLOBAL read_only = OFF"), ModelError);
  assert.throws(() => execute(closed, "DROP TABLE x"), ModelError);
});
