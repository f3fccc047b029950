/** What the live tests of rebuilds share: a cluster under load, and the jobs of one of its nodes. */
import assert from "node:assert/strict";
import type { NodeStatus } from "../../agent/wire_status.ts";
import { decodeJobList, decodeJobPage, type JobPage } from "../../agent/wire_jobs.ts";
import { createPeers } from "../../agent/real/peers.ts";
import { readSecretFile } from "../../agent/real/secrets.ts";
import { type StepName, stepNames } from "../../backup/plan.ts";
import { type Lab, poll } from "../../cmd/demo/lab.ts";
import type { LabNode } from "../../cmd/demo/lab_node.ts";
import { Ledger } from "../../cmd/demo/ledger.ts";
import { Locator } from "../../cmd/demo/locator.ts";
import { judge } from "../../cmd/demo/verdict.ts";
import { Workload } from "../../cmd/demo/workload.ts";
import { openAgents, sentencesOf } from "./agents_lab.ts";
import { holdCopy } from "./held_copy.ts";

/** A busy machine is slow. */
const callMs = 10_000;
export const patienceMs = 90_000;

/** A whole cluster of three with two writers, and a ledger of what they were told. */
export class RebuildLab implements AsyncDisposable {
  readonly lab: Lab;
  readonly #ledger = new Ledger();
  readonly #locator: Locator;
  readonly #workload: Workload;

  private constructor(lab: Lab) {
    this.lab = lab;
    this.#locator = new Locator(lab.nodes.map(({ id }) => id));
    this.#locator.start();
    const { account } = lab;
    this.#workload = new Workload({
      locator: this.#locator,
      ledger: this.#ledger,
      account,
      writers: 2,
    });
  }

  static async open(): Promise<RebuildLab> {
    // A busy machine must not hold elections of its own.
    const lab = await openAgents(patienceMs, { timing: "guide" });
    const opened = new RebuildLab(lab);
    opened.#workload.start();
    return opened;
  }

  /** The leader, and the two others: who is rebuilt, and who stays. */
  async cast(): Promise<{ leader: LabNode; joiner: LabNode; other: LabNode }> {
    await this.whole();
    const leader = await this.lab.waitForLeader(patienceMs);
    const [joiner, other] = this.lab.nodes.filter((node) => node !== leader);
    assert.ok(leader !== null && joiner !== undefined && other !== undefined);
    return { leader, joiner, other };
  }

  /** Begins a rebuild without waiting for it; gives the number of the job. */
  async begin(node: LabNode, wish: Readonly<Record<string, unknown>> = {}): Promise<number> {
    const answer = await this.call(node, "jobs.submit", {
      kind: "rebuild",
      wish: { from: null, ...wish },
    });
    return (answer as { number: number }).number;
  }

  /** Waits until the job, or the newest one, has ended, over restarts of its agent. */
  async ended(node: LabNode, number: number | null): Promise<JobPage> {
    const page = await poll(patienceMs, async () => {
      const answer = await this.call(node, "jobs.read", { number, from: 0 }).catch(() => null);
      if (answer === null) return null;
      const read = decodeJobPage(answer);
      return read.job.state === "running" ? null : read;
    });
    assert.ok(page !== undefined, `job ${number} of ${node.id} does not end`);
    return page;
  }

  /** Waits until the running job has come to this step, or to a later one where nothing holds it there. */
  async reached(node: LabNode, step: StepName): Promise<void> {
    const awaited = stepNames.slice(stepNames.indexOf(step)) as readonly string[];
    const found = await poll(patienceMs, async () => {
      const answer = await this.call(node, "jobs.list", {}).catch(() => null);
      const [newest] = answer === null ? [] : decodeJobList(answer);
      assert.ok(newest?.state !== "failed", newest?.sentence);
      return newest !== undefined && awaited.includes(newest.step) ? newest : null;
    });
    assert.equal(found?.state, "running", `${step}: ${found?.sentence ?? "never reached"}`);
  }

  /** See `held_copy.ts`. */
  async holdCopy(node: LabNode, number: number): Promise<() => void> {
    const { dataFolder } = node.sandbox;
    return await holdCopy({ dataFolder, job: number, patienceMs });
  }

  /** Waits until the running job has said a line like this. */
  async said(node: LabNode, number: number, line: RegExp): Promise<void> {
    const found = await poll(patienceMs, async () => {
      const answer = await this.call(node, "jobs.read", { number, from: 0 }).catch(() => null);
      if (answer === null) return null;
      const { job, lines } = decodeJobPage(answer);
      assert.equal(job.state, "running", job.sentence);
      return lines.some((one) => line.test(one)) ? true : null;
    });
    assert.ok(found, `job ${number} never said ${line}`);
  }

  /**
   * Every node is well again. An election that nobody planned may have left a node INVALID, on a machine
   * that stood still for seconds; it gets a new copy as an operator would do it.
   */
  async whole(): Promise<void> {
    for (let tries = 0; tries < 3; tries++) {
      if (await this.lab.waitWhole(patienceMs / 3)) return;
      for (const node of this.lab.nodes) {
        if ((await node.status())?.role !== "INVALID") continue;
        await this.ended(node, await this.begin(node, { force: true }));
      }
    }
    assert.fail(await this.sentences());
  }

  async until(node: LabNode, holds: (status: NodeStatus) => boolean): Promise<void> {
    const found = await poll(patienceMs, async () => {
      const status = await node.status();
      return status !== null && holds(status) ? status : null;
    });
    assert.ok(found !== undefined, await this.sentences());
  }

  async verdict(): Promise<void> {
    await this.#workload.stop();
    await this.whole();
    const { lost, ghosts, behind } = await judge(this.lab, this.#ledger);
    assert.deepEqual({ lost, ghosts, behind }, { lost: 0, ghosts: 0, behind: [] });
  }

  /** Calls the agent of a node; rejects with its refusal. */
  async call(node: LabNode, method: string, params: unknown): Promise<unknown> {
    const secret = await readSecretFile(`${this.lab.folder}/secret`, "rpc.secret-file");
    const peers = createPeers({ self: null, secret });
    try {
      const answer = await peers.call(node.id, { method, params }, { deadlineMs: callMs });
      if ("ok" in answer) return answer.ok;
      throw new Error(answer.failed.because);
    } finally {
      peers.close();
    }
  }

  sentences(): Promise<string> {
    return sentencesOf(this.lab);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#workload.stop();
    await this.#locator[Symbol.asyncDispose]();
    await this.lab.close();
  }
}

/** Names in a node's data folder that a job left there. */
export function leftovers(node: LabNode): readonly string[] {
  return [...Deno.readDirSync(node.sandbox.dataFolder)].map(({ name }) => name)
    .filter((name) => name.startsWith(".xenon-"));
}

/** The identity of a server: another one after a rebuild. */
export async function uuidOf(node: LabNode): Promise<string> {
  return (await node.status())?.mysql.serverUuid ?? "";
}
