/**
 * Simulates clusters from seeds.
 *
 *     deno run -A tests/sim/main.ts --seeds 1000 --from 1     a thousand seeds, then seeds per second
 *     deno run -A tests/sim/main.ts 7                         one seed, with its whole story
 *     deno run -A tests/sim/main.ts                           for ever
 */
import { parseArgs, showSeed, showSpeed } from "./story.ts";
import { run } from "./world.ts";

if (import.meta.main) Deno.exit(main(Deno.args));

function main(args: readonly string[]): number {
  const wanted = parseArgs(args);
  if (wanted.only !== null) return showSeed(wanted.only, { whole: true }) ? 0 : 1;
  const startedAt = performance.now();
  let failed = 0;
  for (let seed = wanted.from; seed < wanted.from + wanted.seeds; seed++) {
    if (run(seed).violation !== null) {
      failed++;
      showSeed(seed, { whole: false });
      if (failed >= wanted.failuresMax) break;
    }
    const done = seed - wanted.from + 1;
    if (done % 1000 === 0) showSpeed(done, performance.now() - startedAt);
  }
  showSpeed(wanted.seeds, performance.now() - startedAt);
  return failed === 0 ? 0 : 1;
}
