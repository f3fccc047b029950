/**
 * Where the time of a failover went: the agents' own log lines, put on one clock. All of them run on
 * this machine, so their clocks are the same.
 */
import type { LabNode } from "./lab_node.ts";

export interface LogLine {
  /** Milliseconds of the wall clock. */
  readonly at: number;
  readonly node: string;
  readonly sentence: string;
}

export type PhaseName =
  | "detected"
  | "asking"
  | "freezing"
  | "voting"
  | "elected"
  | "applied"
  | "marking"
  | "writable"
  | "first write";

export interface Phase {
  readonly name: PhaseName;
  /** Milliseconds after the fault. */
  readonly afterMs: number;
  readonly node: string;
  readonly sentence: string;
}

/** What a log line must say to mark the beginning of a phase, on the node that won in the end. */
const winnerPhases: readonly (readonly [PhaseName, RegExp])[] = [
  ["asking", /^Standing for term \d+, asking/],
  ["freezing", /^Standing for term \d+, freezing/],
  ["voting", /^Standing for term \d+, voting/],
  ["elected", /^Opening the server for term/],
  ["applied", /stop the applier|switch semi-sync source on|acknowledgements of each commit/],
  ["marking", /write the marker of term/],
];
const writable = /^leading term \d+, writable/i;
/** The first sign, on whichever node, that something is wrong or wanted. */
const noticed =
  /MySQL is (dead|hung|unknown)|^closing my server|^Closing my server|^No leader|^Standing for|^handing over/;

/** The lines that the agents wrote since a moment of the wall clock, in order of time. */
export function readLogs(nodes: readonly LabNode[], sinceAt: number): readonly LogLine[] {
  const lines = nodes.flatMap((node) => linesOf(node).filter(({ at }) => at >= sinceAt));
  return lines.sort((left, right) => left.at - right.at);
}

/** The phases of the first failover (or hand-over) among these lines; empty when there was none. */
export function phasesOf(lines: readonly LogLine[], faultAt: number): readonly Phase[] {
  const after = lines.filter(({ at }) => at >= faultAt);
  const opened = after.find(({ sentence }) => writable.test(sentence));
  const first = after.find(({ sentence }) => noticed.test(sentence));
  const phase = (name: PhaseName, { at, node, sentence }: LogLine): Phase => {
    return { name, afterMs: at - faultAt, node, sentence };
  };
  const phases = first === undefined ? [] : [phase("detected", first)];
  if (opened === undefined) return phases;
  const own = after.filter(({ node, at }) => node === opened.node && at <= opened.at);
  // A lost round leaves the same lines behind, so the last ones before the opening count.
  for (const [name, pattern] of winnerPhases) {
    const line = own.findLast(({ sentence }) => pattern.test(sentence));
    if (line !== undefined) phases.push(phase(name, line));
  }
  return [...phases, phase("writable", opened)];
}

/** One line a phase, the time since the fault in front. */
export function describePhases(phases: readonly Phase[]): readonly string[] {
  return phases.map(({ name, afterMs, node, sentence }) => {
    const time = `+${Math.round(afterMs)} ms`.padStart(10);
    return `${time}  ${name.padEnd(12)} ${node}: ${sentence.slice(0, sentenceMax)}`;
  });
}

const sentenceMax = 110;

function linesOf(node: LabNode): readonly LogLine[] {
  let text: string;
  try {
    text = Deno.readTextFileSync(node.logPath);
  } catch {
    // The agent has not written anything yet.
    return [];
  }
  return text.split("\n").flatMap((line) => lineOf(node.id, line));
}

function lineOf(node: string, line: string): readonly LogLine[] {
  try {
    const { time, sentence } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    return typeof time === "string" && typeof sentence === "string"
      ? [{ at: Date.parse(time), node, sentence }]
      : [];
  } catch {
    // The last line of a killed agent may be cut.
    return [];
  }
}
