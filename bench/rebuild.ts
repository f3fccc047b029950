/**
 * Rebuilds a node of a real cluster with some gigabytes, and copies the same donor by hand beside it, so
 * that both are measured on the same machine in one run; writers show what either does to the cluster.
 *
 *   deno run -A bench/rebuild.ts --gigabytes 2 --runs 2
 *
 * Both count from the first thing that is done to a new server that replicates and has everything which
 * the leader had at that moment. See rebuild_by_hand.ts for what is typed there. A rebuild stops the old
 * server in this time, which by hand is thrown away running; that it removes the old data after the new
 * server was verified is in the column of all seconds only.
 */
import { parseArgs } from "node:util";
import { findMysqld, templateFolder } from "../cmd/demo/find_mysqld.ts";
import { createWorld } from "../cmd/real/world.ts";
import { Lab } from "../cmd/demo/lab.ts";
import type { LabNode } from "../cmd/demo/lab_node.ts";
import { Ledger } from "../cmd/demo/ledger.ts";
import { Locator } from "../cmd/demo/locator.ts";
import { Workload } from "../cmd/demo/workload.ts";
import { describeResult, type ProcessResult, succeeded } from "../mysql/process.ts";
import {
  copiedIn,
  CopyBench,
  fill,
  inStepAfter,
  shownTimeline,
  type Timed,
  timeline,
} from "./copy_bench.ts";
import { executedOver } from "./follow_by_hand.ts";
import { byHand } from "./rebuild_by_hand.ts";

const root = new URL("../", import.meta.url).pathname;
const patienceMs = 300_000;
const statementMs = 600_000;

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
  await fillFrom(leader, gigabytes);
  await whole();
  await using locator = new Locator(lab.nodes.map(({ id }) => id));
  locator.start();
  await using workload = new Workload({ locator, ledger, account: lab.account, writers: 4 });
  workload.start();
  const bench = new CopyBench({
    ledger,
    donorExecuted: () => executedOver(donor.root(statementMs)),
    tell,
  });
  await bench.calm();
  for (let run = 0; run < runs; run++) {
    await stopped(joiner, async () => {
      await bench.measure("by hand", () => byHand({ folder: lab.folder, donor, leader }));
    });
    await bench.measure("rebuildme", () => rebuild(joiner, donor));
    await whole();
  }
  bench.report().forEach(tell);
}

async function fillFrom(leader: LabNode, gigabytes: number): Promise<void> {
  await using connection = await leader.root(statementMs);
  await fill(connection, gigabytes);
}

/** The receiver by hand stands for the joiner: two of them would share one disk. */
async function stopped(joiner: LabNode, work: () => Promise<void>): Promise<void> {
  await command(joiner, ["mysql", "shutdown"]);
  await work();
  await command(joiner, ["mysql", "start"]);
  await whole();
}

/** The whole command, from its first word to "completed OK!", and its step S9. */
async function rebuild(joiner: LabNode, donor: LabNode): Promise<Timed> {
  const words = ["mysql", "rebuildme", `--from=${donor.id}`, `--method=${values.method}`];
  const result = await command(joiner, [...words, "--force"]);
  const lines = timeline(joiner.logPath);
  shownTimeline(lines).forEach(tell);
  return { seconds: inStepAfter(lines), copySeconds: copiedIn(result.stdoutTail) };
}

async function command(node: LabNode, words: readonly string[]): Promise<ProcessResult> {
  const result = await lab.xenon(node, words, { deadlineMs: statementMs });
  if (!succeeded(result)) throw new Error(describeResult(result));
  return result;
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
