/**
 * Measures failovers on real servers of this machine, fault by fault: how long nobody could write,
 * whether an acknowledged write was lost, and whether two servers were ever open at once.
 *
 *     deno run -A bench/faults.ts [--fault NAME] [--runs 5] [--freeze-ms 20000]
 *         [--timing default|guide] [--writers 1] [--program dist/xenon] [--json FILE] [--keep] [--unwatched]
 *
 * `--keep` keeps the agents' logs of runs that went wrong, `--unwatched` leaves out the watchers, which
 * cost a small machine some time themselves.
 */
import { parseArgs } from "node:util";
import { median } from "../cmd/demo/ledger.ts";
import { describePhases } from "../cmd/demo/timeline.ts";
import { createWorld } from "../cmd/real/world.ts";
import { findMysqld } from "../cmd/demo/find_mysqld.ts";
import type { Timing } from "../cmd/demo/node_config.ts";
import { faultNamed, faultNames } from "./fault_list.ts";
import { LabRunner, type RunnerOptions, type RunResult } from "./runner.ts";

/** A silence this long is explained by all that was said in it. */
const slowMs = 500;

interface BenchOptions {
  readonly faults: readonly string[];
  readonly runs: number;
  readonly jsonPath: string | undefined;
  readonly runner: Omit<RunnerOptions, "mysqld" | "say">;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(words: readonly string[]): Promise<number> {
  const options = optionsOf(words);
  const mysqld = await findMysqld(undefined, createWorld("bench"));
  const results: RunResult[] = [];
  await using runner = new LabRunner({ ...options.runner, mysqld, say: print });
  const stop = () => {
    runner.close().finally(() => Deno.exit(130));
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, stop);
  print(`${loadNow()}; ${options.runner.writers} writer(s), ${options.runner.timing} timing`);
  for (const name of options.faults) {
    const fault = faultNamed(name);
    for (let run = 1; run <= options.runs; run++) {
      print(`\n== ${fault.name}, run ${run} of ${options.runs}: ${fault.title}`);
      const result = await runner.run(fault);
      results.push(result);
      for (const line of describeRun(result)) print(line);
    }
  }
  print(`\n${tableOf(results)}${loadNow()}`);
  if (options.jsonPath !== undefined) {
    Deno.writeTextFileSync(options.jsonPath, `${JSON.stringify(results, null, 1)}\n`);
  }
  return results.every(({ lost, failed }) => lost === 0 && failed === null) ? 0 : 1;
}

function optionsOf(words: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...words],
    options: {
      fault: { type: "string", multiple: true, default: [] },
      runs: { type: "string", default: "5" },
      "freeze-ms": { type: "string", default: "20000" },
      timing: { type: "string", default: "default" },
      writers: { type: "string", default: "1" },
      program: { type: "string" },
      json: { type: "string" },
      keep: { type: "boolean", default: false },
      unwatched: { type: "boolean", default: false },
    },
  });
  const timing: Timing = values.timing === "guide" ? "guide" : "default";
  return {
    faults: values.fault.length === 0 ? faultNames : values.fault,
    runs: Number(values.runs),
    jsonPath: values.json,
    runner: {
      freezeMs: Number(values["freeze-ms"]),
      timing,
      writers: Number(values.writers),
      program: values.program,
      keepLogsOfTrouble: values.keep,
      watched: !values.unwatched,
    },
  };
}

function describeRun(result: RunResult): readonly string[] {
  if (result.failed !== null) return [`   FAILED: ${result.failed}`];
  const { outageMs, lost, before, after, rejoined, flagsMs, acknowledgedMs } = result;
  return [
    `   outage ${Math.round(outageMs)} ms, lost ${lost}, acknowledged ${result.acknowledged}, ` +
    `unknown ${result.unknown}, longest silence in the calm before ${Math.round(result.calmMs)} ms`,
    `   leader ${before} -> ${after}; ${rejoined}`,
    `   two writable by flag ${(flagsMs / 1000).toFixed(2)} s, ` +
    `two acknowledging ${(acknowledgedMs / 1000).toFixed(2)} s`,
    ...describePhases(result.phases).map((line) => `   ${line}`),
    ...(outageMs < slowMs ? [] : ["   said during the silence:", ...result.during]),
  ];
}

function tableOf(results: readonly RunResult[]): string {
  const columns = ["fault", "runs", "outage median", "max", "lost", "two flags max s", "two ack s"];
  const rows = [...new Set(results.map(({ fault }) => fault))].map((fault) => {
    const all = results.filter((result) => result.fault === fault);
    const good = all.filter(({ failed }) => failed === null);
    const outages = good.map(({ outageMs }) => outageMs);
    return [
      fault,
      good.length === all.length ? `${all.length}` : `${good.length}/${all.length}`,
      `${Math.round(median(outages))} ms`,
      `${Math.round(Math.max(...outages))} ms`,
      `${good.reduce((sum, { lost }) => sum + lost, 0)}`,
      (Math.max(...good.map(({ flagsMs }) => flagsMs)) / 1000).toFixed(2),
      (Math.max(...good.map(({ acknowledgedMs }) => acknowledgedMs)) / 1000).toFixed(2),
    ];
  });
  const lines = [columns, columns.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`);
  return `${lines.join("\n")}\n`;
}

/** Figures of a busy machine say little, so the load stands beside them. */
function loadNow(): string {
  const load = Deno.loadavg().map((one) => one.toFixed(2)).join(" ");
  return `load average ${load} on ${navigator.hardwareConcurrency} cores`;
}

function print(line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}
