/**
 * Rebuilds a node of a real cluster with some gigabytes, and copies the same donor by hand beside it, so
 * that both are measured on the same machine in one run; writers show what either does to the cluster.
 *
 *   deno run -A bench/rebuild.ts --gigabytes 2 --runs 2
 */
import { parseArgs } from "node:util";
import { findMysqld, templateFolder } from "../cmd/demo/find_mysqld.ts";
import { createWorld } from "../cmd/real/world.ts";
import { Lab } from "../cmd/demo/lab.ts";
import type { LabNode } from "../cmd/demo/lab_node.ts";
import { Ledger, longestGap } from "../cmd/demo/ledger.ts";
import { Locator } from "../cmd/demo/locator.ts";
import { Workload } from "../cmd/demo/workload.ts";
import { describeResult, succeeded } from "../mysql/process.ts";
import { byHand } from "./rebuild_by_hand.ts";

const root = new URL("../", import.meta.url).pathname;
const patienceMs = 300_000;
const calmMs = 10_000;
const statementMs = 600_000;
const rowBytes = 1 << 20;
const rowsAtOnce = 16;

interface Measured {
  readonly what: string;
  readonly seconds: number;
  /** Only the copying, where that is known by itself. */
  readonly copySeconds: number | null;
  readonly writesPerSecond: number;
  readonly longestGapMs: number;
}

const { values } = parseArgs({
  args: Deno.args,
  options: {
    gigabytes: { type: "string", default: "2" },
    runs: { type: "string", default: "2" },
    method: { type: "string", default: "clone" },
  },
});

const world = createWorld("bench");
const lab = new Lab({
  mysqld: await findMysqld(undefined, world),
  cacheFolder: templateFolder(world),
  program: [Deno.execPath(), "run", "--quiet", "-A", `${root}main.ts`],
  timing: "default",
  say: tell,
});
const ledger = new Ledger();
try {
  await lab.open();
  await measureAll(Number(values.gigabytes), Number(values.runs));
} finally {
  await lab.close();
}

async function measureAll(gigabytes: number, runs: number): Promise<void> {
  const leader = await need(await lab.waitForLeader(patienceMs), "nobody leads");
  const [joiner, donor] = lab.nodes.filter((node) => node !== leader);
  if (joiner === undefined || donor === undefined) throw new Error("Cannot find two followers");
  tell(`Filling ${gigabytes} GB`);
  await fill(leader, gigabytes);
  await whole();
  await using locator = new Locator(lab.nodes.map(({ id }) => id));
  locator.start();
  await using workload = new Workload({ locator, ledger, account: lab.account, writers: 4 });
  workload.start();
  const results = [
    await measured("nothing else runs", async () => {
      await new Promise((resolve) => setTimeout(resolve, calmMs));
      return { copySeconds: null };
    }),
  ];
  for (let run = 0; run < runs; run++) {
    results.push(await measured("by hand", () => byHand(lab, donor)));
    results.push(await measured("rebuildme", () => rebuild(joiner, donor)));
    await whole();
  }
  report(results);
}

/** Rows that no compression of a disk or a network makes smaller. */
async function fill(leader: LabNode, gigabytes: number): Promise<void> {
  await using connection = await leader.root(statementMs);
  const run = (sql: string) => connection.query(sql, { deadlineMs: statementMs });
  await run("CREATE DATABASE bench");
  await run("CREATE TABLE bench.big (id INT AUTO_INCREMENT PRIMARY KEY, filling LONGBLOB)");
  const rows = Math.ceil(gigabytes * 1024 ** 3 / rowBytes);
  const row = `(REPEAT(RANDOM_BYTES(1024), ${rowBytes / 1024}))`;
  for (let done = 0; done < rows; done += rowsAtOnce) {
    await run(`INSERT INTO bench.big (filling) VALUES ${Array(rowsAtOnce).fill(row).join(",")}`);
  }
}

/** The whole command, from its first word to "completed OK!", and its step S9. */
async function rebuild(joiner: LabNode, donor: LabNode): Promise<Timed> {
  const words = ["mysql", "rebuildme", `--from=${donor.id}`, `--method=${values.method}`];
  const result = await lab.xenon(joiner, [...words, "--force"], { deadlineMs: statementMs });
  if (!succeeded(result)) throw new Error(describeResult(result));
  tell(result.stdoutTail.trimEnd());
  const copied = /^S9 copied .* in ([\d.]+) s/m.exec(result.stdoutTail)?.[1];
  return { copySeconds: copied === undefined ? null : Number(copied) };
}

interface Timed {
  /** The part that counts; all of it where it is not given. */
  readonly seconds?: number;
  readonly copySeconds: number | null;
}

async function measured(what: string, work: () => Promise<Timed>): Promise<Measured> {
  const fromAt = performance.now();
  const timed = await work();
  const untilAt = performance.now();
  const { acknowledged } = ledger;
  const during = acknowledged.filter(({ at }) => at > fromAt && at <= untilAt).length;
  const allSeconds = (untilAt - fromAt) / 1_000;
  return {
    what,
    seconds: timed.seconds ?? allSeconds,
    copySeconds: timed.copySeconds,
    writesPerSecond: during / allSeconds,
    longestGapMs: longestGap(acknowledged, { fromAt, untilAt }).ms,
  };
}

function report(results: readonly Measured[]): void {
  tell("| what | seconds | copy alone | writes/s | longest silence |");
  tell("| --- | ---: | ---: | ---: | ---: |");
  for (const { what, seconds, copySeconds, writesPerSecond, longestGapMs } of results) {
    const copy = copySeconds === null ? "" : copySeconds.toFixed(1);
    const silence = `${Math.round(longestGapMs)} ms`;
    tell(
      `| ${what} | ${seconds.toFixed(1)} | ${copy} | ${Math.round(writesPerSecond)} | ${silence} |`,
    );
  }
  const best = (what: string) =>
    Math.min(...results.filter((one) => one.what === what).map(({ seconds }) => seconds));
  tell(
    `rebuildme takes ${(best("rebuildme") / best("by hand")).toFixed(2)} times as long as by hand`,
  );
}

async function whole(): Promise<void> {
  if (!await lab.waitWhole(patienceMs)) throw new Error("The cluster does not become whole");
}

function need<T>(value: T | null, why: string): Promise<T> {
  return value === null ? Promise.reject(new Error(why)) : Promise.resolve(value);
}

function tell(sentence: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${sentence}\n`));
}
