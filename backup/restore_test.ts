/** Restores in temporary folders: real files and checksums, and a host that remembers what was done. */
import assert from "node:assert/strict";
import { contentsOf } from "./checksums.ts";
import { encodeManifest, type Manifest } from "./manifest.ts";
import type { Host, LocalNode, Survey } from "./ports.ts";
import { realFolders } from "./real_folders.ts";
import { restore, type RestoreOptions, type RestoreTask } from "./restore.ts";

const uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const name = "2026-01-02T03-04-05Z";

/** A backup, and a host that has no data. */
class Place implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "xenon-restore-" });
  readonly data = `${this.path}/host/data`;
  readonly backup = `${this.path}/backups/${name}`;
  readonly done: string[] = [];
  local: Partial<LocalNode> = {};
  survey: Partial<Survey> = {};
  startServer = () => Promise.resolve();

  constructor() {
    Deno.mkdirSync(this.data, { recursive: true });
    Deno.mkdirSync(`${this.backup}/data/mysql`, { recursive: true });
    Deno.writeTextFileSync(`${this.backup}/data/ibdata1`, "data");
    Deno.writeTextFileSync(`${this.backup}/data/a b.ibd`, "more data");
  }

  async describe(change: Partial<Manifest> = {}): Promise<this> {
    const control = { signal: new AbortController().signal, progress: () => {} };
    const contents = await contentsOf(`${this.backup}/data`, control);
    const manifest: Manifest = {
      format: 1,
      method: "clone",
      serverVersion: "8.0.36",
      source: "donor:8801",
      gtids: `${uuid}:1-5`,
      startedAt: "2026-01-02T03:04:05Z",
      endedAt: "2026-01-02T03:05:05Z",
      bytes: 13,
      ...contents,
      ...change,
    };
    Deno.writeTextFileSync(`${this.backup}/manifest.json`, encodeManifest(manifest));
    return this;
  }

  names(folder = this.data): readonly string[] {
    return [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
  }

  get options(): RestoreOptions {
    return {
      host: this.#host,
      folders: realFolders,
      ticker: { now: () => 0, wait: () => Promise.resolve() },
      serverVersion: () => Promise.resolve("8.0.36"),
      date: () => 0,
    };
  }

  get #host(): Host {
    const note = (what: string) => () => Promise.resolve(void this.done.push(what));
    return {
      self: "self:8801",
      local: () => ({
        role: "FOLLOWER",
        alive: false,
        running: false,
        follows: false,
        inStep: false,
        held: null,
        executed: "",
        sentence: "",
        ...this.local,
      }),
      survey: () =>
        Promise.resolve({
          leader: null,
          member: false,
          members: [],
          voters: [],
          quorum: 0,
          ...this.survey,
        }),
      dataBytes: () => Promise.resolve(null),
      variables: () => Promise.resolve(new Map([["datadir", this.data]])),
      stopServer: note("stop"),
      startServer: async () => {
        this.done.push("start");
        await this.startServer();
      },
      serverRuns: () => Promise.resolve(false),
      hurry: () => {},
      executed: () => Promise.resolve(`${uuid}:1-5`),
      forgetSource: note("forget"),
      setPurged: note("purge"),
      whyItDied: () => "it said nothing",
      forcedShutdown: () => Promise.resolve(null),
      saveTransactions: () => Promise.reject(new Error("not asked for")),
    };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

function task(place: Place, change: Partial<RestoreTask> = {}) {
  const memos: unknown[] = [];
  const apart: (string | null)[] = [];
  const job: RestoreTask = {
    number: 7,
    wish: { from: `${place.path}/backups` },
    memo: null,
    resumed: false,
    signal: new AbortController().signal,
    agentEnds: () => false,
    say: () => {},
    progress: () => {},
    remember: (step) => {
      memos.push(step.memo);
      apart.push(step.apart ?? null);
      return Promise.resolve();
    },
    ...change,
  };
  return { job, memos, apart };
}

Deno.test("a backup becomes the data of an empty host, closed for its first start", async () => {
  using place = await new Place().describe();
  Deno.writeTextFileSync(`${place.data}/auto.cnf`, "left by a start without data");
  Deno.writeTextFileSync(`${place.data}/error.err`, "what the operator may want to read");
  const { job, apart } = task(place);
  assert.equal(await restore(place.options, job), "completed OK!");
  assert.deepEqual(place.names(), [
    "a b.ibd",
    "error.err",
    "ibdata1",
    "mysql",
    "mysqld-auto.cnf",
  ]);
  const persisted = Deno.readTextFileSync(`${place.data}/mysqld-auto.cnf`);
  assert.match(persisted, /skip_replica_start.*super_read_only/s);
  assert.deepEqual(place.done, ["stop", "start", "forget"]);
  assert.ok(apart.some((why) => why !== null));
  assert.equal(apart.at(-1), null);
});

Deno.test("a damaged backup is found before anything is in place", async () => {
  using place = await new Place().describe();
  Deno.writeTextFileSync(`${place.backup}/data/ibdata1`, "dada");
  const { job, apart } = task(place);
  await assert.rejects(restore(place.options, job), /is damaged, 1 file differs: ibdata1/);
  assert.deepEqual(place.names(), []);
  assert.ok(!place.done.includes("start"));
  assert.equal(apart.at(-1), null);
});

Deno.test("a host that is not empty keeps what it has", async () => {
  using place = await new Place().describe();
  Deno.writeTextFileSync(`${place.data}/ibdata1`, "mine");
  const { job } = task(place);
  await assert.rejects(restore(place.options, job), /nothing was touched: .*is not empty/);
  assert.equal(Deno.readTextFileSync(`${place.data}/ibdata1`), "mine");
  assert.deepEqual(place.done, []);
});

Deno.test("data that comes while the server is being stopped is never taken away", async () => {
  using place = await new Place().describe();
  const options = place.options;
  const stopServer = () => Deno.writeTextFile(`${place.data}/ibdata1`, "mine");
  const late = { ...options, host: { ...options.host, stopServer } };
  const { job, apart } = task(place);
  await assert.rejects(restore(late, job), /is not empty/);
  assert.equal(Deno.readTextFileSync(`${place.data}/ibdata1`), "mine");
  assert.equal(apart.at(-1), null);
});

Deno.test("a restore is refused in a cluster, beside a living server, and of another version", async () => {
  const cases: readonly (readonly [RegExp, (place: Place) => void])[] = [
    [/use xenon mysql rebuildme/, (place) => {
      place.survey = { member: true, leader: { id: "a:1", executed: "" } };
    }],
    [/a host that is in none/, (place) => void (place.survey = { member: true })],
    [/its MySQL answers/, (place) => void (place.local = { alive: true })],
  ];
  for (const [wanted, prepare] of cases) {
    using place = await new Place().describe();
    prepare(place);
    await assert.rejects(restore(place.options, task(place).job), wanted);
    assert.deepEqual(place.done, []);
  }
  using place = await new Place().describe({ serverVersion: "8.4.1" });
  await assert.rejects(restore(place.options, task(place).job), /install the same version/);
});

Deno.test("a server that does not start leaves the host as empty as it was", async () => {
  using place = await new Place().describe();
  place.startServer = () => Promise.reject(new Error("no memory"));
  await assert.rejects(restore(place.options, task(place).job), /no memory/);
  assert.deepEqual(place.names(), []);
});

Deno.test("the next agent goes on with a complete copy, and gives up a half one", async () => {
  using place = await new Place().describe();
  place.startServer = () => Promise.reject(new Error("the agent ends"));
  const { job, memos } = task(place, { agentEnds: () => true });
  await assert.rejects(restore(place.options, job), /the agent ends/);
  place.startServer = () => Promise.resolve();
  const next = task(place, { resumed: true, memo: memos.at(-1) }).job;
  assert.equal(await restore(place.options, next), "completed OK!");
  assert.ok(place.names().includes("ibdata1"));

  using other = await new Place().describe();
  const copying = {
    ...(memos.at(-1) as object),
    phase: "copying",
    places: [
      { role: "data", folder: other.data, names: null },
    ],
  };
  Deno.mkdirSync(`${other.data}/.xenon-job-7/copy`, { recursive: true });
  const half = task(other, { resumed: true, memo: copying }).job;
  await assert.rejects(restore(other.options, half), /as empty as before/);
  assert.deepEqual(other.names(), []);
});

Deno.test("a folder without a manifest is no backup", async () => {
  using place = new Place();
  await assert.rejects(restore(place.options, task(place).job), /holds no backup of xenon/);
});
