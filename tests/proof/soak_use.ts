/** What agents needed over time, from samples of /proc: pure arithmetic. */
import { median } from "../../cmd/demo/ledger.ts";

/** One look at the process of an agent; see proc_pid_status(5) and proc_pid_stat(5). */
export interface Sample {
  readonly id: string;
  readonly pid: number;
  /** Milliseconds of one clock. */
  readonly at: number;
  readonly statusText: string;
  readonly statText: string;
}

/** What one process of an agent needed. */
export interface Use {
  readonly id: string;
  readonly minutes: number;
  /** Resident memory in MB, the median of each quarter of its life. */
  readonly memoryMb: readonly number[];
  /** Share of one core in percent, in each quarter. */
  readonly processorPercent: readonly number[];
  /** The last quarter needed much more than the second: what starts up and warms up is over by then. */
  readonly grows: boolean;
}

/** A process needs more and more for its first five minutes; a younger one cannot be judged by quarters. */
const leastMinutes = 8;
const growthMax = 1.25;
const ticksPerSecond = 100;

/** Of every process that lived long enough, the longest first. */
export function usesOf(samples: readonly Sample[]): readonly Use[] {
  const byProcess = Map.groupBy(samples, ({ id, pid }) => `${id} ${pid}`);
  return [...byProcess.values()].map(useOf).filter(({ minutes }) => minutes >= leastMinutes)
    .sort((left, right) => right.minutes - left.minutes);
}

/** A line for people. */
export function describeUse({ id, minutes, memoryMb, processorPercent, grows }: Use): string {
  const memory = memoryMb.map((mb) => mb.toFixed(0)).join(", ");
  const processor = processorPercent.map((percent) => percent.toFixed(1)).join(", ");
  return `${id}: ${minutes.toFixed(1)} minutes; by quarters ${memory} MB and ${processor} % of a ` +
    `core${grows ? "; it grows" : ""}`;
}

function useOf(all: readonly Sample[]): Use {
  const [first, last] = [all[0], all.at(-1)];
  const quarters = [0, 1, 2, 3].map((index) =>
    all.slice(Math.floor(index * all.length / 4), Math.floor((index + 1) * all.length / 4) + 1)
  );
  const memoryMb = quarters.map((quarter) => median(quarter.map(memoryOf)));
  return {
    id: first?.id ?? "",
    minutes: ((last?.at ?? 0) - (first?.at ?? 0)) / 60_000,
    memoryMb,
    processorPercent: quarters.map(processorOf),
    grows: (memoryMb[3] ?? 0) > growthMax * (memoryMb[1] ?? 0),
  };
}

function memoryOf({ statusText }: Sample): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(statusText)?.[1] ?? NaN) / 1_024;
}

function processorOf(quarter: readonly Sample[]): number {
  const [first, last] = [quarter[0], quarter.at(-1)];
  if (first === undefined || last === undefined || first === last) return NaN;
  const seconds = (ticksOf(last) - ticksOf(first)) / ticksPerSecond;
  return 100_000 * seconds / (last.at - first.at);
}

/** User and system time; the name before them may hold spaces. */
function ticksOf({ statText }: Sample): number {
  const fields = statText.slice(statText.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
