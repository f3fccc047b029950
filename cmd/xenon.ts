/** Runs `xenon xenon ping` and `xenon ping`. */
import { type Outcome, success } from "./exit.ts";
import { refusedBy, silentAgent } from "./gather.ts";
import { openCluster } from "./open.ts";
import type { Surroundings } from "./ports.ts";
import type { XenonCommand } from "./tree/xenon.ts";

const usualPingMs = 1000;

/** The runner of the group: prints nothing when the agent of this host answers. */
export async function runXenon({ common }: XenonCommand, around: Surroundings): Promise<Outcome> {
  const cluster = await openCluster(common, around);
  const deadlineMs = common.timeoutMs ?? usualPingMs;
  const answer = await cluster.call(cluster.local, { method: "node.ping", params: {}, deadlineMs });
  if (answer.kind === "refused") throw refusedBy(cluster.local, answer.because);
  if (answer.kind === "silent") throw silentAgent(cluster.local, answer, 0);
  return success("");
}
