/** The story of a failing seed: fewest faults first, then what happened just before the end. */
import { describeFault, type Fault } from "./faults.ts";
import { run, type RunOptions, type RunResult } from "./world.ts";

const linesShownMax = 120;
const shrinkRoundsMax = 3;

export interface Wanted {
  readonly only: number | null;
  readonly seeds: number;
  readonly from: number;
  readonly failuresMax: number;
}

/** `--seeds N --from S --failures F`, or one seed alone. */
export function parseArgs(args: readonly string[]): Wanted {
  const value = (name: string, fallback: number) => {
    const place = args.indexOf(name);
    return place < 0 ? fallback : Number(args[place + 1]);
  };
  const alone = args.find((word) => word !== "--");
  return {
    only: alone !== undefined && /^\d+$/.test(alone) ? Number(alone) : null,
    seeds: value("--seeds", Infinity),
    from: value("--from", 1),
    failuresMax: value("--failures", 3),
  };
}

/** Prints the seed, its fewest faults and its end. True when it kept all promises. */
export function showSeed(seed: number, how: { readonly whole: boolean }): boolean {
  const story = tell(seed);
  for (const line of story.head) print(line);
  for (const line of how.whole ? story.trace : story.trace.slice(-linesShownMax)) print(line);
  return story.result.violation === null;
}

export function showSpeed(seeds: number, tookMs: number): void {
  if (!Number.isFinite(seeds)) return;
  print(`${seeds} seeds, ${(seeds / tookMs * 1000).toFixed(1)} a second`);
}

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
    `seed ${seed}: ${first.violation?.message ?? "all promises kept"}`,
    ...faults.map((fault) => `  ${describeFault(fault)}`),
  ];
  return { result, head, trace };
}

/** Leaves out one fault after the other as long as the same promise breaks. */
function shrink(failed: RunResult, options: RunOptions): readonly Fault[] {
  let faults = failed.faults;
  for (let round = 0; round < shrinkRoundsMax; round++) {
    const before = faults.length;
    for (const fault of faults) {
      const fewer = faults.filter((other) => other !== fault);
      const again = run(failed.seed, { ...options, faults: fewer });
      if (again.violation?.checker === failed.violation?.checker) faults = fewer;
    }
    if (faults.length === before) break;
  }
  return faults;
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
