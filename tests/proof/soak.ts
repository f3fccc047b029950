/**
 * Keeps a cluster busy with writers and faults for minutes, and tells what its agents need meanwhile:
 * memory and processor must stay flat.
 *
 *     deno run -A tests/proof/soak.ts [--minutes 20]
 */
import { parseArgs } from "node:util";
import { Ledger } from "../../cmd/demo/ledger.ts";
import { HostsLab } from "../live/hosts_lab.ts";
import type { HostNode } from "../live/hosts_lab_node.ts";
import { act } from "./act.ts";
import { faultNamed } from "./menu.ts";
import { complaintsOf, type Outcome } from "./outcome.ts";
import { describeUse, type Sample, usesOf } from "./soak_use.ts";
import { messageOf } from "../../mysql/message_of.ts";
import { pause } from "../../mysql/time_left.ts";

const wholeMs = 90_000;
const awayMs = 5_000;
const sampleMs = 5_000;
/** Faults that leave the agents alive, so that their memory can be watched. */
const names = [
  "switchover",
  "follower-kill",
  "one-link-cut",
  "mysqld-kill",
  "follower-freeze",
  "loss",
  "mysqld-shutdown",
  "agents-cut",
] as const;

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: { minutes: { type: "string", default: "20" } },
  });
  const endsAt = performance.now() + 60_000 * Number(values.minutes);
  await using lab = await HostsLab.open(3);
  if (!await lab.whole(wholeMs)) throw new Error(await lab.sentences());
  const samples: Sample[] = [];
  const played = new AbortController();
  const sampling = sampleUntil(played.signal, lab.nodes, samples);
  const wrong = await playUntil(endsAt, lab);
  played.abort();
  await sampling;
  const uses = usesOf(samples);
  for (const use of uses) print(describeUse(use));
  const growing = uses.filter((use) => use.grows).length;
  print(`${wrong} faults not as promised, ${growing} agents that grow`);
  return wrong + growing === 0 ? 0 : 1;
}

/** One fault after the other; gives how many were not as promised. A cluster that stays broken ends it. */
async function playUntil(endsAt: number, lab: HostsLab): Promise<number> {
  const ledger = new Ledger();
  let wrong = 0;
  for (let round = 0; performance.now() < endsAt; round++) {
    const fault = faultNamed(names[round % names.length] ?? names[0]);
    try {
      const outcome = await act({ lab, ledger, awayMs }, fault);
      const said = complaintsOf(outcome, fault.expect, awayMs);
      if (said.length > 0) wrong++;
      print(describe(outcome, said));
    } catch (error) {
      wrong++;
      print(`${fault.name}: ${messageOf(error)}`);
      if (await lab.whole(wholeMs)) continue;
      print(`Ending early: ${await lab.sentences()}`);
      return wrong;
    }
  }
  return wrong;
}

function describe(outcome: Outcome, said: readonly string[]): string {
  const { fault, outageMs, acknowledged, lost } = outcome;
  return `${fault}: outage ${Math.round(outageMs)} ms, ${acknowledged} acknowledged, ` +
    [`${lost} lost`, ...said].join("; ");
}

async function sampleUntil(
  ended: AbortSignal,
  nodes: readonly HostNode[],
  samples: Sample[],
): Promise<void> {
  while (!ended.aborted) {
    for (const { id, agentPid } of nodes) {
      const seen = agentPid === null ? null : read(agentPid);
      if (seen !== null && agentPid !== null) {
        samples.push({ id, pid: agentPid, at: performance.now(), ...seen });
      }
    }
    await pause(sampleMs);
  }
}

/** Null for a process that has just ended. */
function read(pid: number): Pick<Sample, "statusText" | "statText"> | null {
  try {
    const statusText = Deno.readTextFileSync(`/proc/${pid}/status`);
    return { statusText, statText: Deno.readTextFileSync(`/proc/${pid}/stat`) };
  } catch {
    return null;
  }
}

function print(line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}
