/**
 * Faults of one run, drawn before it begins, so that a failing run can be shrunk fault by fault.
 * Each seed draws its own mix: some runs are calm, some are cruel. Aimed ones wait for a moment.
 */
import type { HookPoint } from "./surroundings.ts";
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
  | "lateAnswers"
  /** Somebody sets sync_relay_log at runtime, which no option file says. */
  | "looseRelayLog"
  /** Only aimed: docs/simulator.md says why. */
  | "localCommit"
  | "takeover"
  | "leave"
  | "disable"
  | "enable"
  | "add"
  | "addIdle"
  | "remove";

export interface Fault {
  readonly kind: FaultKind;
  /** A moment in milliseconds, or the n-th time after it that a node passes a point of interest. */
  readonly when: {
    readonly at: number;
    readonly on: HookPoint | null;
    readonly count: number;
    /** How long after the moment it strikes; at once when left out. */
    readonly afterMs?: number;
  };
  /** The node that is hit: a fixed one, the present leader, or the one that passes the point. */
  readonly node: number | "leader" | "passing";
  /** The other end of a cut. */
  readonly other: number;
  readonly forMs: number;
}

export interface FaultWorld {
  readonly nodes: number;
  readonly witness: number | null;
  /** Operators add, remove and switch nodes. */
  readonly changes: boolean;
  /** No fault begins later. */
  readonly untilMs: number;
}

/** What operators do to members; drawn only where they are about to. */
const operations: readonly FaultKind[] = ["disable", "enable", "add", "addIdle", "remove"];

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
  "frozen",
  "promoteStep",
  "fenceStep",
  "freezeStep",
  "closeStep",
  "waiting",
];

const countMax = 5;
const faultsMax = 30;
const operationsMax = 8;
const laterPart = 0.2;
const loosePart = 0.1;

/** Draws the plan of one run. */
export function drawFaults(dice: Dice, world: FaultWorld): readonly Fault[] {
  const mix = kinds.filter(() => dice.chance(0.35));
  const done = operations.filter(() => dice.chance(0.7));
  if (mix.length === 0) return [];
  const aim = dice.pick([0, 0.3, 0.6]);
  // Faults come in bursts, so that one strikes into the consequences of another.
  const bursts = Array.from(
    { length: 1 + dice.below(6) },
    () => dice.between(0, world.untilMs - 2000),
  );
  const count = 1 + dice.below(dice.pick([3, 8, 16, faultsMax]));
  const drawn = Array.from({ length: count }, () => drawFault(dice, world, { mix, aim, bursts }));
  const wishes = world.changes && done.length > 0
    ? Array.from(
      { length: 2 + dice.below(operationsMax) },
      () => drawFault(dice, world, { mix: done, aim: aim / 2, bursts }),
    )
    : [];
  const recipe = dice.chance(0.4) ? drawRecipe(dice, dice.pick(bursts)) : [];
  return [...drawn, ...wishes, ...recipe];
}

/**
 * Faults of parts that were added later, drawn from a source of their own: the runs that do not meet
 * them stay as they were.
 */
export function drawLateAnswers(dice: Dice, world: FaultWorld): readonly Fault[] {
  if (!dice.chance(laterPart)) return [];
  return Array.from({ length: 1 + dice.below(3) }, (): Fault => ({
    kind: "lateAnswers",
    when: { at: dice.between(300, world.untilMs - 1000), on: null, count: 1 },
    node: drawNode(dice, world, false),
    other: 0,
    forMs: dice.between(500, 4000),
  }));
}

/** Only where a cluster need not do without some of its hosts in the end: see `drawShape`. */
export function drawLooseness(dice: Dice, world: FaultWorld): readonly Fault[] {
  if (!dice.chance(loosePart)) return [];
  return Array.from({ length: 1 + dice.below(world.nodes) }, (): Fault => ({
    kind: "looseRelayLog",
    when: { at: dice.between(300, world.untilMs - 1000), on: null, count: 1 },
    node: drawNode(dice, world, false),
    other: 0,
    forMs: dice.between(500, world.untilMs),
  }));
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
  const when = {
    at: 300 + dice.pick(taste.bursts) + dice.between(0, 1500),
    on: aimed ? dice.pick(points) : null,
    count: 1 + dice.below(countMax),
  };
  const node = drawNode(dice, world, aimed);
  return { kind, when, node, other: dice.below(world.nodes), forMs: duration(dice, kind) };
}

/**
 * Faults that belong together: the leader's agent goes silent while its server runs on, and whoever
 * passes a point of interest of the election that follows is hit twice at the same moment.
 */
function drawRecipe(dice: Dice, at: number): readonly Fault[] {
  const silence = dice.pick(["agentCrash", "isolateAgent", "agentPause", "isolate"] as const);
  const pair = dice.pick<readonly FaultKind[]>([
    ["agentPause", "serverCrash"],
    ["slowStatements", "isolate"],
    ["slowStatements", "agentPause"],
    ["slowDisk", "serverCrash"],
    ["serverHang", "isolateAgent"],
    ["slowApplier", "serverCrash"],
    ["bothCrash"],
    ["powerLoss"],
  ]);
  const when = { at, on: dice.pick(points), count: 1 + dice.below(countMax) };
  const first = { at, on: null, count: 1 };
  return [
    { kind: silence, when: first, node: "leader", other: 0, forMs: dice.between(1500, 5000) },
    ...pair.map((kind): Fault => {
      const brief = kind === "serverCrash" || kind === "bothCrash";
      const forMs = brief ? dice.between(10, 200) : dice.between(300, 2500);
      return { kind, when, node: "passing", other: 0, forMs };
    }),
  ];
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
  const moment = `${Math.round(fault.when.at)} ms`;
  const when = fault.when.on === null
    ? `at ${moment}`
    : `on the ${fault.when.count}. ${fault.when.on} after ${moment}`;
  const other = fault.kind === "cutOneWay" ? ` towards ${nameOf(fault.other)}` : "";
  return `${when}: ${fault.kind} of ${node}${other} for ${Math.round(fault.forMs)} ms`;
}
