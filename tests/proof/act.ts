/** One fault under load: calm, fault, healing, return; and everything that is measured meanwhile. */
import { poll } from "../../cmd/demo/lab.ts";
import { type Ledger, longestGap } from "../../cmd/demo/ledger.ts";
import { type LogLine, readLogs } from "../../cmd/demo/timeline.ts";
import { Workload } from "../../cmd/demo/workload.ts";
import { Watchers } from "../../bench/watchers.ts";
import { AddressSampler } from "../live/address_sampler.ts";
import { FixedLocator, type HostsLab } from "../live/hosts_lab.ts";
import type { HostNode } from "../live/hosts_lab_node.ts";
import { type Fault, type Scene } from "./fault.ts";
import type { Outcome } from "./outcome.ts";
import { converge } from "./converge.ts";
import { countLost } from "./count.ts";
import { pause } from "../../mysql/time_left.ts";

export interface Stage {
  readonly lab: HostsLab;
  readonly ledger: Ledger;
  readonly awayMs: number;
  /** From one write of a writer to its next. */
  readonly writeEveryMs?: number;
}

const writers = 4;
const calmMs = 500;
const patienceMs = 60_000;
const superviseEveryMs = 1_000;
/** What was said shortly before a silence may be its reason. */
const beforeMs = 300;
const saidMax = 40;
/** Pre-votes: whoever was named by its leader does not ask. */
const asks = /^Standing for term \d+, asking$/;

/** Rejects when the cluster cannot be brought to the end of it; then it is not used again. */
export async function act(stage: Stage, fault: Fault): Promise<Outcome> {
  const { lab, ledger, awayMs } = stage;
  const leader = await lab.leader(patienceMs);
  const followers = lab.nodes.filter((node) => node !== leader);
  const scene: Scene = { lab, leader, followers, awayMs };
  const before = await countTerms(lab);
  const first = ledger.draw();
  const counts = countsOf(ledger);
  const seen = await watch(stage, { fault, scene });
  const { where, lost, ghosts } = await countLost(lab, ledger, first);
  const after = await lab.leader(patienceMs);
  return {
    ...seen,
    lost,
    ghosts,
    said: [...seen.said, ...where],
    fault: fault.name,
    awayMs,
    acknowledged: ledger.acknowledged.length - counts.acknowledged,
    failed: ledger.failed.length - counts.failed,
    unknown: ledger.unknown.length - counts.unknown,
    leader: after === leader ? "same" : "another",
    terms: await countTerms(lab) - before,
    trouble: null,
  };
}

type Seen = Pick<
  Outcome,
  | "outageMs"
  | "twoAcknowledgingMs"
  | "twoOpenMs"
  | "twoHoldersMs"
  | "timeouts"
  | "invalid"
  | "revived"
  | "said"
>;

/** The part with writers. */
async function watch(
  { lab, ledger, awayMs, writeEveryMs: everyMs = 5 }: Stage,
  { fault, scene }: { readonly fault: Fault; readonly scene: Scene },
): Promise<Seen> {
  await using sampler = await AddressSampler.start(lab.network.hosts, lab.address);
  const places = lab.nodes.map((node) => () => node.localServer);
  await using watchers = new Watchers(places, lab.account);
  const locator = new FixedLocator(lab.address);
  await using workload = new Workload({ locator, ledger, account: lab.account, writers, everyMs });
  workload.start();
  await written(ledger, performance.now());
  await pause(calmMs);
  const supervision = supervise(lab.nodes);
  const faultAt = performance.now();
  const wallAt = performance.timeOrigin + faultAt;
  try {
    await fault.make(scene);
    if (fault.lasts === "a while") await pause(awayMs);
    if (fault.expect.leader === "another") await lab.leader(patienceMs, scene.leader);
    if (fault.expect.writes !== "afterwards") await written(ledger, performance.now());
    await fault.heal(scene);
    await written(ledger, performance.now());
    const invalid = await converge(lab);
    await workload.stop();
    const gap = longestGap(ledger.acknowledged, { fromAt: faultAt, untilAt: performance.now() });
    const lines = readLogs(lab.nodes, wallAt);
    return {
      outageMs: gap.ms,
      twoAcknowledgingMs: watchers.twoAcknowledgingMs(),
      twoOpenMs: watchers.twoOpenMs(),
      twoHoldersMs: sampler.overlapMs(faultAt),
      timeouts: lines.filter(({ sentence }) => asks.test(sentence)).length,
      invalid,
      revived: await supervision.end(),
      said: during(lines, { ...gap, faultAt }),
    };
  } finally {
    await supervision.end();
  }
}

function during(
  lines: readonly LogLine[],
  gap: { readonly fromAt: number; readonly untilAt: number; readonly faultAt: number },
): readonly string[] {
  return lines.map((line) => ({ ...line, at: line.at - performance.timeOrigin }))
    .filter(({ at }) => at >= gap.fromAt - beforeMs && at <= gap.untilAt)
    .slice(-saidMax)
    .map(({ at, node, sentence }) => `+${Math.round(at - gap.faultAt)} ms ${node}: ${sentence}`);
}

/** Starts agents that end by themselves, once a second; `end` gives how many that were. */
function supervise(nodes: readonly HostNode[]): { readonly end: () => Promise<number> } {
  let [stopped, revived] = [false, 0];
  let wake = () => {};
  const loop = async () => {
    while (!stopped) {
      for (const node of nodes) if (await node.reviveAgent()) revived++;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, superviseEveryMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const ended = loop();
  return {
    end: async () => {
      stopped = true;
      wake();
      await ended;
      return revived;
    },
  };
}

async function written(ledger: Ledger, afterAt: number): Promise<void> {
  const found = await poll(patienceMs, () => {
    const last = ledger.acknowledged.at(-1);
    return Promise.resolve(last !== undefined && last.sentAt > afterAt ? true : null);
  });
  if (found !== true) throw new Error(`Nothing was written for ${patienceMs / 1000} s`);
}

async function countTerms(lab: HostsLab): Promise<number> {
  const statuses = await Promise.all(lab.nodes.map((node) => node.status()));
  return Math.max(...statuses.map((status) => status?.term ?? 0));
}

function countsOf({ acknowledged, failed, unknown }: Ledger) {
  return {
    acknowledged: acknowledged.length,
    failed: failed.length,
    unknown: unknown.length,
  };
}
