/**
 * Runs the menu of faults on real hosts, prints what came of each, and writes the table of
 * docs/proof.md when the whole menu was run.
 *
 *     deno run -A tests/proof/main.ts [--fault NAME]... [--runs 5] [--seconds 20] [--results FILE]
 *
 * With --results the outcomes are added to a file, and the table is written from all that it holds: so
 * a long measurement can be made in pieces.
 */
import { parseArgs } from "node:util";
import { whyNoHosts } from "../live/hosts.ts";
import { findMysqld } from "../live/lab.ts";
import { run } from "../../mysql/process.ts";
import { versionOf } from "../../mysql/server.ts";
import type { Fault } from "./fault.ts";
import { faultNamed, menu } from "./menu.ts";
import { complaintsOf, type Outcome } from "./outcome.ts";
import { Proof, whyLeftOut } from "./proof.ts";
import { insertReport, type Occasion, reportOf } from "./report.ts";

const formatMs = 30_000;
const documentPath = new URL("../../docs/proof.md", import.meta.url).pathname;

interface Options {
  readonly faults: readonly Fault[];
  readonly runs: number;
  readonly seconds: number;
  readonly results: string | undefined;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(words: readonly string[]): Promise<number> {
  const options = optionsOf(words);
  const hindrance = await whyNoHosts();
  if (hindrance !== null) {
    print(`Cannot build hosts on this machine: ${hindrance}`);
    return 1;
  }
  const outcomes = await measure(options);
  const wrong = outcomes.filter((outcome) => complaints(outcome).length > 0).length;
  const { faults, results } = options;
  if (results !== undefined || faults.length === menu.length) {
    const all = results === undefined ? outcomes : readResults(results);
    await writeTable(all, options);
    print(`The table of ${all.length} runs is in ${documentPath}`);
  }
  print(`${outcomes.length - wrong} runs as promised, ${wrong} not`);
  return wrong === 0 && outcomes.length > 0 ? 0 : 1;
}

function optionsOf(words: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...words],
    options: {
      fault: { type: "string", multiple: true, default: [] },
      runs: { type: "string", default: "5" },
      seconds: { type: "string", default: "20" },
      results: { type: "string" },
    },
  });
  return {
    faults: values.fault.length === 0 ? menu : values.fault.map(faultNamed),
    runs: Number(values.runs),
    seconds: Number(values.seconds),
    results: values.results,
  };
}

async function measure({ faults, runs, seconds, results }: Options): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  await using proof = new Proof({ awayMs: 1_000 * seconds });
  for (const fault of faults) {
    const reason = await whyLeftOut(fault);
    if (reason !== null) {
      print(`${fault.name}: left out: ${reason}`);
      continue;
    }
    for (let done = 0; done < runs; done++) {
      const outcome = await proof.run(fault);
      outcomes.push(outcome);
      if (results !== undefined) addResult(results, outcome);
      for (const line of describe(outcome)) print(line);
    }
  }
  await proof.close();
  return outcomes;
}

function addResult(path: string, outcome: Outcome): void {
  Deno.writeTextFileSync(path, `${JSON.stringify(outcome)}\n`, { append: true });
}

function readResults(path: string): readonly Outcome[] {
  const lines = Deno.readTextFileSync(path).split("\n").filter((line) => line !== "");
  // NaN, the outage of a run that failed, is null in JSON.
  return lines.map((line) => JSON.parse(line, (_, value) => value ?? null) as Outcome);
}

async function writeTable(outcomes: readonly Outcome[], options: Options): Promise<void> {
  const report = reportOf(menu, outcomes, await occasion(options));
  const document = Deno.readTextFileSync(documentPath);
  Deno.writeTextFileSync(documentPath, insertReport(document, report));
  await run([Deno.execPath(), "fmt", "--quiet", documentPath], { deadlineMs: formatMs });
}

async function occasion({ runs, seconds, results }: Options): Promise<Occasion> {
  const { major, minor, patch } = await versionOf(await findMysqld());
  // The file may hold runs of any number of calls.
  const how = results === undefined ? `RUNS=${runs}` : "RUNS=N RESULTS=FILE, in pieces:";
  const load = (Deno.loadavg()[0] ?? 0).toFixed(1);
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${navigator.hardwareConcurrency} cores (load average ${load} at the end), Linux ` +
      Deno.osRelease(),
    versions: `MySQL ${major}.${minor}.${patch}`,
    command: `make proof ${how} SECONDS=${seconds}`,
  };
}

function complaints(outcome: Outcome): readonly string[] {
  return complaintsOf(outcome, faultNamed(outcome.fault).expect, outcome.awayMs);
}

function describe(outcome: Outcome): readonly string[] {
  const { fault, outageMs, acknowledged, unknown, failed, lost, leader, terms } = outcome;
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`;
  return [
    `${fault}: outage ${Math.round(outageMs)} ms, ${acknowledged} acknowledged, ${lost} lost, ` +
    `${unknown} unknown, ${failed} refused; ${leader} leader after ${terms} terms; two ` +
    `acknowledging ${seconds(outcome.twoAcknowledgingMs)}, two open by flag ` +
    `${seconds(outcome.twoOpenMs)}, two addresses ${seconds(outcome.twoHoldersMs)}; ` +
    `${outcome.revived} agents revived`,
    ...outcome.invalid.map((sentence) => `   rebuilt: ${sentence}`),
    ...outcome.said.map((line) => `   ${line}`),
    ...complaints(outcome).map((complaint) => `   WRONG: ${complaint}`),
  ];
}

function print(line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}
