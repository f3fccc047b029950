/** Runs one fault on a healthy cluster with writers, watches it, and heals what it left behind. */
import { Lab } from "../cmd/demo/lab.ts";
import { poll } from "../cmd/demo/lab.ts";
import type { LabNode } from "../cmd/demo/lab_node.ts";
import { Ledger, longestGap } from "../cmd/demo/ledger.ts";
import { Locator } from "../cmd/demo/locator.ts";
import type { Timing } from "../cmd/demo/node_config.ts";
import { type Phase, phasesOf, readLogs } from "../cmd/demo/timeline.ts";
import { judge } from "../cmd/demo/verdict.ts";
import { Workload } from "../cmd/demo/workload.ts";
import type { Fault } from "./fault_list.ts";
import { type Place, Watchers } from "./watchers.ts";
import { messageOf } from "../mysql/message_of.ts";
import { pause } from "../mysql/time_left.ts";

export interface RunnerOptions {
  readonly mysqld: string;
  readonly freezeMs: number;
  readonly timing: Timing;
  readonly writers: number;
  /** Path of the one executable; the sources are run where none is given. */
  readonly program: string | undefined;
  /** Copies the agents' logs of a run that went wrong beside the working folder. */
  readonly keepLogsOfTrouble: boolean;
  /** Whether every server is watched directly for flags and acknowledgements. */
  readonly watched: boolean;
  readonly say: (sentence: string) => void;
}

export interface RunResult {
  readonly fault: string;
  readonly outageMs: number;
  /** The longest silence in the second before the fault: what this machine does by itself. */
  readonly calmMs: number;
  readonly lost: number;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly before: string;
  readonly after: string;
  /** How the former leader came back. */
  readonly rejoined: string;
  readonly flagsMs: number;
  readonly acknowledgedMs: number;
  readonly phases: readonly Phase[];
  /** What the agents said during the longest silence. */
  readonly during: readonly string[];
  /** Why the run could not be brought to its end; null for a whole run. */
  readonly failed: string | null;
}

const calmMs = 1_500;
/** What was said shortly before a silence may be its reason. */
const aroundMs = 300;
const duringMax = 30;
const healMs = 60_000;
const leaderMs = 60_000;
const root = new URL("../", import.meta.url).pathname;

/** Keeps one cluster from run to run as long as it heals; else it makes a new one. */
export class LabRunner implements AsyncDisposable {
  readonly #options: RunnerOptions;
  #lab: Lab | null = null;
  #ledger = new Ledger();

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  async run(fault: Fault): Promise<RunResult> {
    try {
      return await this.#run(fault, await this.#healthyLab());
    } catch (error) {
      const failed = messageOf(error);
      await this.#giveUp(fault.name);
      return { ...nothing, fault: fault.name, failed };
    }
  }

  async close(): Promise<void> {
    const lab = this.#lab;
    this.#lab = null;
    await lab?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(fault: Fault, lab: Lab): Promise<RunResult> {
    const leader = await lab.waitForLeader(leaderMs);
    if (leader === null) throw new Error("Cannot begin as nobody leads");
    await lab.warm();
    const seen = await this.#watch(fault, { lab, leader });
    const whole = await lab.waitWhole(healMs);
    const verdict = await judge(lab, this.#ledger);
    const behind = verdict.behind.map((server) => `; ${server} did not catch up`).join("");
    const rejoined = `${await describeReturn(leader, whole)}${behind}`;
    const after = (await lab.leader())?.mysql ?? "nobody";
    const healthy = whole && verdict.lost === 0 && verdict.behind.length === 0;
    if (!healthy) await this.#giveUp(fault.name);
    return {
      ...seen,
      lost: verdict.lost,
      acknowledged: verdict.acknowledged,
      unknown: verdict.unknown,
      before: leader.mysql,
      after,
      rejoined,
      failed: null,
    };
  }

  /** The part with writers: calm, fault, healing. */
  async #watch(
    fault: Fault,
    { lab, leader }: { readonly lab: Lab; readonly leader: LabNode },
  ): Promise<Watched> {
    const ledger = this.#ledger;
    const { writers, freezeMs, watched } = this.#options;
    await using locator = new Locator(lab.nodes.map(({ id }) => id));
    locator.start();
    await using watchers = new Watchers(watched ? lab.nodes.map(placeOf) : [], lab.account);
    await using workload = new Workload({ locator, ledger, account: lab.account, writers });
    workload.start();
    const calmFrom = await firstWriteAfter(ledger, performance.now());
    await pause(calmMs);
    const faultAt = performance.now();
    const wallAt = performance.timeOrigin + faultAt;
    const scene = { lab, leader, freezeMs };
    await fault.make(scene);
    await fault.heal(scene);
    // An outage that lasts longer than the fault is waited for, within reason.
    await firstWriteAfter(ledger, performance.now());
    const untilAt = performance.now();
    await workload.stop();
    const gap = longestGap(ledger.acknowledged, { fromAt: faultAt, untilAt });
    const calm = longestGap(ledger.acknowledged, { fromAt: calmFrom, untilAt: faultAt });
    const lines = readLogs(lab.nodes, wallAt);
    const during = lines.filter(({ at }) =>
      at - performance.timeOrigin >= gap.fromAt - aroundMs &&
      at - performance.timeOrigin <= gap.untilAt
    );
    const first: Phase = {
      name: "first write",
      afterMs: gap.untilAt - faultAt,
      node: "writers",
      sentence: `silent from +${Math.round(gap.fromAt - faultAt)} ms`,
    };
    return {
      fault: fault.name,
      outageMs: gap.ms,
      calmMs: calm.ms,
      flagsMs: watchers.twoOpenMs(),
      acknowledgedMs: watchers.twoAcknowledgingMs(),
      phases: [...phasesOf(lines, wallAt), first],
      during: during.slice(-duringMax).map(({ at, node, sentence }) =>
        `+${Math.round(at - wallAt)} ms ${node}: ${sentence}`
      ),
    };
  }

  async #healthyLab(): Promise<Lab> {
    if (this.#lab !== null && await this.#lab.waitWhole(healMs)) return this.#lab;
    await this.close();
    this.#ledger = new Ledger();
    const { mysqld, timing, say, program } = this.#options;
    this.#lab = new Lab({
      mysqld,
      cacheFolder: `${root}.cache/templates`,
      program: program === undefined
        ? [Deno.execPath(), "run", "--quiet", "-A", `${root}main.ts`]
        : [Deno.realPathSync(program)],
      timing,
      say: (sentence) => say(`   ${sentence}`),
    });
    await this.#lab.open();
    if (await this.#lab.waitWhole(healMs)) return this.#lab;
    throw new Error("Cannot begin as the new cluster is not whole");
  }

  /** This cluster is not used again. */
  async #giveUp(name: string): Promise<void> {
    const lab = this.#lab;
    if (lab === null) return;
    if (this.#options.keepLogsOfTrouble) {
      for (const node of lab.nodes) {
        const copy = `trouble-${name}-${Date.now()}-${node.id.split(":").at(-1)}.log`;
        await Deno.copyFile(node.logPath, copy).catch(() => {});
      }
    }
    await this.close();
  }
}

const nothing: Omit<RunResult, "fault" | "failed"> = {
  outageMs: NaN,
  calmMs: NaN,
  lost: 0,
  acknowledged: 0,
  unknown: 0,
  before: "",
  after: "",
  rejoined: "",
  flagsMs: 0,
  acknowledgedMs: 0,
  phases: [],
  during: [],
};

type Watched = Pick<
  RunResult,
  "fault" | "outageMs" | "calmMs" | "flagsMs" | "acknowledgedMs" | "phases" | "during"
>;

function placeOf({ mysql }: LabNode): Place {
  const [host = "", port = ""] = mysql.split(":");
  return () => ({ host, port: Number(port) });
}

async function describeReturn(former: LabNode, whole: boolean): Promise<string> {
  const status = await former.status();
  if (status === null) return "the former leader does not answer";
  const complete = whole ? "3 of 3 healthy" : "NOT whole";
  return `former leader is ${status.role} (${status.sentence}), ${complete}`;
}

async function firstWriteAfter(ledger: Ledger, fromAt: number): Promise<number> {
  const found = await poll(leaderMs, () => {
    const last = ledger.acknowledged.at(-1);
    return Promise.resolve(last !== undefined && last.at > fromAt ? last.at : null);
  });
  if (found === undefined) throw new Error(`Nothing was written for ${leaderMs / 1000} s`);
  return found;
}
