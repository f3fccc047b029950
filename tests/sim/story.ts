/** The story of a seed: the fewest and shortest faults that still break the promise, and what happened. */
import { describeFault, type Fault } from "./faults.ts";
import type { BatchResult } from "./worker.ts";
import { run, type RunOptions, type RunResult } from "./world.ts";

const turnsShownMax = 80;
const linesShownMax = 40;
const shrinkRoundsMax = 3;
/** Faults are not made shorter than this. */
const shortestMs = 20;

/** What many runs came to. */
export interface Sum {
  readonly seeds: number;
  readonly acknowledged: number;
  readonly leaders: number;
  readonly faults: number;
  readonly failed: number;
  readonly tookMs: number;
}

export function sumOf(results: readonly BatchResult[], tookMs: number): Sum {
  const total = (of: (result: BatchResult) => number) =>
    results.reduce((sum, result) => sum + of(result), 0);
  return {
    seeds: total((result) => result.seeds),
    acknowledged: total((result) => result.acknowledged),
    leaders: total((result) => result.leaders),
    faults: total((result) => result.faults),
    failed: results.filter((result) => result.failed !== null).length,
    tookMs,
  };
}

export function showSum(sum: Sum): void {
  const rate = (sum.seeds / Math.max(1, sum.tookMs) * 1000).toFixed(1);
  print(
    `${sum.seeds} seeds, ${rate} a second: ${sum.faults} faults, ${sum.leaders} leaders, ` +
      `${sum.acknowledged} acknowledged writes; ` +
      (sum.failed === 0 ? "all promises kept" : "A PROMISE WAS BROKEN"),
  );
}

/** Prints all of one seed. True when it kept all promises. */
export function showSeed(seed: number): boolean {
  const story = tell(seed);
  for (const line of [...story.head, ...story.trace]) print(line);
  return story.result.violation === null;
}

/** Prints the fewest faults of a failing seed, its turns, and everything of its last moment. */
export function showShort(seed: number): void {
  for (const line of shortStory(seed)) print(line);
}

export function shortStory(seed: number, options: RunOptions = {}): readonly string[] {
  const { head, trace } = tell(seed, options);
  const turns = trace.slice(0, -linesShownMax).filter(isTurn).slice(-turnsShownMax);
  return [
    ...head,
    "",
    "What happened (make sim SEED=" + seed + " tells all of it):",
    ...turns,
    "",
    "The last moment:",
    ...trace.slice(-linesShownMax),
  ];
}

/** Roles, faults, operators, votes given, openings: what a reader needs to follow a story. */
function isTurn(line: string): boolean {
  return turns.some((words) => line.includes(words));
}

const turns = [
  "FAULT",
  "operator",
  "agent starts",
  "agent dies",
  "agent is frozen",
  "server starts",
  "server dies",
  "granted=yes",
  "> log ",
  "< promoted",
  "> answer",
];

/** Runs a seed again with fewer faults and a trace. */
export function tell(
  seed: number,
  options: RunOptions = {},
): {
  readonly result: RunResult;
  readonly head: readonly string[];
  readonly trace: readonly string[];
} {
  const first = run(seed, options);
  const faults = first.violation === null ? first.faults : shrink(first, options);
  const trace: string[] = [];
  const result = run(seed, { ...options, faults, trace: (line) => trace.push(line) });
  const head = [
    `seed ${seed}: ${result.violation?.message ?? "all promises kept"}`,
    ...faults.map((fault) => `  ${describeFault(fault)}`),
  ];
  return { result, head, trace };
}

/** Leaves out one fault after the other, then halves what is left, as long as the same promise breaks. */
function shrink(failed: RunResult, options: RunOptions): readonly Fault[] {
  const breaks = (faults: readonly Fault[]) =>
    run(failed.seed, { ...options, faults }).violation?.checker === failed.violation?.checker;
  let faults = failed.faults;
  for (let round = 0; round < shrinkRoundsMax; round++) {
    const before = faults.length;
    for (const fault of faults) {
      const fewer = faults.filter((other) => other !== fault);
      if (breaks(fewer)) faults = fewer;
    }
    if (faults.length === before) break;
  }
  for (const fault of faults) faults = shortened(faults, fault, breaks);
  return faults;
}

function shortened(
  faults: readonly Fault[],
  fault: Fault,
  breaks: (faults: readonly Fault[]) => boolean,
): readonly Fault[] {
  let [best, present] = [faults, fault];
  while (present.forMs / 2 >= shortestMs) {
    const shorter: Fault = { ...present, forMs: Math.round(present.forMs / 2) };
    const tried = best.map((one) => one === present ? shorter : one);
    if (!breaks(tried)) break;
    [best, present] = [tried, shorter];
  }
  return best;
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
