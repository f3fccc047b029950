/**
 * Simulates clusters from seeds, on all cores, and stops at the first broken promise.
 *
 *     make sim SEEDS=100000          seeds 1 to 100000, then seeds per second and what was tried
 *     make sim SEEDS=1000 FROM=5000  others
 *     make sim SEED=7                one seed, with its whole story
 *     make sim                       for ever
 */
import { showSeed, showShort, showSum, type Sum, sumOf } from "./story.ts";
import type { Batch, BatchResult } from "./worker.ts";

const batchSeeds = 50;
const tellEverySeeds = 5_000;

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  const one = valueOf(args, "--seed");
  if (one !== null) return showSeed(one) ? 0 : 1;
  const from = valueOf(args, "--from") ?? 1;
  const seeds = valueOf(args, "--seeds") ?? Infinity;
  const { sum, failed } = await simulate(from, seeds);
  showSum(sum);
  if (failed === null) return 0;
  showShort(failed);
  return 1;
}

/** Hands batches to one worker a core. The lowest failing seed of what ran is the one that is told. */
async function simulate(
  from: number,
  seeds: number,
): Promise<{ readonly sum: Sum; readonly failed: number | null }> {
  const startedAt = performance.now();
  const results: BatchResult[] = [];
  let next = from;
  let failed: number | null = null;
  let told = 0;
  const sum = () => sumOf(results, performance.now() - startedAt);
  const take = (): Batch | null => {
    const count = Math.min(batchSeeds, from + seeds - next);
    if (failed !== null || count <= 0) return null;
    next += count;
    return { from: next - count, count };
  };
  const note = (result: BatchResult) => {
    results.push(result);
    if (result.failed !== null) failed = Math.min(failed ?? Infinity, result.failed);
    if (sum().seeds < told + tellEverySeeds) return;
    told += tellEverySeeds;
    showSum(sum());
  };
  const cores = Math.max(1, navigator.hardwareConcurrency);
  await Promise.all(Array.from({ length: cores }, () => work(take, note)));
  return { sum: sum(), failed };
}

/** One worker, until no batch is left. */
function work(
  take: () => Batch | null,
  note: (result: BatchResult) => void,
): Promise<void> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const goOn = () => {
    const batch = take();
    if (batch !== null) return worker.postMessage(batch);
    worker.terminate();
    resolve();
  };
  worker.onmessage = (event: MessageEvent<BatchResult>) => {
    note(event.data);
    goOn();
  };
  worker.onerror = (event) =>
    reject(new Error(`A worker of the simulation died: ${event.message}`));
  goOn();
  return promise;
}

function valueOf(args: readonly string[], name: string): number | null {
  const place = args.indexOf(name);
  const value = Number(args[place + 1]);
  return place < 0 || !Number.isSafeInteger(value) ? null : value;
}
