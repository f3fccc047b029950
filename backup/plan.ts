/**
 * A rebuild as named steps: what each does, whether this one needs it, whether it takes something away,
 * and how it is undone. Pure; the runner is `rebuild.ts`. The numbers are those of the original.
 */
import type { CopyMethodName } from "./copy_method.ts";
import type { Phase } from "./memo.ts";

export const stepNames = [
  "S1",
  "S2",
  "S3",
  "S4",
  "S5",
  "S6",
  "S7",
  "S8",
  "S9",
  "S10",
  "S11",
  "S12",
  "S13",
  "S14",
  "S15",
  "S16",
  "S17",
  "S18",
  "end",
] as const;

export type StepName = typeof stepNames[number];

export interface Step {
  readonly name: StepName;
  readonly does: string;
  /** Why this rebuild can do without it; null when it cannot. */
  readonly notNeeded: string | null;
  /** Takes away what cannot be had back. Only the last step does, when the new server is verified. */
  readonly destructive: boolean;
  /** What a cancel or a failure does about it; null where nothing is left to undo, or nothing can. */
  readonly undo: string | null;
}

export interface PlanFacts {
  readonly method: CopyMethodName;
  readonly donor: string;
  /** The server runs now. */
  readonly runs: boolean;
  /** Folders whose content is moved aside, and the name it gets there; none on an empty host. */
  readonly oldData: readonly string[];
  readonly aside: string;
  /** The method has a second half, such as applying a log. */
  readonly prepares: boolean;
  /** In a cluster, so that a leader will be followed. */
  readonly member: boolean;
  readonly keepOld: boolean;
}

/** All steps in order; those that a rebuild can do without say why. */
export function rebuildPlan(facts: PlanFacts): readonly Step[] {
  const { donor, method } = facts;
  const stopped = facts.runs ? null : "the server does not run";
  const empty = facts.oldData.length === 0 ? "there is no old data" : null;
  const alone = facts.member ? null : "this node is in no cluster yet";
  const asides = facts.oldData.map((folder) => `${folder}/${facts.aside}`).join(", ");
  return [
    step("S1", "find the leader"),
    step("S2", `choose the donor: ${donor}`),
    step("S3", "check everything that could speak against it"),
    step("S4", "make this node a learner", { undo: "make it a voter again" }),
    step("S5", "switch the monitor off", { undo: "switch it on" }),
    step("S6", "stop the server", { notNeeded: stopped, undo: "start the server" }),
    step("S7", "check the donor again, and let it catch up"),
    step("S8", `move the old data aside to ${asides}`, { notNeeded: empty, undo: "move it back" }),
    step("S9", `copy ${donor} by ${method}`, { undo: "remove the copy" }),
    step("S10", "prepare the copy and put it in place", { undo: "take it out again" }),
    step("S11", "start the server", { undo: "stop it" }),
    step("S12", "wait until the server runs"),
    step("S13", "wait until the server answers with all that the leader had"),
    step("S14", "forget whom the donor replicated from"),
    step("S15", "set the purged transactions", {
      notNeeded: facts.prepares ? null : "the copy knows them itself",
    }),
    step("S16", "give the server back to the agent"),
    step("S17", "wait until it replicates from the leader", { notNeeded: alone }),
    step("S18", "wait until it is in step with the leader", { notNeeded: alone }),
    step("end", facts.keepOld ? "keep the old data" : "remove the old data", {
      notNeeded: empty,
      destructive: !facts.keepOld,
    }),
  ];
}

function step(name: StepName, does: string, more: Partial<Step> = {}): Step {
  return { name, does, notNeeded: null, destructive: false, undo: null, ...more };
}

/** What the next agent does with a rebuild that was under way when its agent ended. */
export function afterRestart(phase: Phase): "nothing" | "rollBack" | "goOn" {
  switch (phase) {
    case "checking":
      return "nothing";
    // A copy cannot be taken up in its middle; the old data is whole, so it serves again at once.
    case "stopping":
    case "movingAside":
    case "copying":
    // Files of the new data may be missing already.
    case "undoing":
      return "rollBack";
    case "placing":
    case "starting":
    case "following":
      return "goOn";
  }
}

/** What a cancel or a failure may do. */
export function wayBack(phase: Phase): "nothing" | "rollBack" | "none" {
  if (phase === "checking") return "nothing";
  return phase === "following" ? "none" : "rollBack";
}
