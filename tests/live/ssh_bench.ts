/**
 * Rebuilds a node of a real cluster over ssh, and runs the bare pipeline by hand beside it: both on the
 * same hosts, with the same donor and the same tool, in one run. Writers show what either does to them.
 * The tool is the stand-in of tests/fixtures/xtrabackup, so only the comparison means something.
 *
 *   deno run -A tests/live/ssh_bench.ts --gigabytes 2 --runs 2
 *
 * Both count from the first word that is typed to a new server that has everything which the leader had
 * at that moment and replicates from it.
 */
import { parseArgs } from "node:util";
import {
  optionFile,
  positionFileName,
  prepareCommand,
  readPosition,
  whyUnfinished,
} from "../../backup/xtrabackup.ts";
import {
  copiedIn,
  CopyBench,
  fill,
  inStepAfter,
  shownTimeline,
  type Timed,
  timeline,
} from "../../bench/copy_bench.ts";
import { followByHand } from "../../bench/follow_by_hand.ts";
import { Ledger } from "../../cmd/demo/ledger.ts";
import { Workload } from "../../cmd/demo/workload.ts";
import { describeResult, type ProcessResult, run, succeeded } from "../../mysql/process.ts";
import { createSandbox, removeSandbox, startSandbox } from "../../mysql/sandbox.ts";
import { CopyLab } from "./hosts_copies.ts";
import { FixedLocator } from "./hosts_lab.ts";
import { type HostNode, mysqlPort } from "./hosts_lab_node.ts";
import { cacheFolder, findMysqld } from "./lab.ts";

const patienceMs = 300_000;
const copyMs = 1_800_000;
const statementMs = 600_000;
/** Constant: all values are its arguments. */
const pipeline = 'set -o pipefail; tool="$1"; shift; "$tool" --defaults-file="$1" --backup ' +
  '--socket="$2" --user=root --parallel=2 --stream=xbstream --target-dir="$3" 2>"$3/log" | ' +
  'ssh -o BatchMode=yes -o UserKnownHostsFile="$4" -i "$5" "$6" "$7" -x --parallel=2 -C "$8"';

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
  await fillFrom(leader, gigabytes);
  await whole();
  const locator = new FixedLocator(lab.address);
  await using workload = new Workload({ locator, ledger, account: lab.account, writers: 4 });
  workload.start();
  const hands = { leader, donor, joiner };
  const bench = new CopyBench({ ledger, donorExecuted: () => donor.executed(), tell });
  await bench.calm();
  for (let number = 0; number < runs; number++) {
    // The receiver by hand stands for the joiner: two of them would share one disk.
    await command(joiner, ["mysql", "shutdown"]);
    await bench.measure("by hand", () => byHand(hands));
    await command(joiner, ["mysql", "start"]);
    await whole();
    await bench.measure("rebuildme", () => rebuild(hands));
    await whole();
  }
  bench.report().forEach(tell);
}

interface Hands {
  readonly leader: HostNode;
  readonly donor: HostNode;
  readonly joiner: HostNode;
}

async function fillFrom(leader: HostNode, gigabytes: number): Promise<void> {
  await using connection = await leader.root(statementMs);
  await fill(connection, gigabytes);
}

/** The pipeline, the preparation, a start and the statements that make it replicate. */
async function byHand({ leader, donor, joiner }: Hands): Promise<Timed> {
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
    const wanted = await leader.executed();
    await streamByHand(donor, joiner, receiver.dataFolder);
    const copySeconds = (performance.now() - startedAt) / 1_000;
    const folder = receiver.dataFolder;
    const wish = { toolFolder: copies.toolFolder, folder, useMemory: "64MB" };
    const prepared = await run(prepareCommand(wish), { deadlineMs: copyMs });
    const because = whyUnfinished(prepared.stderrTail);
    if (because !== null) throw new Error(because);
    const purged = readPosition(Deno.readTextFileSync(`${folder}/${positionFileName}`));
    const copied = { ...receiver, rootPassword: donor.rootPassword };
    await startSandbox(copied, { deadlineMs: patienceMs });
    await followByHand(copied, { source: mysqlOf(leader), wanted, purged });
    return { seconds: (performance.now() - startedAt) / 1_000, copySeconds };
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
  const said = Deno.readTextFileSync(`${work}/log`);
  if (!succeeded(result)) throw new Error(`${describeResult(result)}\n${said}`);
  Deno.removeSync(work, { recursive: true });
}

function mysqlOf({ host }: HostNode): string {
  return `${host.address}:${mysqlPort}`;
}

/** The whole command, from its first word to "completed OK!", and its step S9. */
async function rebuild({ joiner, donor }: Hands): Promise<Timed> {
  const words = ["mysql", "rebuildme", `--from=${donor.id}`, "--method=xtrabackup"];
  const result = await command(joiner, words);
  const lines = timeline(joiner.logPath);
  shownTimeline(lines).forEach(tell);
  return { seconds: inStepAfter(lines), copySeconds: copiedIn(result.stdoutTail) };
}

async function command(node: HostNode, words: readonly string[]): Promise<ProcessResult> {
  const result = await node.xenon(words, copyMs);
  if (!succeeded(result)) throw new Error(describeResult(result));
  return result;
}

async function whole(): Promise<void> {
  if (!await lab.whole(patienceMs)) throw new Error(await lab.sentences());
}

function tell(sentence: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${sentence}\n`));
}
