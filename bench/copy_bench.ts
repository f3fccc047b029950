/**
 * What the benches of rebuilds share: the data that is copied, what is measured while something copies
 * it, and the table of all that.
 */
import { type Ledger, longestGap, median } from "../cmd/demo/ledger.ts";
import { count, parse } from "../mysql/gtid.ts";
import type { Connection } from "../mysql/client.ts";
import { pause } from "../mysql/time_left.ts";

const statementMs = 600_000;
const calmMs = 10_000;
const rowBytes = 1 << 20;
const rowsAtOnce = 16;

/** How long one copy took. */
export interface Timed {
  /** Until the new server replicates and has caught up; all of it where it is not given. */
  readonly seconds?: number | undefined;
  /** Only the copying, where that is known by itself. */
  readonly copySeconds: number | null;
}

interface Measured extends Timed {
  readonly what: string;
  readonly seconds: number;
  /** Until the command or the hands were done with everything. */
  readonly allSeconds: number;
  readonly writesPerSecond: number;
  /** Transactions that the donor, which is a replica, applied. */
  readonly donorPerSecond: number;
  readonly longestGapMs: number;
}

export interface CopyBenchOptions {
  readonly ledger: Ledger;
  /** The GTID set that the donor has executed. */
  readonly donorExecuted: () => Promise<string>;
  /** Told of each row as soon as it is measured. */
  readonly tell: (sentence: string) => void;
}

/** Rows that no compression of a disk or a network makes smaller. */
export async function fill(leader: Connection, gigabytes: number): Promise<void> {
  const query = (sql: string) => leader.query(sql, { deadlineMs: statementMs });
  await query("CREATE DATABASE bench");
  await query("CREATE TABLE bench.big (id INT AUTO_INCREMENT PRIMARY KEY, filling LONGBLOB)");
  const rows = Math.ceil(gigabytes * 1024 ** 3 / rowBytes);
  const row = `(REPEAT(RANDOM_BYTES(1024), ${rowBytes / 1024}))`;
  for (let done = 0; done < rows; done += rowsAtOnce) {
    await query(`INSERT INTO bench.big (filling) VALUES ${Array(rowsAtOnce).fill(row).join(",")}`);
  }
}

/** Measures one way to copy after the other. */
export class CopyBench {
  readonly #options: CopyBenchOptions;
  readonly #results: Measured[] = [];

  constructor(options: CopyBenchOptions) {
    this.#options = options;
  }

  /** What the writers reach while nothing is copied. */
  calm(): Promise<void> {
    return this.measure("nothing else runs", async () => {
      await pause(calmMs);
      return { copySeconds: null };
    });
  }

  async measure(what: string, work: () => Promise<Timed>): Promise<void> {
    const { ledger: { acknowledged }, donorExecuted, tell } = this.#options;
    const before = count(parse(await donorExecuted()));
    const fromAt = performance.now();
    const timed = await work();
    const untilAt = performance.now();
    const applied = Number(count(parse(await donorExecuted())) - before);
    const during = acknowledged.filter(({ at }) => at > fromAt && at <= untilAt).length;
    const allSeconds = (untilAt - fromAt) / 1_000;
    const measured: Measured = {
      what,
      seconds: timed.seconds ?? allSeconds,
      allSeconds,
      copySeconds: timed.copySeconds,
      writesPerSecond: during / allSeconds,
      donorPerSecond: applied / allSeconds,
      longestGapMs: longestGap(acknowledged, { fromAt, untilAt }).ms,
    };
    this.#results.push(measured);
    tell(rowOf(measured));
  }

  /** A table of everything, and the comparison. */
  report(): readonly string[] {
    const seconds = (what: string) =>
      median(this.#results.filter((one) => one.what === what).map((one) => one.seconds));
    const times = (seconds("rebuildme") / seconds("by hand")).toFixed(2);
    return [
      "| what | in step after s | all s | copy alone s | writes/s | the donor applies/s | longest silence |",
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
      ...this.#results.map(rowOf),
      `rebuildme takes ${times} times as long as by hand until the new server is in step, by medians`,
    ];
  }
}

function rowOf(measured: Measured): string {
  const { what, seconds, allSeconds, copySeconds, writesPerSecond, donorPerSecond, longestGapMs } =
    measured;
  const copy = copySeconds === null ? "" : copySeconds.toFixed(1);
  const rates = `${Math.round(writesPerSecond)} | ${Math.round(donorPerSecond)}`;
  const silence = `${Math.round(longestGapMs)} ms`;
  const times = `${seconds.toFixed(1)} | ${allSeconds.toFixed(1)} | ${copy}`;
  return `| ${what} | ${times} | ${rates} | ${silence} |`;
}

/** Seconds of step S9, as the output of the command says them. */
export function copiedIn(output: string): number | null {
  const copied = /^S9 copied .* in ([\d.]+) s/m.exec(output)?.[1];
  return copied === undefined ? null : Number(copied);
}

/** Until the new server was in step with the leader; what came after is the end of the old data. */
export function inStepAfter(lines: readonly TimedLine[]): number | undefined {
  const until = lines.find(({ sentence }) => sentence.startsWith("S18 "));
  return until?.seconds;
}

export interface TimedLine {
  readonly sentence: string;
  /** Since the first line of the job. */
  readonly seconds: number;
}

/** What the newest job said, out of its agent's log. */
export function timeline(logPath: string): readonly TimedLine[] {
  const lines = Deno.readTextFileSync(logPath).split("\n").filter((line) => /"job":/.test(line))
    .map((line) => JSON.parse(line) as { time: string; sentence: string; job: number });
  const newest = lines.filter(({ job }) => job === lines.at(-1)?.job);
  const beganAt = Date.parse(newest[0]?.time ?? "");
  return newest.map(({ time, sentence }) => ({
    sentence,
    seconds: (Date.parse(time) - beganAt) / 1_000,
  }));
}

/** Each line with the time since the last. */
export function shownTimeline(lines: readonly TimedLine[]): readonly string[] {
  return lines.map(({ sentence, seconds }, index) => {
    const since = seconds - (lines[index - 1]?.seconds ?? 0);
    return `${since.toFixed(2).padStart(8)} s  ${sentence}`;
  });
}
