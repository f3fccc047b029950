import assert from "node:assert/strict";
import type { ServerFacts } from "./facts.ts";
import {
  execute,
  followerFacts,
  followerWith,
  type ModelServer,
  modelServer,
  sourceUuid,
  statementsOf,
} from "./fake_server.ts";
import { follow, type FollowGoal } from "./plan_follow.ts";
import { freeze } from "./plan_freeze.ts";

const source = { host: "10.0.0.2", port: 3306, user: "repl", password: "secret" } as const;
const same: FollowGoal = { source, acknowledge: true };
const elsewhere: FollowGoal = { source: { ...source, host: "10.0.0.3" }, acknowledge: true };

interface Run {
  readonly server: ModelServer;
  readonly ran: readonly string[];
  readonly finished: boolean;
}

function runFollow(start: ModelServer, goal: FollowGoal, statementsMax = Infinity): Run {
  let server = start;
  const ran: string[] = [];
  for (let ask = 0; ask < 20; ask++) {
    const statements = statementsOf(follow(server.facts, goal));
    if (statements.length === 0) return { server, ran, finished: true };
    for (const { sql, what } of statements) {
      if (ran.length >= statementsMax) return { server, ran, finished: false };
      server = execute(server, sql);
      ran.push(what);
    }
  }
  throw new Error(`Following did not end: ${ran.join("\n")}`);
}

function assertFollows(server: ModelServer, goal: FollowGoal): void {
  const { facts, lost } = server;
  assert.equal(facts.replication?.sourceHost, goal.source.host);
  assert.equal(facts.replication?.sourceUser, goal.source.user);
  assert.equal(facts.replication?.receiver, "running");
  assert.equal(facts.replication?.applier, "running");
  assert.equal(facts.replication?.autoPosition, true);
  assert.equal(facts.semiSyncReplica.status, goal.acknowledge);
  assert.equal(facts.semiSyncSource.enabled, false);
  assert.equal(facts.superReadOnly, true);
  assert.equal(lost, "");
}

const pendingWork = `${sourceUuid}:5-20`;
const bare = {
  semiSyncSource: { ...followerFacts.semiSyncSource, installed: false },
  semiSyncReplica: { installed: false, enabled: false, status: false },
};
const stopped = { receiver: "stopped", applier: "stopped" } as const;

const starts: Readonly<Record<string, readonly [ServerFacts, FollowGoal]>> = {
  "a healthy follower": [followerFacts, same],
  "a fresh server": [followerWith({ replication: null }), same],
  "a fresh server without plugins": [followerWith({ ...bare, replication: null }), same],
  "a fresh server without plugins that may not acknowledge": [
    followerWith({ ...bare, replication: null }),
    { ...same, acknowledge: false },
  ],
  "another leader": [followerFacts, elsewhere],
  "another leader with work left": [followerWith({ received: pendingWork }), elsewhere],
  "another leader, applier stopped, work left": [
    followerWith({ received: pendingWork, replication: stopped }),
    elsewhere,
  ],
  "another leader, all stopped": [followerWith({ replication: stopped }), elsewhere],
  "another account": [followerFacts, { ...same, source: { ...source, user: "repl2" } }],
  "a frozen follower of the same leader": [
    followerWith({ replication: { receiver: "stopped" } }),
    same,
  ],
  "a follower that must no longer acknowledge": [followerFacts, { ...same, acknowledge: false }],
  "a follower that acknowledges although its switch is off": [
    followerWith({ semiSyncReplica: { installed: true, enabled: false, status: true } }),
    { ...same, acknowledge: false },
  ],
  "a follower that should begin to acknowledge": [
    followerWith({ semiSyncReplica: { installed: true, enabled: false, status: false } }),
    same,
  ],
  "an old leader": [
    followerWith({
      replication: null,
      semiSyncSource: { ...followerFacts.semiSyncSource, enabled: true, status: true },
    }),
    same,
  ],
  "replication by file and position with work left": [
    followerWith({ received: pendingWork, replication: { autoPosition: false } }),
    elsewhere,
  ],
};

for (const [name, [facts, goal]] of Object.entries(starts)) {
  Deno.test(`follow() reaches its goal from ${name}`, () => {
    assertFollows(runFollow(modelServer(facts), goal).server, goal);
  });

  Deno.test(`follow() from ${name} can be interrupted after every statement`, () => {
    const whole = runFollow(modelServer(facts), goal).ran.length;
    for (let statementsMax = 0; statementsMax < whole; statementsMax++) {
      const first = runFollow(modelServer(facts), goal, statementsMax);
      // Whoever finds the server not quite closed fences it, which takes this one statement here.
      const fenced = execute(first.server, "SET GLOBAL super_read_only = ON");
      assertFollows(runFollow(fenced, goal).server, goal);
    }
  });
}

Deno.test("follow() leaves a healthy follower untouched", () => {
  assert.equal(follow(followerFacts, same).kind, "done");
  const connecting = followerWith({
    replication: { receiver: "connecting" },
    semiSyncReplica: { installed: true, enabled: true, status: false },
  });
  assert.equal(follow(connecting, same).kind, "done");
});

Deno.test("follow() stops only the receiver to change the leader, and a look comes in between", () => {
  const facts = followerWith({ received: pendingWork });
  assert.deepEqual(statementsOf(follow(facts, elsewhere)).map(({ what }) => what), [
    "stop the receiver",
  ]);
  const { ran, server } = runFollow(modelServer(facts), elsewhere);
  assert.deepEqual(ran, [
    "stop the receiver",
    "point the receiver at 10.0.0.3:3306",
    "start receiver and applier",
  ]);
  assert.ok(server.facts.executed.includes("1-20"));
});

Deno.test("follow() sets the replica half before the receiver starts", () => {
  const { ran } = runFollow(modelServer(followerFacts), { ...same, acknowledge: false });
  assert.deepEqual(ran.at(-1), "start the receiver");
  assert.ok(ran.indexOf("let the receiver not acknowledge") < ran.length - 1);
});

Deno.test("follow() writes AUTO_POSITION for a first set-up only, and keeps the password secret", () => {
  const first = statementsOf(follow(followerWith({ replication: null }), same));
  const change = first.find(({ sql }) => sql.startsWith("CHANGE"));
  assert.match(change?.sql ?? "", /SOURCE_AUTO_POSITION = 1/);
  assert.equal(change?.secret, true);
  const frozen = followerWith({ replication: { receiver: "stopped" } });
  const again = statementsOf(follow(frozen, elsewhere)).find(({ sql }) => sql.startsWith("CHANGE"));
  assert.doesNotMatch(again?.sql ?? "", /AUTO_POSITION/);
});

Deno.test("follow() points again at the same address only when the password is renewed", () => {
  const plan = follow(followerFacts, { ...same, renew: true });
  assert.deepEqual(statementsOf(plan).map(({ what }) => what), ["stop the receiver"]);
});

const failed = {
  applier: "stopped",
  applierErrorNumber: 1062,
  applierError: "Duplicate\nentry",
} as const;

const refusals: readonly (readonly [string, ServerFacts, FollowGoal, RegExp])[] = [
  ["a writable server", followerWith({ readOnly: false, superReadOnly: false }), same, /fence/],
  ["a server whose close hangs", followerWith({ readOnly: false }), same, /fence/],
  ["a half closed server", followerWith({ superReadOnly: false }), same, /fence/],
  [
    "commits that wait",
    followerWith({ semiSyncSource: { ...followerFacts.semiSyncSource, waitSessions: 1 } }),
    same,
    /still wait/,
  ],
  [
    "to point an applier elsewhere that gave up",
    followerWith({ replication: { ...failed, receiver: "stopped" } }),
    elsewhere,
    /error 1062: "Duplicate entry"/,
  ],
  ["an applier that gave up", followerWith({ replication: failed }), same, /error 1062/],
];

for (const [name, facts, goal, wanted] of refusals) {
  Deno.test(`follow() refuses ${name}`, () => {
    const plan = follow(facts, goal);
    assert.match(plan.kind === "refuse" ? plan.because : plan.kind, wanted);
  });
}

Deno.test("follow() lets a voter receive from its leader although its applier gave up", () => {
  const facts = followerWith({ replication: { ...failed, receiver: "stopped" } });
  const statements = statementsOf(follow(facts, same));
  assert.deepEqual(statements.map(({ what }) => what), ["start the receiver"]);
});

Deno.test("follow() starts an applier again that a full disk stopped, and no other, when it may", () => {
  const full = { ...failed, applierErrorNumber: 1114, applierError: "The table is full" };
  const resumed = { ...same, mayResume: true };
  const [start, ...more] = statementsOf(follow(followerWith({ replication: full }), resumed));
  assert.deepEqual([start?.what, more.length], ["start the applier", 0]);
  assert.equal(follow(followerWith({ replication: full }), same).kind, "refuse");
  assert.equal(follow(followerWith({ replication: failed }), resumed).kind, "refuse");
});

Deno.test("freeze() stops the receiver, and is done only with facts read after it", () => {
  const stop = statementsOf(freeze(followerFacts));
  assert.deepEqual(stop.map(({ sql }) => sql), ["STOP REPLICA IO_THREAD FOR CHANNEL ''"]);
  const connecting = followerWith({ replication: { receiver: "connecting" } });
  assert.equal(statementsOf(freeze(connecting)).length, 1);
  assert.equal(freeze(execute(modelServer(followerFacts), stop[0]!.sql).facts).kind, "done");
  assert.equal(freeze(followerWith({ replication: null })).kind, "done");
});

Deno.test("freeze() refuses a server that is not closed or where commits wait", () => {
  assert.equal(freeze(followerWith({ superReadOnly: false })).kind, "refuse");
  assert.equal(freeze(followerWith({ readOnly: false })).kind, "refuse");
  const semiSyncSource = { ...followerFacts.semiSyncSource, waitSessions: 1 };
  assert.equal(freeze(followerWith({ owned: "x:1", semiSyncSource })).kind, "refuse");
});

const torn = {
  applier: "stopped",
  applierErrorNumber: 13117,
  applierError: "corrupted data in log event",
} as const;

Deno.test("follow() throws a torn relay log away only where nobody counts on what was received", () => {
  const facts = followerWith({ received: pendingWork, replication: torn });
  const certain = follow(facts, elsewhere);
  assert.ok(certain.kind === "refuse" && /error 13117/.test(certain.because));
  for (const goal of [same, elsewhere]) {
    const { server, ran } = runFollow(modelServer(facts), { ...goal, mayForget: true });
    assert.deepEqual(ran.slice(0, 2), [
      "stop receiver and applier",
      "throw the unreadable relay log away",
    ]);
    assert.equal(server.facts.replication?.applier, "running");
    assert.equal(server.facts.replication?.receiver, "running");
    assert.equal(server.facts.replication?.sourceHost, goal.source.host);
  }
});

Deno.test("follow() keeps the relay log of an uncertain node whose applier failed on a row", () => {
  const failed = { ...torn, applierErrorNumber: 1062, applierError: "Duplicate entry" };
  const plan = follow(followerWith({ replication: failed }), { ...elsewhere, mayForget: true });
  assert.equal(plan.kind, "refuse");
});
