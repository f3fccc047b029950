/**
 * Planted bugs: each is a small mutation of the core, of its settings, or of what agents do to their
 * servers. A simulator that finds none of them has shown nothing.
 */
import type { Effect } from "../../raft/effect.ts";
import type { Event } from "../../raft/event.ts";
import type { Position } from "../../raft/types.ts";
import type { CheckerName } from "./checkers.ts";
import type { Flaws } from "./flaws.ts";
import {
  onEffect,
  onMessage,
  withDisk,
  withEffects,
  withEvents,
  withPositions,
} from "./planted_core.ts";
import {
  busyHandover,
  forgottenReceipt,
  restartAfterFreeze,
  restartInPromotion,
  slowFreeze,
  slowPromotion,
} from "./planted_faults.ts";
import type { RunOptions } from "./world.ts";

export interface PlantedBug {
  /** What the mutated program does wrong, as a sentence. */
  readonly name: string;
  readonly plant: RunOptions;
  /** The checkers that may find it. */
  readonly foundBy: readonly CheckerName[];
  /** It must be found within so many seeds. */
  readonly seedsMax: number;
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: "words go out before the record is on disk",
    plant: {
      core: withEffects((effects) => [...effects.filter(isWord), ...effects.filter(isDeed)]),
    },
    foundBy: ["recordBeforeWord"],
    seedsMax: 5,
  },
  {
    name: "a restart forgets the vote",
    plant: { core: withDisk((durable) => ({ ...durable, votedFor: null })) },
    foundBy: ["durableNeverGoesBack", "oneVoteATerm", "oneLeaderATerm"],
    seedsMax: 1500,
  },
  {
    name: "a restart forgets the promise",
    plant: { core: withDisk((durable) => ({ ...durable, promised: "" as Position })) },
    foundBy: ["durableNeverGoesBack"],
    seedsMax: 300,
  },
  {
    name: "every position contains every other",
    plant: { configure: withPositions({ contains: () => true }) },
    foundBy: ["acknowledgedIsKept"],
    seedsMax: 600,
  },
  {
    name: "term markers are not looked at",
    plant: { configure: withPositions({ markerTerm: () => 0 }) },
    foundBy: ["liveness", "acknowledgedIsKept"],
    seedsMax: 1000,
  },
  {
    name: "a refusal counts as a vote",
    plant: {
      core: onMessage("voteReply", (reply) => ({ ...reply, granted: "yes", refused: null })),
    },
    foundBy: ["acknowledgedIsKept", "oneLeaderATerm", "oneAcknowledger", "invariant"],
    seedsMax: 300,
  },
  {
    name: "a conditional vote counts fully",
    plant: {
      core: onMessage(
        "voteReply",
        (reply) => reply.granted === "conditional" ? { ...reply, granted: "yes" } : reply,
      ),
      forgetful: true,
      aim: forgottenReceipt,
    },
    foundBy: ["acknowledgedIsKept"],
    seedsMax: 1000,
  },
  {
    name: "a restarted server is believed to have kept everything",
    plant: { core: withEvents(forgetNothing), forgetful: true, aim: forgottenReceipt },
    foundBy: ["acknowledgedIsKept", "liveness"],
    seedsMax: 1000,
  },
  {
    name: "commits wait for one acknowledgement less than needed",
    plant: {
      core: onEffect("promote", (effect) => {
        const { promotion } = effect;
        return { ...effect, promotion: { ...promotion, k: promotion.k - 1 } };
      }),
    },
    foundBy: ["acknowledgedIsKept", "oneAcknowledger"],
    seedsMax: 300,
  },
  flawed("bootsOpen", ["oneAcknowledger", "acknowledgedIsKept"], { seedsMax: 300 }),
  flawed("bootsReplicating", ["oneAcknowledger", "acknowledgedIsKept", "liveness"], {
    seedsMax: 1000,
    aim: restartAfterFreeze,
  }),
  flawed("freezeLeavesReceiver", ["oneAcknowledger", "acknowledgedIsKept", "liveness"], {
    seedsMax: 300,
  }),
  flawed("heldIsExecuted", ["acknowledgedIsKept", "liveness", "invariant"], { seedsMax: 300 }),
  flawed("freezeReadsFirst", ["acknowledgedIsKept", "liveness"], {
    seedsMax: 1000,
    aim: slowFreeze,
  }),
  flawed("fenceReleasesFirst", ["acknowledgedIsKept"], { seedsMax: 1000 }),
  flawed("fenceStopsCleanly", ["acknowledgedIsKept"], { seedsMax: 1000 }),
  flawed("fenceForgetsLate", ["oneAcknowledger", "acknowledgedIsKept", "liveness"], {
    seedsMax: 1000,
    aim: slowPromotion,
  }),
  flawed("fenceKeepsScope", ["oneAcknowledger", "acknowledgedIsKept", "liveness"], {
    seedsMax: 1000,
  }),
  flawed("opensWithoutSemiSync", ["acknowledgedIsKept", "oneAcknowledger"], { seedsMax: 100 }),
  flawed("opensBeforeApplied", ["acknowledgedIsKept", "liveness"], { seedsMax: 1000 }),
  flawed("closeReadsEarly", ["acknowledgedIsKept", "oneAcknowledger", "liveness"], {
    seedsMax: 1000,
    aim: busyHandover,
  }),
  flawed("neverNudges", ["liveness"], { seedsMax: 1000 }),
  flawed("reconnects", ["oneAcknowledger", "acknowledgedIsKept"], {
    seedsMax: 1000,
    aim: restartInPromotion,
  }),
];

function flawed(
  flaw: keyof Flaws,
  foundBy: readonly CheckerName[],
  found: { readonly seedsMax: number; readonly aim?: RunOptions["aim"] },
): PlantedBug {
  const { seedsMax, aim } = found;
  const flaws = { [flaw]: true };
  return { name: flaw, plant: aim ? { flaws, aim } : { flaws }, foundBy, seedsMax };
}

function isWord(effect: Effect): boolean {
  return effect.kind === "send" || effect.kind === "reply";
}

function isDeed(effect: Effect): boolean {
  return !isWord(effect);
}

function forgetNothing(event: Event): Event {
  if (event.kind !== "server") return event;
  const nothing = { startForgot: null, processRestartForgets: null, hostRestartForgets: null };
  return { ...event, view: { ...event.view, ...nothing } };
}
