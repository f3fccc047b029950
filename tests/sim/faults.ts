/**
 * Faults of one run, drawn before it begins, so that a failing run can be shrunk fault by fault.
 * Each seed draws its own mix: some runs are calm, some are cruel. Aimed ones wait for a moment.
 */
import type { HookPoint } from "./agent.ts";
import type { Dice } from "./dice.ts";
import { nameOf } from "./view.ts";

export type FaultKind =
  | "agentCrash"
  | "agentPause"
  | "serverCrash"
  | "serverHang"
  | "bothCrash"
  | "powerLoss"
  | "powerLossAll"
  | "isolate"
  | "isolateAgent"
  | "cutOneWay"
  | "slowStatements"
  | "slowDisk"
  | "slowNetwork"
  | "slowApplier"
  | "takeover"
  | "leave";

export interface Fault {
  readonly kind: FaultKind;
  /** A moment in milliseconds, or the n-th time that a node passes a point of interest. */
  readonly when: { readonly at: number } | { readonly on: HookPoint; readonly count: number };
  /** The node that is hit: a fixed one, the present leader, or the one that passes the point. */
  readonly node: number | "leader" | "passing";
  /** The other end of a cut. */
  readonly other: number;
  readonly forMs: number;
}

export interface FaultWorld {
  readonly nodes: number;
  readonly witness: number | null;
  /** No fault begins later. */
  readonly untilMs: number;
}

const kinds: readonly FaultKind[] = [
  "agentCrash",
  "agentPause",
  "serverCrash",
  "serverHang",
  "bothCrash",
  "powerLoss",
  "powerLossAll",
  "isolate",
  "isolateAgent",
  "cutOneWay",
  "slowStatements",
  "slowDisk",
  "slowNetwork",
  "slowApplier",
  "takeover",
  "leave",
];

const points: readonly HookPoint[] = [
  "persist",
  "role",
  "promoteStep",
  "fenceStep",
  "freezeStep",
  "closeStep",
  "waiting",
];

/** How often a point is passed in a run, roughly; the n-th time is drawn below it. */
const passesMax: Readonly<Record<HookPoint, number>> = {
  persist: 40,
  role: 25,
  promoteStep: 20,
  fenceStep: 15,
  freezeStep: 25,
  closeStep: 6,
  waiting: 20,
};

const faultsMax = 30;

/** Draws the plan of one run. */
export function drawFaults(dice: Dice, world: FaultWorld): readonly Fault[] {
  const mix = kinds.filter(() => dice.chance(0.35));
  if (mix.length === 0) return [];
  const aim = dice.pick([0, 0.3, 0.6]);
  // Faults come in bursts, so that one strikes into the consequences of another.
  const bursts = Array.from(
    { length: 1 + dice.below(6) },
    () => dice.between(0, world.untilMs - 2000),
  );
  const count = 1 + dice.below(dice.pick([3, 8, 16, faultsMax]));
  return Array.from({ length: count }, () => drawFault(dice, world, { mix, aim, bursts }));
}

function drawFault(
  dice: Dice,
  world: FaultWorld,
  taste: {
    readonly mix: readonly FaultKind[];
    readonly aim: number;
    readonly bursts: readonly number[];
  },
): Fault {
  const kind = dice.pick(taste.mix);
  const aimed = dice.chance(taste.aim);
  const on = dice.pick(points);
  const when = aimed
    ? { on, count: 1 + dice.below(passesMax[on]) }
    : { at: 300 + dice.pick(taste.bursts) + dice.between(0, 1500) };
  const node = drawNode(dice, world, aimed);
  return { kind, when, node, other: dice.below(world.nodes), forMs: duration(dice, kind) };
}

function drawNode(dice: Dice, world: FaultWorld, aimed: boolean): Fault["node"] {
  if (aimed && dice.chance(0.6)) return "passing";
  return dice.chance(0.4) ? "leader" : dice.below(world.nodes);
}

function duration(dice: Dice, kind: FaultKind): number {
  if (
    kind === "slowDisk" || kind === "slowStatements" || kind === "slowNetwork" ||
    kind === "slowApplier"
  ) {
    return dice.between(500, 4000);
  }
  return dice.pick([
    dice.between(10, 60),
    dice.between(20, 300),
    dice.between(300, 2500),
    dice.between(1500, 5000),
  ]);
}

/** For the story of a failing run. */
export function describeFault(fault: Fault): string {
  const node = typeof fault.node === "number" ? nameOf(fault.node) : `the ${fault.node} node`;
  const when = "at" in fault.when
    ? `at ${Math.round(fault.when.at)} ms`
    : `on the ${fault.when.count}. ${fault.when.on}`;
  const other = fault.kind === "cutOneWay" ? ` towards ${nameOf(fault.other)}` : "";
  return `${when}: ${fault.kind} of ${node}${other} for ${Math.round(fault.forMs)} ms`;
}
