/** Backups in temporary folders: a copy method with behaviour, real files, real checksums. */
import assert from "node:assert/strict";
import type { BackupOptions, BackupTask } from "./backup_plan.ts";
import type { CopyMethod } from "./copy_method.ts";
import type { DonorCandidate } from "./donor.ts";
import { decodeManifest } from "./manifest.ts";
import { realFolders } from "./real_folders.ts";
import { takeBackup } from "./take_backup.ts";

const uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

/** A folder that goes at the end of the scope. */
class Place implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "xenon-backup-" });
  readonly to = `${this.path}/backups`;

  names(folder = this.to): readonly string[] {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  }

  /** A whole backup of this name. */
  keep(name: string): void {
    Deno.mkdirSync(`${this.to}/${name}/data`, { recursive: true });
    Deno.writeTextFileSync(`${this.to}/${name}/manifest.json`, "{}");
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

const method: CopyMethod = {
  name: "xtrabackup",
  check: () => Promise.resolve([]),
  copy: async ({ target }) => {
    await Deno.mkdir(`${target}/empty`, { recursive: true });
    await Deno.writeTextFile(`${target}/ibdata1`, "data");
    return { gtids: `${uuid}:1-5`, bytes: 4 };
  },
};

function candidate(change: Partial<DonorCandidate["seen"]> = {}): DonorCandidate {
  return {
    id: "donor:8801",
    seen: {
      role: "FOLLOWER",
      alive: true,
      replicates: true,
      secondsBehind: 0,
      backup: "NONE",
      mysql: { host: "donor", port: 3306 },
      version: "8.0.36",
      executed: `${uuid}:1-4`,
      ...change,
    },
  };
}

interface Change extends Partial<BackupOptions> {
  readonly members?: readonly DonorCandidate[];
  readonly dataBytes?: number;
}

function options(place: Place, { members, dataBytes, ...change }: Change = {}): BackupOptions {
  const data = `${place.path}/data`;
  Deno.mkdirSync(data, { recursive: true });
  return {
    host: {
      self: "self:8801",
      survey: () =>
        Promise.resolve({
          leader: null,
          member: true,
          members: members ?? [candidate()],
          voters: [],
          quorum: 2,
        }),
      variables: () => Promise.resolve(new Map([["datadir", data]])),
      dataBytes: () => Promise.resolve(dataBytes ?? 4),
    },
    folders: realFolders,
    methods: [method],
    startOnce: () => Promise.resolve(`${uuid}:1-5`),
    serverVersion: () => Promise.resolve("8.0.36"),
    limits: { parallel: 1, iopsMax: 1, useMemory: "1GB" },
    retention: { keepCount: 0, keepDays: 0 },
    now: () => new Date(Date.UTC(2026, 0, 2, 3, 4, 5)),
    ...change,
  };
}

/** A job that remembers, as its journal would. */
function task(place: Place, change: Partial<BackupTask> = {}) {
  const words: string[] = [];
  const memos: unknown[] = [];
  const job: BackupTask = {
    number: 1,
    wish: { to: place.to, from: null, method: "auto" },
    memo: null,
    resumed: false,
    signal: new AbortController().signal,
    agentEnds: () => false,
    say: () => {},
    progress: () => {},
    remember: ({ memo, word = "NONE" }) => {
      memos.push(memo);
      words.push(word);
      return Promise.resolve();
    },
    ...change,
  };
  return { job, words, memos };
}

Deno.test("a backup gets its name when it is whole, with a manifest beside its data", async () => {
  using place = new Place();
  const { job, words } = task(place);
  const sentence = await takeBackup(options(place), job);
  assert.match(sentence, /2026-01-02T03-04-05Z holds 1 file, .*: completed OK!$/);
  assert.deepEqual(place.names(), ["2026-01-02T03-04-05Z"]);
  const folder = `${place.to}/2026-01-02T03-04-05Z`;
  assert.deepEqual(place.names(folder), ["data", "manifest.json"]);
  const manifest = decodeManifest(Deno.readTextFileSync(`${folder}/manifest.json`));
  assert.equal(manifest.source, "donor:8801");
  assert.equal(manifest.gtids, `${uuid}:1-5`);
  assert.deepEqual(manifest.folders, ["empty"]);
  assert.deepEqual(manifest.files, [{
    path: "ibdata1",
    bytes: 4,
    sha256: "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7",
  }]);
  assert.ok(words.includes("BACKUPING") && words.includes("APPLYLOGGING"));
});

Deno.test("a backup that fails anywhere leaves nothing, and touches nothing else", async () => {
  const broken = () => Promise.reject(new Error("broken"));
  const cases: Readonly<Record<string, Change>> = {
    copy: { methods: [{ ...method, copy: broken }] },
    prepare: { methods: [{ ...method, prepare: broken }] },
    start: { startOnce: broken },
    less: { members: [candidate({ executed: `${uuid}:1-6` })] },
  };
  for (const [name, change] of Object.entries(cases)) {
    using place = new Place();
    Deno.mkdirSync(`${place.to}/2025-01-01T00-00-00Z`, { recursive: true });
    const taking = takeBackup(options(place, change), task(place).job);
    await assert.rejects(taking, /broken|lacks transactions/, name);
    assert.deepEqual(place.names(), ["2025-01-01T00-00-00Z"], name);
  }
});

Deno.test("a backup names everything that speaks against it before it makes a folder", async () => {
  using place = new Place();
  const change = {
    methods: [{ ...method, check: () => Promise.resolve(["no ssh"]) }],
    dataBytes: Number.MAX_SAFE_INTEGER,
  };
  const taking = takeBackup(options(place, change), task(place).job);
  await assert.rejects(taking, /nothing was touched: .*make room there.*xtrabackup: no ssh/);
  const alone = options(place, { members: [] });
  await assert.rejects(takeBackup(alone, task(place).job), /nobody to copy/);
  assert.throws(() => place.names(), Deno.errors.NotFound);
});

Deno.test("a backup goes neither into a folder with other things nor into the data", async () => {
  using place = new Place();
  Deno.mkdirSync(place.to);
  Deno.writeTextFileSync(`${place.to}/letter`, "dear");
  await assert.rejects(takeBackup(options(place), task(place).job), /holds other things/);
  const wish = { to: `${place.path}/data/backups`, from: null, method: "auto" };
  await assert.rejects(takeBackup(options(place), task(place, { wish }).job), /name another place/);
  assert.deepEqual(place.names(), ["letter"]);
});

Deno.test("older backups go by count once the new one is whole", async () => {
  using place = new Place();
  const old = ["2025-01-01T00-00-00Z", "2025-01-02T00-00-00Z"];
  for (const name of old) place.keep(name);
  await takeBackup(
    options(place, { retention: { keepCount: 2, keepDays: 0 } }),
    task(place).job,
  );
  assert.deepEqual(place.names(), ["2025-01-02T00-00-00Z", "2026-01-02T03-04-05Z"]);
});

Deno.test("a backup that a restart of the agent ended is given up with all that it made", async () => {
  using place = new Place();
  const { job, memos } = task(place, { agentEnds: () => true });
  const stuck = { ...method, prepare: () => Promise.reject(new Error("the agent ends")) };
  await assert.rejects(takeBackup(options(place, { methods: [stuck] }), job), /agent ends/);
  assert.equal(place.names().length, 1);
  const ended: string[] = [];
  const next = {
    ...method,
    abandon: ({ target }: { target: string }) => {
      ended.push(target);
      return Promise.resolve();
    },
  };
  const resumed = task(place, { resumed: true, memo: memos.at(-1) }).job;
  const taking = takeBackup(options(place, { methods: [next] }), resumed);
  await assert.rejects(taking, /restarted during the backup, nothing of it was kept/);
  assert.deepEqual(place.names(), []);
  assert.match(ended[0] ?? "", /\.xenon-2026-01-02T03-04-05Z\/data$/);
});

Deno.test("a name from the future never costs the backup that was just made", async () => {
  using place = new Place();
  place.keep("2025-01-01T00-00-00Z");
  // Made while the clock was ahead, and without a manifest no backup.
  Deno.mkdirSync(`${place.to}/2026-06-01T00-00-00Z`);
  const one = options(place, { retention: { keepCount: 1, keepDays: 0 } });
  await takeBackup(one, task(place).job);
  assert.deepEqual(place.names(), ["2026-01-02T03-04-05Z", "2026-06-01T00-00-00Z"]);
});

Deno.test("a folder that does not exist yet is refused where a link above it leads into the data", async () => {
  using place = new Place();
  const opts = options(place);
  Deno.symlinkSync(`${place.path}/data`, `${place.path}/link`);
  const wish = { to: `${place.path}/link/my/backups`, from: null, method: "auto" };
  await assert.rejects(takeBackup(opts, task(place, { wish }).job), /name another place/);
  assert.deepEqual(place.names(`${place.path}/data`), []);
});

Deno.test("two hosts that begin in one second in one folder keep both backups, and what the other began", async () => {
  using place = new Place();
  const { promise: second, resolve: goOn } = Promise.withResolvers<void>();
  const slow: CopyMethod["copy"] = async (...parts) => {
    const failing = { ...method, copy: () => Promise.reject(new Error("broken")) };
    const other = takeBackup(options(place, { methods: [failing] }), task(place).job);
    await assert.rejects(other, /broken/);
    await takeBackup(options(place), task(place).job);
    goOn();
    return await method.copy(...parts);
  };
  const first = takeBackup(
    options(place, { methods: [{ ...method, copy: slow }] }),
    task(place).job,
  );
  await second;
  await first;
  assert.deepEqual(place.names(), ["2026-01-02T03-04-05Z", "2026-01-02T03-04-06Z"]);
  await takeBackup(options(place), task(place).job);
  assert.equal(place.names().at(-1), "2026-01-02T03-04-07Z");
});

Deno.test("a manifest names the version that started on the copy, as that may have upgraded it", async () => {
  using place = new Place();
  const newer = { serverVersion: () => Promise.resolve("8.0.40") };
  await takeBackup(options(place, newer), task(place).job);
  const text = Deno.readTextFileSync(`${place.to}/${place.names()[0]}/manifest.json`);
  const { serverVersion, donorVersion } = decodeManifest(text);
  assert.deepEqual([serverVersion, donorVersion], ["8.0.40", "8.0.36"]);
});

Deno.test("a copy that this host's server would bring to another series, or cannot start, is not taken", async () => {
  for (const version of ["8.4.1", "8.0.35"]) {
    using place = new Place();
    const other = options(place, { serverVersion: () => Promise.resolve(version) });
    await assert.rejects(takeBackup(other, task(place).job), /nothing was touched: the donor has/);
    assert.throws(() => place.names(), Deno.errors.NotFound);
  }
});
