import assert from "node:assert/strict";
import { FakeClock, settle } from "./fake_clock.ts";
import type { Administration, Database, PeerAnswer, Peers, Server } from "./ports.ts";
import {
  type Leadership,
  ServerCommands,
  type ServerCommandsOptions,
  type WatchedServer,
} from "./server_commands.ts";
import type { WorkPage } from "./server_work.ts";
import { switchMethods } from "./switches.ts";
import { Store } from "./store.ts";
import { RpcError } from "./wire_rpc.ts";

const identity = { pid: 7, startTime: "1", bootId: "b", incarnation: "b/7/1" };

/** A server whose process and leadership the test decides; it notes what is done to it, in order. */
class World {
  readonly clock = new FakeClock();
  readonly done: string[] = [];
  runs = true;
  /** Does it end soon when it is asked to? */
  stops = true;
  answers = true;
  leads = false;
  candidate: { readonly id: string } | { readonly because: string } = { id: "other" };
  takeover: PeerAnswer = { ok: {} };
  closes: Awaited<ReturnType<Database["fence"]>> = { kind: "closed" };
  fenced: () => void = () => {};
  starts: () => void = () => {
    this.runs = true;
    this.answers = true;
  };
  store!: Store;

  async commands(change: Partial<ServerCommandsOptions> = {}) {
    this.store = await Store.open(memoryFiles(), "/state", { member: "m" });
    const commands = new ServerCommands({
      witness: false,
      clock: this.clock,
      store: this.store,
      server: this.#server(),
      database: this.#database(),
      administration: {
        setGlobals: ({ sql }) => Promise.resolve(void this.done.push(sql)),
      } as Partial<Administration> as Administration,
      peers: this.#peers(),
      log: { write: () => {} },
      watch: new Watched(this),
      leadership: this.#leadership(),
      monitored: () => true,
      held: () => null,
      fenceMs: 250,
      ...change,
    });
    const methods = commands.methods();
    const context = { from: null, cluster: null, remote: "", signal: new AbortController().signal };
    return async (method: string, params: unknown = {}): Promise<WorkPage> => {
      const answer = methods[method]?.(params, context);
      await settle();
      return await answer as WorkPage;
    };
  }

  #server(): Server {
    return {
      identify: () => Promise.resolve(this.runs ? identity : null),
      glance: () => this.runs ? "running" : "dead",
      start: () => Promise.resolve(),
      kill: () => {
        this.done.push("kill");
        this.runs = false;
      },
      terminate: () => {
        this.done.push(`terminate, remembered ${this.store.current.memory.stopped}`);
        if (this.stops) this.runs = false;
        return Promise.resolve();
      },
      whyItDied: () => "its log says: out of memory",
      emptyDataFolder: () => Promise.resolve(null),
      fullDataFolder: () => Promise.resolve(null),
    };
  }

  #database(): Database {
    return {
      fence: () => {
        this.done.push("fence");
        this.fenced();
        return Promise.resolve(this.closes);
      },
      letGo: () => Promise.resolve(),
    } as Partial<Database> as Database;
  }

  #peers(): Peers {
    return {
      call: (endpoint, { method }) => {
        this.done.push(`${method} at ${endpoint}`);
        if ("ok" in this.takeover) this.leads = false;
        return Promise.resolve(this.takeover);
      },
    };
  }

  #leadership(): Leadership {
    return {
      leads: () => this.leads,
      successor: () => this.candidate,
      alone: () => false,
      leave: () => {
        this.done.push("leave");
        this.leads = false;
        return Promise.resolve("nobody could take over");
      },
    };
  }

  /** Runs work to its end, a minute at most. */
  async finish(call: (method: string) => Promise<WorkPage>): Promise<WorkPage> {
    for (let second = 0; second < 60; second++) {
      await this.clock.advance(1_000);
      const page = await call("mysql.work");
      if (page.state !== "running") return page;
    }
    return await call("mysql.work");
  }
}

/** The watch's view of that server. */
class Watched implements WatchedServer {
  readonly condition = "unknown: it recovers";
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  get identity() {
    return this.#world.runs ? identity : null;
  }

  get answeredAt() {
    return this.#world.runs && this.#world.answers ? Infinity : -Infinity;
  }

  startNow(): Promise<void> {
    this.#world.starts();
    return Promise.resolve();
  }
}

function memoryFiles() {
  return { read: () => Promise.resolve(null), writeDurably: () => Promise.resolve() };
}

Deno.test("a follower's server is fenced, remembered as stopped, and only then asked to stop", async () => {
  const world = new World();
  const call = await world.commands();
  await call("mysql.shutdown");
  const { state, sentences } = await world.finish(call);
  assert.deepEqual(world.done, ["fence", "terminate, remembered true"]);
  assert.equal(state, "done");
  assert.match(sentences.at(-1) ?? "", /mysqld is stopped; it stays down until/);
});

Deno.test("a leader hands over before anything is done to its server", async () => {
  const world = new World();
  world.leads = true;
  const call = await world.commands();
  await call("mysql.shutdown");
  assert.equal((await world.finish(call)).state, "done");
  assert.deepEqual(world.done, [
    "raft.tryToLeader at other",
    "fence",
    "terminate, remembered true",
  ]);
});

Deno.test("a leader that nobody relieves keeps its server, unless the operator forces it", async () => {
  const failures: readonly (readonly [World["candidate"], PeerAnswer])[] = [
    [{ because: "b does not answer" }, { ok: {} }],
    [{ id: "b" }, { failed: { kind: "rpc", because: "my applier stopped" } }],
  ];
  for (const [candidate, takeover] of failures) {
    const world = new World();
    Object.assign(world, { leads: true, candidate, takeover });
    const call = await world.commands();
    await call("mysql.shutdown");
    const { state, sentences } = await world.finish(call);
    assert.equal(state, "failed");
    assert.match(sentences.at(-1) ?? "", /Nothing was changed.*(does not answer|applier).*--force/);
    assert.ok(!world.store.current.memory.stopped && world.runs && world.leads);
    await call("mysql.shutdown", { force: true });
    assert.equal((await world.finish(call)).state, "done");
    assert.deepEqual(world.done.slice(-3), ["leave", "fence", "terminate, remembered true"]);
  }
});

Deno.test("a server that SQL cannot close is killed, never asked to stop", async () => {
  const world = new World();
  world.closes = { kind: "mustKill", because: "XA transactions are pending" };
  const call = await world.commands();
  await call("mysql.shutdown");
  assert.equal((await world.finish(call)).state, "done");
  assert.deepEqual(world.done, ["fence", "kill"]);
});

Deno.test("a node that is elected while its server is being closed goes on leading", async () => {
  const world = new World();
  const call = await world.commands();
  world.fenced = () => world.leads = true;
  await call("mysql.shutdown");
  const { state, sentences } = await world.finish(call);
  assert.equal(state, "failed");
  assert.match(sentences.at(-1) ?? "", /elected meanwhile: try again/);
  assert.deepEqual(world.done, ["fence"]);
  assert.ok(world.runs && !world.store.current.memory.stopped);
});

Deno.test("start forgets that an operator stopped the server, and waits until it answers", async () => {
  const world = new World();
  world.runs = false;
  const call = await world.commands();
  await world.store.remember({ stopped: true });
  await call("mysql.start");
  const { state, sentences } = await world.finish(call);
  assert.equal(world.store.current.memory.stopped, false);
  assert.deepEqual([state, sentences.length], ["done", 2]);
  assert.match(sentences.at(-1) ?? "", /^mysqld runs \(pid 7\) and answers/);
  await call("mysql.start");
  assert.match((await world.finish(call)).sentences.at(-1) ?? "", /^mysqld runs already/);
});

Deno.test("a server that dies during its start says why, one that recovers is waited for", async () => {
  const dying = new World();
  dying.runs = false;
  dying.starts = () => {};
  const call = await dying.commands();
  await call("mysql.start");
  const { state, sentences } = await dying.finish(call);
  assert.equal(state, "failed");
  assert.match(sentences.at(-1) ?? "", /ended during its start; the monitor.*out of memory/);

  const slow = new World();
  slow.runs = false;
  slow.starts = () => Object.assign(slow, { runs: true, answers: false });
  const ask = await slow.commands();
  await ask("mysql.start");
  const page = await slow.finish(ask);
  assert.equal(page.state, "running");
  assert.match(page.sentences.at(-1) ?? "", /has not answered for 60 s: unknown: it recovers/);
  await assert.rejects(ask("mysql.shutdown"), /the server is busy: start runs/);
  slow.answers = true;
  assert.equal((await slow.finish(ask)).state, "done");
});

Deno.test("a start that is refused while the server stops does not bring it back", async () => {
  const world = new World();
  world.stops = false;
  const call = await world.commands();
  await call("mysql.shutdown");
  await world.clock.advance(6_000);
  await assert.rejects(call("mysql.start"), /the server is busy: shutdown runs/);
  assert.ok(world.store.current.memory.stopped);
  world.runs = false;
  const { state, sentences } = await world.finish(call);
  assert.equal(state, "done");
  assert.match(sentences.join(), /mysqld 7 has been stopping for 5 s/);
});

Deno.test("kill needs no fence, and says what happens next", async () => {
  const world = new World();
  const call = await world.commands({ monitored: () => false });
  const { sentences } = await call("mysql.kill");
  assert.deepEqual(world.done, ["kill"]);
  assert.match(sentences[0] ?? "", /mysqld 7 is killed; the monitor is OFF/);
  assert.deepEqual((await call("mysql.kill")).sentences, ["mysqld is not running"]);

  const monitored = new World();
  const ask = await monitored.commands();
  assert.match((await ask("mysql.kill")).sentences[0] ?? "", /; the monitor starts it again$/);
  monitored.runs = true;
  await monitored.store.remember({ stopped: true });
  assert.match((await ask("mysql.kill")).sentences[0] ?? "", /; it stays down until "xenon mysql/);
});

Deno.test("settings are read before they are sent, a leader's are guarded", async () => {
  const world = new World();
  world.leads = true;
  const call = await world.commands();
  await call("mysql.setGlobal", { statement: "set global a=1" });
  assert.deepEqual(world.done, ["SET GLOBAL `a` = 1"]);
  for (const statement of ["SET GLOBAL read_only=0", "SET GLOBAL sync_binlog=0", "DROP TABLE t"]) {
    await assert.rejects(call("mysql.setGlobal", { statement }), RpcError);
  }
  assert.equal(world.done.length, 1);
});

Deno.test("a witness has no server to command", async () => {
  const world = new World();
  const call = await world.commands({ witness: true });
  for (const method of ["mysql.start", "mysql.shutdown", "mysql.kill"]) {
    await assert.rejects(call(method), /a witness has no MySQL server/);
  }
});

Deno.test("a server that a job has is neither started nor stopped, and nothing is remembered", async () => {
  const world = new World();
  const held = 'job 2 (rebuild) has the server: "xenon jobs cancel 2"';
  const call = await world.commands({ held: () => held });
  for (const method of ["mysql.start", "mysql.shutdown", "mysql.kill"]) {
    await assert.rejects(call(method), /job 2 \(rebuild\) has the server/);
  }
  const switches = switchMethods({
    witness: false,
    store: world.store,
    log: { write: () => {} },
    held: () => held,
  });
  const turn = (name: string) =>
    switches["node.switch"]?.({ name, on: false }, {
      from: null,
      cluster: null,
      remote: "",
      signal: new AbortController().signal,
    });
  await assert.rejects(turn("monitor") ?? Promise.resolve(), /job 2 \(rebuild\) has the server/);
  await turn("purgeBinlog");
  const { stopped, monitor, purge } = world.store.current.memory;
  assert.deepEqual([world.done, stopped, monitor, purge], [[], false, null, false]);
});
