/**
 * Runs the stages of the test suite one after the other and closes with one line that counts all
 * of them. Each stage is its own `deno test`, because each has its own permissions: pure files run
 * with none, so reaching for the disk or the network fails by itself.
 *
 *     deno run -A tests/run.ts tidy pure rest live simulation
 */
import { isPure, listFiles } from "./tidy_lists.ts";

const root = new URL("../", import.meta.url).pathname;

type StageName = "tidy" | "pure" | "rest" | "live" | "simulation";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

interface Judgement {
  readonly counts: Counts;
  readonly complaint: string | null;
}

/** The longest a stage may take; a hung test must not hang the machine that checks. */
const stageMinutesMax: Readonly<Record<StageName, number>> = {
  tidy: 2,
  pure: 5,
  rest: 10,
  live: 60,
  simulation: 15,
};

/** It knows itself what a busy machine may do to it, and what is never forgiven. */
const strict = "tests/live/proof_test.ts";

const endedBadly = "ended badly before its last test";

if (import.meta.main) Deno.exit(await run(Deno.args));

async function run(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !(name in stageMinutesMax));
  if (names.length === 0 || unknown.length > 0) {
    print(`Cannot run stages ${JSON.stringify(names)}: known are ${Object.keys(stageMinutesMax)}`);
    return 2;
  }
  const startedAt = performance.now();
  const tests = listFiles(root).filter((path) => path.endsWith("_test.ts"));
  let total: Counts = { passed: 0, failed: 0, ignored: 0 };
  const again = new Set<string>();
  for (const name of names as readonly StageName[]) {
    const chosen = tests.filter((path) => stageOf(path) === name);
    if (chosen.length > 0) total = add(total, await runStage(name, chosen, again));
  }
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  if (again.size > 0) print(`\nfailed once, and passed alone: ${[...again].join(", ")}`);
  print(
    `\n${total.passed} passed, ${total.failed} failed, ${total.ignored} ignored (${seconds} s)`,
  );
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

/** Every test file belongs to exactly one stage. */
function stageOf(path: string): StageName {
  if (path === "tests/tidy_test.ts") return "tidy";
  if (path.startsWith("tests/live/")) return "live";
  if (path.startsWith("tests/sim/")) return "simulation";
  return isPure(path) ? "pure" : "rest";
}

/**
 * Runs one stage. Files of real servers that failed run once more, alone, as a busy machine may be
 * slower than any patience; those that pass then are added to `again`, which is told at the end.
 */
async function runStage(
  name: StageName,
  paths: readonly string[],
  again: Set<string>,
): Promise<Counts> {
  const first = await runFiles(name, paths);
  const suspects = name === "live" ? secondChances(first.output, paths) : [];
  if (first.complaint !== null || suspects.length === 0) return first.counts;
  print(`\n== ${name}, once more and alone: ${suspects.join(", ")}`);
  const second = await runFiles(name, suspects);
  if (second.complaint !== null || second.counts.failed > 0) return first.counts;
  for (const path of suspects) again.add(path);
  return { ...first.counts, passed: first.counts.passed + first.counts.failed, failed: 0 };
}

/**
 * The files to run once more, by the list of failures that ends the output: none where one of them is
 * strict, where the list was cut off, or where so many failed that no busy machine explains it.
 */
export function secondChances(output: string, paths: readonly string[]): readonly string[] {
  const list = output.slice(output.lastIndexOf("\n FAILURES"));
  const failed = paths.filter((path) => list.includes(`=> ./${path}:`));
  return failed.length > 3 || failed.includes(strict) ? [] : failed;
}

interface StageEnd extends Judgement {
  /** The end of what it printed. */
  readonly output: string;
}

async function runFiles(name: StageName, paths: readonly string[]): Promise<StageEnd> {
  print(`\n== ${name}: ${paths.length} files`);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "--quiet",
      "--no-prompt",
      "--sanitize-ops",
      "--sanitize-resources",
      ...(name === "pure" ? ["--parallel"] : ["-A"]),
      ...paths,
    ],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "inherit",
    signal: AbortSignal.timeout(stageMinutesMax[name] * 60_000),
  }).spawn();
  const lastLines = await passThrough(child.stdout);
  const { success } = await child.status;
  const judgement = judge(lastLines, success);
  if (judgement.complaint !== null) print(`\n== ${name} ${judgement.complaint}`);
  return { ...judgement, output: lastLines };
}

/** Shows what the stage prints while it prints it, and keeps the end for counting. */
async function passThrough(output: ReadableStream<Uint8Array>): Promise<string> {
  const keptMax = 16_384;
  const decoder = new TextDecoder();
  let kept = "";
  for await (const bytes of output) {
    // A pipe may take fewer bytes than offered, so write until all are gone.
    for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
    kept = (kept + decoder.decode(bytes, { stream: true })).slice(-keptMax);
  }
  return kept;
}

/**
 * Counts of one stage by the end of its output. A stage that ended badly without saying what failed, or
 * well without saying what passed, counts as a failure, and the complaint says so.
 */
export function judge(output: string, success: boolean): Judgement {
  const closing =
    /(\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/;
  const match = closing.exec(output);
  const counts = {
    passed: Number(match?.[1] ?? 0),
    failed: Number(match?.[2] ?? 0),
    ignored: Number(match?.[3] ?? 0),
  };
  const good = success ? counts.passed > 0 : counts.failed > 0;
  if (good) return { counts, complaint: null };
  const complaint = success ? "ended well, and no test of it passed" : endedBadly;
  return { counts: { ...counts, failed: Math.max(1, counts.failed) }, complaint };
}

function add(left: Counts, right: Counts): Counts {
  return {
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    ignored: left.ignored + right.ignored,
  };
}

function print(line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}
