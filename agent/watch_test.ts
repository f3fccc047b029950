/** What the watch does about a server that dies, or whose files are gone. */
import assert from "node:assert/strict";
import { FakeClock } from "./fake_clock.ts";
import { followerFacts } from "../mysql/fake_server.ts";
import type { Database, Look } from "./ports.ts";
import { Watch } from "./watch.ts";

const identity = { pid: 7, startTime: "1", bootId: "b", incarnation: "b/7/1" };

/** A server that answers nothing but its name: enough for its process and its files. */
class Stage {
  readonly clock = new FakeClock();
  readonly lines: string[] = [];
  readonly done: string[] = [];
  readonly conditions: (string | null)[] = [];
  runs = true;
  startable = true;
  startError: string | null = null;
  emptyFolder: string | null = null;
  fullFolder: string | null = null;
  apart: string | null = null;
  lookMs = 0;
  look: Look = { kind: "failed", reason: "timeout", because: "slow" };
  readonly watch = new Watch({
    lookEveryMs: 200,
    neverLeads: null,
    hungMs: 1_000,
    clock: this.clock,
    database: {
      look: async () => {
        const { look } = this;
        if (this.lookMs > 0) {
          await new Promise<void>((resolve) => this.clock.after(this.lookMs, resolve));
        }
        return look;
      },
    } as Partial<Database> as Database,
    server: {
      identify: () => Promise.resolve(this.runs ? identity : null),
      glance: () => this.runs ? "running" : "dead",
      start: () => {
        this.done.push("start");
        if (this.startError !== null) return Promise.reject(new Error(this.startError));
        this.runs = this.startable;
        return Promise.resolve();
      },
      kill: () => {
        this.done.push("kill");
        this.runs = false;
      },
      terminate: () => Promise.resolve(),
      whyItDied: () => "its log says:\nno memory",
      emptyDataFolder: () => Promise.resolve(this.emptyFolder),
      fullDataFolder: () => Promise.resolve(this.fullFolder),
    },
    log: { write: (_, sentence) => void this.lines.push(sentence) },
    monitor: () => true,
    unwanted: () => null,
    apart: () => this.apart,
    errant: { get: () => "", set: () => {} },
    following: () => true,
    leaderEnd: () => null,
    takesConnections: () => Promise.resolve(true),
    report: ({ unfit }) => void this.conditions.push(unfit),
  });
}

Deno.test("a server without its files is not started, and the condition names the way back", async () => {
  const stage = new Stage();
  stage.runs = false;
  stage.emptyFolder = "/db/data";
  stage.watch.start();
  await stage.clock.advance(5_000);
  assert.deepEqual(stage.done, []);
  assert.match(stage.watch.condition, /"\/db\/data" holds no data: "xenon mysql rebuildme"/);
  await assert.rejects(async () => {
    const started = stage.watch.startNow();
    await stage.clock.advance(200);
    await started;
  }, /^Error: its data folder "\/db\/data" holds no data/);
  stage.emptyFolder = null;
  await stage.clock.advance(1_000);
  assert.deepEqual(stage.done, ["start"]);
  stage.watch.stop();
});

Deno.test("a server whose disk is full is not started before there is space", async () => {
  const stage = new Stage();
  stage.runs = false;
  stage.fullFolder = "/db/data";
  stage.watch.start();
  await stage.clock.advance(120_000);
  assert.deepEqual(stage.done, []);
  assert.match(stage.watch.condition, /^dead: the disk of its data folder "\/db\/data" is full/);
  stage.fullFolder = null;
  await stage.clock.advance(1_000);
  assert.deepEqual(stage.done, ["start"]);
  stage.watch.stop();
});

Deno.test("a start that fails says once why, in one line", async () => {
  const stage = new Stage();
  stage.runs = false;
  stage.startable = false;
  stage.watch.start();
  await stage.clock.advance(900);
  assert.equal(stage.watch.condition, "dead: it ended during its start: its error log says why");
  assert.deepEqual(stage.lines.slice(0, 2), [
    "Starting the server, as it is not running",
    "The server ended during its start; its log says: | no memory",
  ]);
  stage.watch.stop();
});

Deno.test("a server whose data folder was emptied is killed: it must not acknowledge any more", async () => {
  const stage = new Stage();
  stage.look = { kind: "seen", facts: followerFacts };
  stage.watch.start();
  await stage.clock.advance(3_000);
  assert.deepEqual(stage.done, []);
  stage.emptyFolder = "/db/data";
  await stage.clock.advance(2_000);
  assert.deepEqual(stage.done, ["kill"]);
  assert.match(
    stage.lines.join("\n"),
    /Killing the server, as its data folder "\/db\/data" holds no/,
  );
  assert.match(stage.watch.condition, /"xenon mysql rebuildme" gives it a copy/);
  stage.watch.stop();
});

Deno.test("a start that no process comes of says its own cause, without the lines of a log", async () => {
  const causes = [
    [
      "Cannot use mysqld: there is no program /x",
      "dead: Cannot use mysqld: there is no program /x",
    ],
    [
      'Cannot start "x" as it ended at once: the last lines of its error log "y" are:\nold',
      'dead: Cannot start "x" as it ended at once: see its error log',
    ],
  ] as const;
  for (const [startError, condition] of causes) {
    const stage = new Stage();
    Object.assign(stage, { runs: false, startError });
    stage.watch.start();
    await stage.clock.advance(5_000);
    assert.equal(stage.watch.condition, condition);
    stage.watch.stop();
  }
});

/** A look at a server that does not say where its binary log ends. */
function heldLook(written: string, waitSessions = 0): Look {
  const semiSyncSource = { ...followerFacts.semiSyncSource, waitSessions };
  const facts = { ...followerFacts, semiSyncSource, binlogEnd: null, binlogHeld: written };
  return { kind: "seen", facts };
}

const stuck = "hung: its binary log does not move: look at its disk";

Deno.test("a server is hung when its binary log stands still, but not while its commits wait", async () => {
  const stage = new Stage();
  stage.watch.start();
  stage.look = heldLook("100", 1);
  await stage.clock.advance(30_000);
  assert.equal(stage.watch.condition, "blocked");
  stage.look = heldLook("100");
  await stage.clock.advance(900);
  assert.equal(stage.watch.condition, "alive", "patience begins when the last of them got through");
  await stage.clock.advance(600);
  assert.equal(stage.watch.condition, stuck);
  stage.look = heldLook("200");
  await stage.clock.advance(200);
  assert.equal(stage.watch.condition, "alive", "there is space again");
  stage.watch.stop();
});

Deno.test("a server that the agent itself stalls is not hung, and its patience stays as it was", async () => {
  const stage = new Stage();
  stage.look = { kind: "seen", facts: followerFacts };
  stage.watch.start();
  await stage.clock.advance(500);
  stage.look = { kind: "failed", reason: "stalled", because: "no answer within 1000 ms" };
  await stage.clock.advance(2_500);
  assert.equal(stage.watch.condition, "alive");
  stage.lookMs = 900;
  stage.look = { kind: "seen", facts: followerFacts, stalled: true };
  await stage.clock.advance(1_500);
  stage.lookMs = 0;
  stage.look = { kind: "failed", reason: "timeout", because: "slow" };
  await stage.clock.advance(900 + 1_500);
  assert.match(stage.watch.condition, /^hung: the server has not answered for 1\d\d\d ms/);
  stage.watch.stop();
});

/** How a server is lost for long. */
const outages: readonly (readonly [string, (stage: Stage, lost: boolean) => void])[] = [
  ["death", (stage, lost) => void (stage.runs = !lost)],
  ["job", (stage, lost) => void (stage.apart = lost ? "a rebuild has it" : null)],
  ["full disk", () => {}],
];

/** The log of a server is held when it is lost, and `look` is what it answers ten minutes later. */
async function recovered(set: (stage: Stage, lost: boolean) => void, look: Look): Promise<Stage> {
  const stage = new Stage();
  stage.startable = false;
  stage.look = heldLook("100");
  stage.watch.start();
  await stage.clock.advance(500);
  set(stage, true);
  await stage.clock.advance(600_000);
  set(stage, false);
  stage.look = look;
  await stage.clock.advance(800);
  assert.equal(stage.watch.condition, "alive");
  return stage;
}

for (const [outage, set] of outages) {
  Deno.test(`the time of a server's ${outage} is no slow look, and stretches no patience`, async () => {
    const stage = await recovered(set, { kind: "seen", facts: followerFacts });
    stage.look = { kind: "failed", reason: "timeout", because: "slow" };
    await stage.clock.advance(1_500);
    assert.match(stage.watch.condition, /^hung: the server has not answered for 1\d\d\d ms/);
    stage.watch.stop();
  });

  Deno.test(`a log that is held again after a server's ${outage} is not held since before`, async () => {
    const stage = await recovered(set, heldLook(outage === "full disk" ? "200" : "100"));
    stage.watch.stop();
  });
}
