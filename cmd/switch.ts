/** The durable switches of this host's agent, as `mysql stopmonitor` or `raft disablepurgebinlog` turn them. */
import { tellAgent } from "./ask.ts";
import type { Outcome } from "./exit.ts";
import type { Cluster } from "./ports.ts";

export interface SwitchWish {
  readonly name: "monitor" | "purgeBinlog" | "checkSemiSync";
  readonly on: boolean;
  readonly deadlineMs: number;
}

/** Turns a switch and says what that means. */
export async function turnSwitch(cluster: Cluster, wish: SwitchWish): Promise<Outcome> {
  const { name, on, deadlineMs } = wish;
  return await tellAgent(cluster, {
    method: "node.switch",
    params: { name, on },
    deadlineMs,
    what: "turn this switch",
    next: "run it on the node whose server it is about",
  });
}
