/**
 * Rebuilds a node of a real cluster over ssh, and runs the bare pipeline by hand beside it: both on the
 * same hosts, with the same donor and the same tool, in one run. Writers show what either does to them.
 * The tool is the stand-in of tests/fixtures/xtrabackup, so only the comparison means something.
 *
 *   deno run -A tests/live/ssh_bench.ts --gigabytes 2 --runs 2
 */
import { parseArgs } from "node:util";
import { optionFile, prepareCommand, whyUnfinished } from "../../backup/xtrabackup.ts";
import { Ledger, longestGap } from "../../cmd/demo/ledger.ts";
import { Workload } from "../../cmd/demo/workload.ts";
import { describeResult, run, succeeded } from "../../mysql/process.ts";
import { createSandbox, removeSandbox, startSandbox } from "../../mysql/sandbox.ts";
import { CopyLab } from "./hosts_copies.ts";
import { FixedLocator } from "./hosts_lab.ts";
import type { HostNode } from "./hosts_lab_node.ts";
import { cacheFolder, findMysqld } from "./lab.ts";

const patienceMs = 300_000;
const copyMs = 1_800_000;
const statementMs = 600_000;
const calmMs = 10_000;
const rowBytes = 1 << 20;
const rowsAtOnce = 16;
/** Constant: all values are its arguments. */
const pipeline = 'set -o pipefail; tool="$1"; shift; "$tool" --defaults-file="$1" --backup ' +
  '--socket="$2" --user=root --parallel=2 --stream=xbstream --target-dir="$3" 2>"$3/log" | ' +
  'ssh -o BatchMode=yes -o UserKnownHostsFile="$4" -i "$5" "$6" "$7" -x --parallel=2 -C "$8"';

interface Measured {
  readonly what: string;
  readonly seconds: number;
  /** Only the pipeline. */
  readonly copySeconds: number | null;
  readonly writesPerSecond: number;
  readonly longestGapMs: number;
}

const { values } = parseArgs({
  args: Deno.args,
  options: {
    gigabytes: { type: "string", default: "2" },
    runs: { type: "string", default: "2" },
  },
});

await using copies = await CopyLab.open();
const { lab } = copies;
const ledger = new Ledger();
await measureAll(Number(values.gigabytes), Number(values.runs));

async function measureAll(gigabytes: number, runs: number): Promise<void> {
  await whole();
  const leader = await lab.leader(patienceMs);
  const [joiner, donor] = lab.nodes.filter((node) => node !== leader);
  if (joiner === undefined || donor === undefined) throw new Error("Cannot find two followers");
  tell(`Filling ${gigabytes} GB`);
  await fill(leader, gigabytes);
  await whole();
  const locator = new FixedLocator(lab.address);
  await using workload = new Workload({ locator, ledger, account: lab.account, writers: 4 });
  workload.start();
  const results = [
    await measured("nothing else runs", async () => {
      await new Promise((resolve) => setTimeout(resolve, calmMs));
      return null;
    }),
  ];
  for (let number = 0; number < runs; number++) {
    results.push(await measured("by hand", () => byHand(donor, joiner)));
    await whole();
    results.push(await measured("rebuildme", () => rebuild(joiner, donor)));
    await whole();
  }
  report(results);
}

/** Rows that no compression of a disk or a network makes smaller. */
async function fill(leader: HostNode, gigabytes: number): Promise<void> {
  await using connection = await leader.root(statementMs);
  const query = (sql: string) => connection.query(sql, { deadlineMs: statementMs });
  await query("CREATE DATABASE bench");
  await query("CREATE TABLE bench.big (id INT AUTO_INCREMENT PRIMARY KEY, filling LONGBLOB)");
  const rows = Math.ceil(gigabytes * 1024 ** 3 / rowBytes);
  const row = `(REPEAT(RANDOM_BYTES(1024), ${rowBytes / 1024}))`;
  for (let done = 0; done < rows; done += rowsAtOnce) {
    await query(`INSERT INTO bench.big (filling) VALUES ${Array(rowsAtOnce).fill(row).join(",")}`);
  }
}

/** The pipeline, the preparation and a first start, as an operator types them. Gives the pipeline's. */
async function byHand(donor: HostNode, joiner: HostNode): Promise<number> {
  const made = await createSandbox({
    mysqld: await findMysqld(),
    folder: `${lab.folder}/by-hand`,
    cacheFolder,
    serverId: 99,
    port: 3399,
  });
  const receiver = joiner.host.server(made, `${lab.folder}/by-hand-bin`);
  try {
    const startedAt = performance.now();
    await streamByHand(donor, joiner, receiver.dataFolder);
    const seconds = (performance.now() - startedAt) / 1_000;
    const folder = receiver.dataFolder;
    const wish = { toolFolder: copies.toolFolder, folder, useMemory: "64MB" };
    const prepared = await run(prepareCommand(wish), { deadlineMs: copyMs });
    const because = whyUnfinished(prepared.stderrTail);
    if (because !== null) throw new Error(because);
    const rootPassword = donor.rootPassword;
    await startSandbox({ ...receiver, rootPassword }, { deadlineMs: patienceMs });
    return seconds;
  } finally {
    await removeSandbox(receiver);
  }
}

async function streamByHand(donor: HostNode, joiner: HostNode, target: string): Promise<void> {
  Deno.removeSync(target, { recursive: true });
  Deno.mkdirSync(target);
  const work = Deno.makeTempDirSync({ dir: lab.folder, prefix: "by-hand-" });
  Deno.writeTextFileSync(`${work}/cnf`, optionFile(donor.optionFile, donor.rootPassword));
  const { toolFolder, keys } = copies;
  const words = [
    `${toolFolder}/xtrabackup`,
    `${work}/cnf`,
    donor.socket,
    work,
    keys.knownHosts,
    keys.key,
    `root@${joiner.host.address}`,
    `${toolFolder}/xbstream`,
    target,
  ];
  const command = donor.host.command(["bash", "-c", pipeline, "pipeline", ...words]);
  const result = await run(command, { deadlineMs: copyMs });
  if (!succeeded(result)) throw new Error(describeResult(result));
  Deno.removeSync(work, { recursive: true });
}

/** The whole command, from its first word to "completed OK!", and its step S9. */
async function rebuild(joiner: HostNode, donor: HostNode): Promise<number | null> {
  const words = ["mysql", "rebuildme", `--from=${donor.id}`, "--method=xtrabackup"];
  const result = await joiner.xenon(words, copyMs);
  if (!succeeded(result)) throw new Error(describeResult(result));
  tell(result.stdoutTail.trimEnd());
  const copied = /^S9 copied .* in ([\d.]+) s/m.exec(result.stdoutTail)?.[1];
  return copied === undefined ? null : Number(copied);
}

async function measured(what: string, work: () => Promise<number | null>): Promise<Measured> {
  const fromAt = performance.now();
  const copySeconds = await work();
  const untilAt = performance.now();
  const { acknowledged } = ledger;
  const during = acknowledged.filter(({ at }) => at > fromAt && at <= untilAt).length;
  const seconds = (untilAt - fromAt) / 1_000;
  return {
    what,
    seconds,
    copySeconds,
    writesPerSecond: during / seconds,
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
  const times = (best("rebuildme") / best("by hand")).toFixed(2);
  tell(`rebuildme takes ${times} times as long as by hand`);
}

async function whole(): Promise<void> {
  if (!await lab.whole(patienceMs)) throw new Error(await lab.sentences());
}

function tell(sentence: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${sentence}\n`));
}
