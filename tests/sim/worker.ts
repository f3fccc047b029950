/** One of the workers of `main.ts`: runs batches of seeds and tells what came of them. */
import { run } from "./world.ts";

/** Seeds from `from` on, `count` of them. */
export interface Batch {
  readonly from: number;
  readonly count: number;
}

/** What a batch showed; it ends with its first failing seed. */
export interface BatchResult {
  readonly seeds: number;
  readonly acknowledged: number;
  readonly leaders: number;
  readonly faults: number;
  readonly failed: number | null;
}

export function runBatch({ from, count }: Batch): BatchResult {
  let [acknowledged, leaders, faults] = [0, 0, 0];
  for (let seed = from; seed < from + count; seed++) {
    const result = run(seed);
    acknowledged += result.acknowledged;
    leaders += result.leaders;
    faults += result.faults.length;
    const seeds = seed - from + 1;
    if (result.violation !== null) return { seeds, acknowledged, leaders, faults, failed: seed };
  }
  return { seeds: count, acknowledged, leaders, faults, failed: null };
}

interface WorkerScope {
  onmessage: (event: MessageEvent<Batch>) => void;
  postMessage(result: BatchResult): void;
}

// Imported by the tests it is an ordinary module; as a worker it takes batches.
if ("WorkerGlobalScope" in globalThis) {
  const scope = globalThis as unknown as WorkerScope;
  scope.onmessage = ({ data }) => scope.postMessage(runBatch(data));
}
