/** Runs faults one after the other, each on a healthy cluster of the size that it wants. */
import { Ledger } from "../../cmd/demo/ledger.ts";
import { whyNoBreaking } from "../live/hosts_disk.ts";
import { HostsLab } from "../live/hosts_lab.ts";
import { act, type Stage } from "./act.ts";
import { countLost, countLostBy } from "./count.ts";
import type { Fault } from "./fault.ts";
import { fakeClockLibrary } from "./faults_time.ts";
import type { Outcome } from "./outcome.ts";
import { messageOf } from "../../mysql/message_of.ts";

const wholeMs = 60_000;
const leaderMs = 10_000;

export type ProofOptions = Pick<Stage, "awayMs" | "writeEveryMs">;

/** Keeps one cluster from fault to fault as long as it heals; else it makes a new one. */
export class Proof implements AsyncDisposable {
  readonly #options: ProofOptions;
  #stage: Stage | null = null;

  constructor(options: ProofOptions) {
    this.#options = options;
  }

  /**
   * A fault that cannot be brought to its end is an outcome with trouble, and costs the cluster. Rejects
   * when the cluster of the faults before, which is of another size, lost anything.
   */
  async run(fault: Fault): Promise<Outcome> {
    if (this.#stage?.lab.nodes.length !== fault.hosts) await this.close();
    try {
      const stage = this.#stage ?? await this.#open(fault.hosts);
      const outcome = await act(stage, fault);
      if (outcome.lost > 0) await this.#giveUp();
      return outcome;
    } catch (error) {
      const trouble = messageOf(error);
      const said = this.#stage?.lab.nodes.map((node) => node.lastWords()) ?? [];
      const lost = await this.#lostByLeader();
      await this.#giveUp();
      const { awayMs } = this.#options;
      return { ...nothingSeen, fault: fault.name, awayMs, lost, trouble, said };
    }
  }

  /**
   * Every write that was ever acknowledged is looked for once more at the end of a cluster; rejects when
   * one is absent. The next fault gets a new cluster.
   */
  async close(): Promise<void> {
    const stage = this.#stage;
    if (stage === null) return;
    try {
      const { lost, where } = await countLost(stage.lab, stage.ledger, 0);
      if (lost > 0) throw new Error(`${lost} acknowledged writes are lost in the end: ${where}`);
    } finally {
      await this.#giveUp();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#giveUp();
  }

  async #open(hosts: number): Promise<Stage> {
    const lab = await HostsLab.open(hosts);
    this.#stage = { lab, ledger: new Ledger(), ...this.#options };
    if (await lab.whole(wholeMs)) return this.#stage;
    throw new Error(`Cannot begin as the new cluster is not whole: ${await lab.sentences()}`);
  }

  /** What the leader of a cluster in trouble lacks; NaN where there is none, or it does not say. */
  async #lostByLeader(): Promise<number> {
    const stage = this.#stage;
    if (stage === null || stage.ledger.acknowledged.length === 0) return 0;
    try {
      return await countLostBy(await stage.lab.leader(leaderMs), stage.ledger);
    } catch {
      return NaN;
    }
  }

  async #giveUp(): Promise<void> {
    const stage = this.#stage;
    this.#stage = null;
    await stage?.lab[Symbol.asyncDispose]();
  }
}

/** Why this fault cannot be made on this machine; null when it can. */
export async function whyLeftOut({ needs }: Fault): Promise<string | null> {
  if (needs === "disk") return await whyNoBreaking();
  const faking = needs !== "clock" || fakeClockLibrary() !== null;
  return faking ? null : "run: apt-get install faketime";
}

const nothingSeen: Omit<Outcome, "fault" | "awayMs" | "trouble"> = {
  outageMs: NaN,
  acknowledged: 0,
  failed: 0,
  unknown: 0,
  lost: 0,
  ghosts: 0,
  twoAcknowledgingMs: 0,
  twoOpenMs: 0,
  twoHoldersMs: 0,
  leader: "same",
  terms: 0,
  timeouts: 0,
  invalid: [],
  revived: 0,
  said: [],
};
