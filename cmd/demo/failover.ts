/** One act of the demonstration: a fault at the leader, and what became of it. */
import type { Lab } from "./lab.ts";
import { poll } from "./lab.ts";
import type { LabNode } from "./lab_node.ts";
import { type Ledger, longestGap } from "./ledger.ts";
import { describePhases, phasesOf, readLogs } from "./timeline.ts";
import { pause } from "../../mysql/time_left.ts";

export interface FailoverOptions {
  readonly lab: Lab;
  readonly ledger: Ledger;
  readonly say: (sentence: string) => void;
  /** What is done to the leader. */
  readonly fault: (leader: LabNode) => Promise<void>;
  /** The fault in a few words. */
  readonly what: string;
}

/** What came of it; null for a failover that was not seen in time. */
export interface Failover {
  readonly former: LabNode;
  readonly leader: LabNode | null;
  /** Silence between two acknowledged writes. */
  readonly outageMs: number;
}

const failoverMs = 30_000;
const settleMs = 1_500;
const writeMs = 10_000;

/** Does it, waits for the next leader and its first write, and prints the timeline. */
export async function failOver(options: FailoverOptions): Promise<Failover> {
  const { lab, ledger, say, fault, what } = options;
  const former = await lab.waitForLeader(failoverMs);
  if (former === null) throw new Error("Cannot show a failover as nobody leads");
  const firstAt = performance.now();
  say(`${what} of the leader ${former.id} (MySQL at ${former.mysql})`);
  const faultAt = performance.now();
  await fault(former);
  const leader = await lab.waitForLeader(failoverMs, [former]);
  if (leader === null) {
    say(`No other node leads within ${failoverMs / 1000} s`);
    return { former, leader: null, outageMs: performance.now() - faultAt };
  }
  const first = await poll(writeMs, () => {
    const found = ledger.acknowledged.findLast(({ at, server }) =>
      at > faultAt && server === leader.mysql
    );
    return Promise.resolve(found === undefined ? null : firstWrite(ledger, leader, faultAt));
  });
  await pause(settleMs);
  const gap = longestGap(ledger.acknowledged, { fromAt: firstAt, untilAt: performance.now() });
  const wallAt = performance.timeOrigin + faultAt;
  for (const line of describePhases(phasesOf(readLogs(lab.nodes, wallAt), wallAt))) say(line);
  const told = first === undefined
    ? "no write was acknowledged after it"
    : `first write acknowledged ${Math.round(first - faultAt)} ms after the fault`;
  say(`${leader.id} leads now; ${told}; writers were silent for ${Math.round(gap.ms)} ms`);
  return { former, leader, outageMs: gap.ms };
}

/** Monotonic time of the first write that a leader acknowledged after a moment. */
export function firstWrite(ledger: Ledger, leader: LabNode, afterAt: number): number | null {
  const found = ledger.acknowledged.find(({ at, server }) =>
    at > afterAt && server === leader.mysql
  );
  return found?.at ?? null;
}

const rejoinMs = 40_000;
/** A new copy applies what was written meanwhile; a machine that is too busy for that goes on behind. */
const appliedMs = 12_000;

/** Waits until the former leader follows again, or says that it cannot and why. */
export async function watchReturn(
  lab: Lab,
  former: LabNode,
  say: (sentence: string) => void,
): Promise<"following" | "invalid" | "absent"> {
  const found = await poll(rejoinMs, async () => {
    const status = await former.status();
    if (status?.role === "INVALID") return { kind: "invalid", sentence: status.sentence } as const;
    const threads = status?.mysql.receiverRunning && status.mysql.applierRunning;
    return status?.role === "FOLLOWER" && status.leader !== "" && threads
      ? { kind: "following", sentence: status.sentence } as const
      : null;
  });
  if (found === undefined) {
    const status = await former.status();
    say(`${former.id} is not back after ${rejoinMs / 1000} s: ${status?.sentence ?? "no answer"}`);
    return "absent";
  }
  say(`${former.id} is back: ${found.sentence}`);
  if (found.kind === "following") {
    await lab.waitWhole(rejoinMs);
    await lab.waitApplied(appliedMs);
  }
  return found.kind;
}
