/** Runs faults one after the other, each on a healthy cluster of the size that it wants. */
import { Ledger } from "../../cmd/demo/ledger.ts";
import { whyNoBreaking } from "../live/hosts_disk.ts";
import { HostsLab } from "../live/hosts_lab.ts";
import { act, type Stage } from "./act.ts";
import { countLost } from "./count.ts";
import type { Fault } from "./fault.ts";
import { fakeClockLibrary } from "./faults_time.ts";
import type { Outcome } from "./outcome.ts";

const wholeMs = 60_000;

export type ProofOptions = Pick<Stage, "awayMs" | "writeEveryMs">;

/** Keeps one cluster from fault to fault as long as it heals; else it makes a new one. */
export class Proof implements AsyncDisposable {
  readonly #options: ProofOptions;
  #stage: Stage | null = null;

  constructor(options: ProofOptions) {
    this.#options = options;
  }

  /** A fault that cannot be brought to its end is an outcome with trouble, and costs the cluster. */
  async run(fault: Fault): Promise<Outcome> {
    try {
      const stage = await this.#healthy(fault.hosts);
      const outcome = await act(stage, fault);
      if (outcome.lost > 0) await this.#giveUp();
      return outcome;
    } catch (error) {
      const trouble = error instanceof Error ? error.message : String(error);
      const said = this.#stage?.lab.nodes.map((node) => node.lastWords()) ?? [];
      await this.#giveUp();
      return { ...nothingSeen, fault: fault.name, awayMs: this.#options.awayMs, trouble, said };
    }
  }

  /** Every write that was ever acknowledged is looked for once more at the end of a cluster. */
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

  /** The next fault gets a new cluster. */
  renew(): Promise<void> {
    return this.#giveUp();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#giveUp();
  }

  async #healthy(hosts: number): Promise<Stage> {
    if (this.#stage?.lab.nodes.length === hosts) return this.#stage;
    await this.close();
    const lab = await HostsLab.open(hosts);
    this.#stage = { lab, ledger: new Ledger(), ...this.#options };
    if (await lab.whole(wholeMs)) return this.#stage;
    throw new Error(`Cannot begin as the new cluster is not whole: ${await lab.sentences()}`);
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
