/** A node of three whose server is what its data folder holds, for the tests of rebuilds. */
import type { CopyMethod } from "./copy_method.ts";
import { type MemoryFolders, memoryFolders } from "./fake_folders.ts";
import type { Host, LocalNode, Memo, Survey, Task } from "./ports.ts";
import type { RebuildOptions } from "./rebuild.ts";
import type { RebuildWish } from "./rebuild_checks.ts";

export const own = "00000000-0000-0000-0000-00000000000a";
export const others = "00000000-0000-0000-0000-00000000000b";
/** What a command without options asks for. */
export const wish: RebuildWish = {
  from: null,
  method: "auto",
  force: false,
  dryRun: false,
  automatic: false,
};
export const oldFiles = { "/db/data/ibdata1": "old", "/db/data/shop/a.ibd": "old" };

/** A node of three with a server that is what its data folder holds. */
export class FakeNode {
  readonly disk: MemoryFolders;
  readonly calls: string[] = [];
  running = true;
  held = `${others}:1-10`;
  role = "FOLLOWER";
  survey: Survey = surveyOf(`${others}:1-10`);
  /** The call with this name fails once. */
  failing = "";
  /** The new server comes up; false for one that dies. */
  bootable = true;

  constructor(files: Readonly<Record<string, string>> = oldFiles) {
    this.disk = memoryFolders(files);
  }

  get data(): string | undefined {
    return this.disk.files.get("/db/data/ibdata1");
  }

  host(): Host {
    const call = <T>(name: string, give: () => T): Promise<T> => {
      this.calls.push(name);
      if (this.failing !== name) return Promise.resolve(give());
      this.failing = "";
      return Promise.reject(new Error(`Cannot ${name} as it rains`));
    };
    return {
      self: "a:1",
      local: () => this.#local(),
      survey: () => call("survey", () => this.survey),
      dataBytes: () => Promise.resolve(1_000),
      variables: () => Promise.resolve(new Map([["datadir", "/db/data/"], ["log_bin", "binlog"]])),
      stopServer: () => call("stopServer", () => void (this.running = false)),
      startServer: () =>
        call("startServer", () => void (this.running = this.bootable || this.data === "old")),
      serverRuns: () => Promise.resolve(this.running),
      hurry: () => {},
      executed: () =>
        this.running ? call("executed", () => this.held) : Promise.reject(new Error("no server")),
      forgetSource: () => call("forgetSource", () => {}),
      setPurged: (gtids) => call(`setPurged ${gtids}`, () => {}),
      whyItDied: () => "its log is full of sorrow",
      forcedShutdown: () => Promise.resolve(null),
      saveTransactions: (what) =>
        call("saveTransactions", () => ({ folder: "/state/saved", what, complete: true })),
    };
  }

  #local(): LocalNode {
    const { role, running, held } = this;
    return {
      role,
      alive: running,
      running,
      follows: running,
      inStep: running,
      held: running ? held : null,
      executed: held,
      sentence: "",
    };
  }
}

/** What the members tell when all three are well. */
export function surveyOf(executed: string, replicates = true): Survey {
  const member = (id: string, role: string) => ({
    id,
    seen: {
      role,
      alive: true,
      replicates,
      secondsBehind: 0,
      backup: "NONE",
      mysql: { host: "h", port: 3306 },
      version: "8.0.36",
      executed,
    },
  });
  return {
    leader: { id: "c:1", executed },
    member: true,
    members: [member("a:1", "FOLLOWER"), member("b:1", "FOLLOWER"), member("c:1", "LEADER")],
    voters: ["a:1", "b:1", "c:1"],
    quorum: 2,
  };
}

/** A method that writes one file; it fails or hangs as the test wants. */
export function methodOf(
  node: FakeNode,
  copying: "works" | "fails" | "hangs" = "works",
): CopyMethod {
  return {
    name: "clone",
    check: () => Promise.resolve([]),
    begin: ({ workFolder }) => {
      node.calls.push("begin");
      node.disk.files.set(`${workFolder}/scratch`, "ready");
    },
    copy: ({ target }, { signal }) => {
      node.calls.push("copy");
      if (copying === "fails") return Promise.reject(new Error("Cannot clone b:1: it is gone"));
      if (copying === "hangs") {
        return new Promise((_, reject) => {
          const abort = () => reject(signal.reason as Error);
          if (signal.aborted) abort();
          signal.addEventListener("abort", abort);
        });
      }
      node.disk.files.set(`${target}/ibdata1`, "new");
      return Promise.resolve({ gtids: null, bytes: 1_000 });
    },
    abandon: () => Promise.resolve(void node.calls.push("abandon")),
  };
}

/** A rebuild on this node, without waits. */
export function optionsOf(node: FakeNode, method = methodOf(node)): RebuildOptions {
  return {
    host: node.host(),
    folders: node.disk,
    ticker: { now: () => 0, wait: (_ms, signal) => Promise.resolve(signal.throwIfAborted()) },
    methods: [method],
    limits: { parallel: 1, iopsMax: 1, useMemory: "1GB" },
    localTransactionsMax: 0,
    configuredFolder: null,
    keepOld: false,
    date: () => 0,
  };
}

/** A job whose journal outlives its agent. */
export function taskOf(abort = new AbortController(), memo: Memo = null, resumed = false) {
  const lines: string[] = [];
  const words: string[] = [];
  const journal = { memo, apart: null as string | null, step: "" };
  const task: Task = {
    number: 7,
    memo,
    resumed,
    signal: abort.signal,
    agentEnds: () => abort.signal.aborted && abort.signal.reason === "agentEnds",
    say: (line) => void lines.push(line),
    progress: () => {},
    remember: ({ step, memo, apart = null, word = "NONE" }) => {
      words.push(word);
      // As JSON, which is what a journal keeps.
      journal.memo = JSON.parse(JSON.stringify(memo));
      journal.apart = apart;
      journal.step = step;
      return Promise.resolve();
    },
  };
  return { task, lines, words, journal, abort };
}
