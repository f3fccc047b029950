/**
 * Where the time of a failover went: the agents' own log lines, put on one clock. All of them run on
 * this machine, so their clocks are the same.
 */

/** Whose log is read, and where it is. */
interface LoggedNode {
  readonly id: string;
  readonly logPath: string;
}

export interface LogLine {
  /** Milliseconds of the wall clock. */
  readonly at: number;
  readonly node: string;
  readonly sentence: string;
}

export type PhaseName =
  | "detected"
  | "resigned"
  | "consent"
  | "asking"
  | "freezing"
  | "voting"
  | "elected"
  | "applied"
  | "prepared"
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

/** What a log line must say to mark a phase, on the node that won in the end. */
const roundPhases: readonly (readonly [PhaseName, RegExp])[] = [
  ["asking", /^Standing for term \d+, asking/],
  ["freezing", /^Standing for term \d+, freezing/],
  ["voting", /^Standing for term \d+, voting/],
  ["elected", /^Opening the server for term/],
];
const writable = /^leading term \d+, writable/i;
/** The first sign, on whichever node, that something is wrong or wanted. */
const noticed =
  /MySQL is (dead|hung|unknown)|^closing my server|^Closing my server|^No leader|^Standing for|^handing over/;
const resigned = /^closing my server|^handing over/;
const consent = /^named \S+ as successor/;

/** The lines that the agents wrote since a moment of the wall clock, in order of time. */
export function readLogs(nodes: readonly LoggedNode[], sinceAt: number): readonly LogLine[] {
  const lines = nodes.flatMap((node) => linesOf(node).filter(({ at }) => at >= sinceAt));
  return lines.sort((left, right) => left.at - right.at);
}

/** The phases of the first failover (or hand-over) among these lines; few when there was none. */
export function phasesOf(lines: readonly LogLine[], faultAt: number): readonly Phase[] {
  const since = lines.filter(({ at }) => at >= faultAt);
  const phase = (name: PhaseName, line: LogLine | undefined): readonly Phase[] => {
    if (line === undefined) return [];
    return [{ name, afterMs: line.at - faultAt, node: line.node, sentence: line.sentence }];
  };
  const opened = since.find(({ sentence }) => writable.test(sentence));
  const after = since.filter(({ at }) => at <= (opened?.at ?? Infinity));
  const winner = after.filter(({ node }) => node === opened?.node);
  // A lost round leaves the same lines behind, so the last ones before the opening count.
  const rounds = roundPhases.map(([name, pattern]) =>
    phase(name, winner.findLast(({ sentence }) => pattern.test(sentence)))
  );
  const elected = winner.findLastIndex(({ sentence }) => /^Opening the server/.test(sentence));
  const steps = elected < 0
    ? []
    : winner.slice(elected + 1).filter((line) =>
      line !== opened && !/^Leading term/.test(line.sentence)
    );
  return [
    ...phase("detected", after.find(({ sentence }) => noticed.test(sentence))),
    ...phase("resigned", after.find(({ sentence }) => resigned.test(sentence))),
    ...phase("consent", after.find(({ sentence }) => consent.test(sentence))),
    ...rounds.flat(),
    ...steps.flatMap((line) => phase(stepName(line.sentence), line)),
    ...phase("writable", opened),
  ];
}

/** Steps are logged when they begin. */
function stepName(sentence: string): PhaseName {
  if (/marker/.test(sentence)) return "marking";
  return /appl|receive/.test(sentence) ? "applied" : "prepared";
}

/** One line a phase, the time since the fault in front. */
export function describePhases(phases: readonly Phase[]): readonly string[] {
  return phases.map(({ name, afterMs, node, sentence }) => {
    const time = `+${Math.round(afterMs)} ms`.padStart(10);
    return `${time}  ${name.padEnd(12)} ${node}: ${sentence.slice(0, sentenceMax)}`;
  });
}

const sentenceMax = 110;

function linesOf(node: LoggedNode): readonly LogLine[] {
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
