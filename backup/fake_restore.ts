/** A backup and a host without data in temporary folders, for the tests of restores: real files and checksums. */
import { contentsOf } from "./checksums.ts";
import { encodeManifest, type Manifest } from "./manifest.ts";
import type { Host, LocalNode, Survey } from "./ports.ts";
import { realFolders } from "./real_folders.ts";
import type { RestoreOptions, RestoreTask } from "./restore.ts";

const uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const name = "2026-01-02T03-04-05Z";

/** A backup, and a host that has no data. */
export class Place implements Disposable {
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

  /** Writes a file into the data folder. */
  write(name: string, text: string): void {
    Deno.writeTextFileSync(`${this.data}/${name}`, text);
  }

  rewriteManifest(change: (text: string) => string): void {
    const path = `${this.backup}/manifest.json`;
    Deno.writeTextFileSync(path, change(Deno.readTextFileSync(path)));
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

/** A job that remembers, as its journal would. */
export function task(place: Place, change: Partial<RestoreTask> = {}) {
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
