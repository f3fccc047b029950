/**
 * Runs the menu of faults on real hosts and prints what came of each.
 *
 *     deno run -A tests/proof/main.ts [--fault NAME]... [--runs 5] [--seconds 20]
 */
import { parseArgs } from "node:util";
import { whyNoHosts } from "../live/hosts.ts";
import { faultNamed, menu } from "./menu.ts";
import { complaintsOf, type Outcome } from "./outcome.ts";
import { Proof, whyLeftOut } from "./proof.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      fault: { type: "string", multiple: true, default: [] },
      runs: { type: "string", default: "5" },
      seconds: { type: "string", default: "20" },
    },
  });
  const hindrance = await whyNoHosts();
  if (hindrance !== null) {
    print(`Cannot build hosts on this machine: ${hindrance}`);
    return 1;
  }
  const faults = values.fault.length === 0 ? menu : values.fault.map(faultNamed);
  const awayMs = 1_000 * Number(values.seconds);
  let good = true;
  await using proof = new Proof(awayMs);
  for (const fault of faults) {
    const reason = await whyLeftOut(fault);
    if (reason !== null) {
      print(`${fault.name}: left out: ${reason}`);
      continue;
    }
    for (let run = 1; run <= Number(values.runs); run++) {
      const outcome = await proof.run(fault);
      const complaints = complaintsOf(outcome, fault.expect, awayMs);
      good &&= complaints.length === 0;
      for (const line of describe(outcome)) print(line);
      for (const complaint of complaints) print(`   WRONG: ${complaint}`);
    }
  }
  await proof.close();
  return good ? 0 : 1;
}

function describe(outcome: Outcome): readonly string[] {
  const { fault, outageMs, acknowledged, unknown, failed, lost, leader, terms } = outcome;
  return [
    `${fault}: outage ${Math.round(outageMs)} ms, ${acknowledged} acknowledged, ${lost} lost, ` +
    `${unknown} unknown, ${failed} refused; ${leader} leader after ${terms} terms, two open ` +
    `${Math.round(outcome.twoOpenMs)} ms, two acknowledging ` +
    `${Math.round(outcome.twoAcknowledgingMs)} ms, two holders ` +
    `${Math.round(outcome.twoHoldersMs)} ms, ${outcome.revived} agents revived`,
    ...outcome.invalid.map((sentence) => `   new copy: ${sentence}`),
    ...outcome.said.map((line) => `   ${line}`),
  ];
}

function print(line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}
