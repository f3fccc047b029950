/**
 * Planted bugs: each is a small mutation of the core, of its settings, or of what agents do to their
 * servers. A simulator that finds none of them has shown nothing.
 */
import type { Effect } from "../../raft/effect.ts";
import type { Event } from "../../raft/event.ts";
import type { State } from "../../raft/state.ts";
import type { Config, Position } from "../../raft/types.ts";
import type { CheckerName } from "./checkers.ts";
import { type Core, realCore } from "./core.ts";
import type { Flaws } from "./flaws.ts";
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
    plant: { core: withEvents(grantEverything) },
    foundBy: ["acknowledgedIsKept", "oneLeaderATerm", "oneAcknowledger", "invariant"],
    seedsMax: 300,
  },
  {
    name: "a conditional vote counts fully",
    plant: { core: withEvents(trustConditional), forgetful: true, aim: forgottenReceipt },
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
    plant: { core: withEffects((effects) => effects.map(lowerK)) },
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

type Disk = Parameters<Core["start"]>[1];

function withDisk(change: (disk: Disk) => Disk): Core {
  return { ...realCore, start: (config, disk, from) => realCore.start(config, change(disk), from) };
}

function withEvents(change: (event: Event, state: State) => Event): Core {
  return {
    ...realCore,
    step: (config, state, event) => realCore.step(config, state, change(event, state)),
  };
}

function withEffects(change: (effects: readonly Effect[]) => readonly Effect[]): Core {
  return {
    ...realCore,
    step(config, state, event) {
      const [next, effects] = realCore.step(config, state, event);
      return [next, change(effects)];
    },
  };
}

function withPositions(change: Partial<Config["positions"]>): (config: Config) => Config {
  return (config) => ({ ...config, positions: { ...config.positions, ...change } });
}

function isWord(effect: Effect): boolean {
  return effect.kind === "send" || effect.kind === "reply";
}

function isDeed(effect: Effect): boolean {
  return !isWord(effect);
}

function lowerK(effect: Effect): Effect {
  if (effect.kind !== "promote") return effect;
  return { ...effect, promotion: { ...effect.promotion, k: effect.promotion.k - 1 } };
}

function forgetNothing(event: Event): Event {
  if (event.kind !== "server") return event;
  const view = { ...event.view, processRestartForgets: null, hostRestartForgets: null };
  return { ...event, view };
}

function grantEverything(event: Event): Event {
  if (event.kind !== "received" || event.envelope.message.kind !== "voteReply") return event;
  const message = { ...event.envelope.message, granted: "yes", refused: null } as const;
  return { ...event, envelope: { ...event.envelope, message } };
}

function trustConditional(event: Event): Event {
  if (event.kind !== "received" || event.envelope.message.kind !== "voteReply") return event;
  if (event.envelope.message.granted !== "conditional") return event;
  return grantEverything(event);
}
