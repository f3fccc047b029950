/** Faults aimed at one kind of bug, for planted ones that a general mix meets only rarely. */
import type { Dice } from "./dice.ts";
import type { Fault, FaultKind } from "./faults.ts";

/** The only acknowledger forgets what it received, and the leader's host is gone. */
export function forgottenReceipt(dice: Dice): readonly Fault[] {
  const at = dice.between(3000, 6000);
  const [one, two] = dice.pick([[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]] as const);
  return [
    fault("slowApplier", { at, node: one, forMs: 3000 }),
    fault("isolate", { at, node: two, forMs: dice.between(300, 900) }),
    fault("powerLoss", { at: at + 250, node: "leader", forMs: 5000 }),
    fault("serverCrash", { at: at + dice.between(250, 900), node: one, forMs: 20 }),
  ];
}

/** The same by a loss of power, in servers whose relay log somebody set loose at runtime. */
export function looseReceipt(dice: Dice): readonly Fault[] {
  const at = dice.between(3000, 6000);
  const [one, two] = dice.pick([[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]] as const);
  return [
    ...[0, 1, 2].map((node) => fault("looseRelayLog", { at: 2000, node, forMs: 20_000 })),
    fault("slowApplier", { at, node: one, forMs: 3000 }),
    fault("isolate", { at, node: two, forMs: dice.between(300, 900) }),
    fault("powerLoss", { at: at + 250, node: "leader", forMs: 5000 }),
    fault("powerLoss", { at: at + dice.between(250, 900), node: one, forMs: 20 }),
  ];
}

/** The agent is frozen in the middle of a promotion while its server restarts. */
export function restartInPromotion(dice: Dice): readonly Fault[] {
  const when = { on: "promoteStep", count: 1 + dice.below(5), at: 3000 } as const;
  return [
    fault("bothCrash", { at: 3000, node: "leader", forMs: 200 }),
    passing("agentPause", when, dice.between(2000, 5000)),
    // A little later, so that the statement that was under way has come back.
    passing("serverCrash", { ...when, afterMs: 10 }, dice.between(10, 200)),
  ];
}

/** A promotion's statements are slow, and the leadership is lost in the middle of it. */
export function slowPromotion(dice: Dice): readonly Fault[] {
  const when = { on: "promoteStep", count: 1 + dice.below(4), at: 3000 } as const;
  return [
    fault("bothCrash", { at: 3000, node: "leader", forMs: 200 }),
    passing("slowStatements", when, 3000),
    passing("isolate", when, dice.between(1500, 4000)),
  ];
}

/** Only the leader's agent is dead; a voter restarts between its freeze and what follows from it. */
export function restartAfterFreeze(dice: Dice): readonly Fault[] {
  // The first to be frozen is the candidate itself.
  const when = { on: "frozen", at: 3000, count: 2 + dice.below(2) } as const;
  return [
    fault("agentCrash", { at: 3000, node: "leader", forMs: 5000 }),
    passing("slowDisk", when, 1500),
    passing("serverCrash", when, 5),
  ];
}

/** Hand-overs while acknowledgements take long. */
export function busyHandover(dice: Dice): readonly Fault[] {
  const takeovers = [3500, 5000, 6500, 8000].map((at) =>
    fault("takeover", { at, node: dice.below(7), forMs: 0 })
  );
  return [fault("slowNetwork", { at: 3000, node: 0, forMs: 6000 }), ...takeovers];
}

/** Only the leader's agent is dead, and the voters' statements are slow. */
export function slowFreeze(dice: Dice): readonly Fault[] {
  const at = dice.between(3000, 5000);
  return [
    fault("agentCrash", { at, node: "leader", forMs: 5000 }),
    ...[0, 1, 2, 3, 4, 5, 6].map((node) =>
      fault("slowStatements", { at: at + 100, node, forMs: dice.between(1000, 3000) })
    ),
  ];
}

/** A fault at a moment. */
export function fault(
  kind: FaultKind,
  where: { readonly at: number; readonly node: Fault["node"]; readonly forMs: number },
): Fault {
  const { at, node, forMs } = where;
  return { kind, when: { at, on: null, count: 1 }, node, other: 0, forMs };
}

/** A fault of whoever passes a point of interest. */
export function passing(kind: FaultKind, when: Fault["when"], forMs: number): Fault {
  return { kind, when, node: "passing", other: 0, forMs };
}

/** The leader reaches only nodes without a vote for a moment, and then its host is gone. */
export function idleOnly(dice: Dice): readonly Fault[] {
  return silencedLeader([0, 1, 2], dice.between(3000, 6000));
}

/** The agent of a voter that is removed is dead, and its server goes on acknowledging. */
export function deadRemoval(dice: Dice): readonly Fault[] {
  const node = dice.below(4);
  const others = [0, 1, 2, 3].filter((other) => other !== node);
  return [
    fault("agentCrash", { at: 2500, node, forMs: 9000 }),
    fault("remove", { at: 2700, node, forMs: 0 }),
    ...silencedLeader(others, dice.between(3500, 6000)),
  ];
}

/** The leader's words and data do not reach these any more; then it loses its power. */
function silencedLeader(nodes: readonly number[], at: number): readonly Fault[] {
  return [
    ...silenced(nodes, { at, forMs: 900 }),
    fault("powerLoss", { at: at + 300, node: "leader", forMs: 5000 }),
  ];
}

/** What the leader of that moment says and sends does not reach these nodes. */
export function silenced(
  nodes: readonly number[],
  when: { readonly at: number; readonly forMs: number },
): readonly Fault[] {
  return nodes.map((other): Fault => ({
    ...fault("cutOneWay", { ...when, node: "leader" }),
    other,
  }));
}

/** A node is switched off, its agent restarts, and an election needs its vote. */
export function disabledElection(dice: Dice): readonly Fault[] {
  const node = dice.below(3);
  return [
    fault("disable", { at: 2500, node, forMs: 0 }),
    fault("agentCrash", { at: 4500, node, forMs: 100 }),
    fault("agentCrash", { at: 5500, node: "leader", forMs: 3000 }),
  ];
}

/** A third voter joins while the leader's statements are slow; the leader is gone soon after. */
export function slowGrowth(dice: Dice): readonly Fault[] {
  const joined = [2600, 3200, 3800].map((at) => fault("add", { at, node: 2, forMs: 0 }));
  return [
    ...joined,
    fault("slowStatements", { at: 2500, node: "leader", forMs: 6000 }),
    fault("slowNetwork", { at: 2500, node: 0, forMs: 6000 }),
    fault("powerLoss", { at: dice.between(3000, 6000), node: "leader", forMs: 5000 }),
  ];
}

/** A fourth voter joins, and is alone with the leader from about the moment at which it hears of that. */
export function splitGrowth(dice: Dice): readonly Fault[] {
  const leader = dice.below(3);
  const rest = [0, 1, 2].filter((node) => node !== leader);
  const at = dice.between(2600, 4000);
  const apart = [leader, 3].flatMap((one) =>
    rest.flatMap((two) => [cut(one, two, at), cut(two, one, at)])
  );
  const joined = [2500, 3000, 3500].map((at) => fault("add", { at, node: 3, forMs: 0 }));
  return [...joined, fault("slowNetwork", { at: 2500, node: 0, forMs: 6000 }), ...apart];
}

/** A founder is away while two voters join; then it meets one that knows the new list, and no others. */
export function returnOfTheOldList(dice: Dice): readonly Fault[] {
  const [away, other] = dice.pick([[0, 1], [1, 2], [2, 0]] as const);
  const joined = [3, 4].flatMap((node) =>
    [2600, 3400, 4200, 5000].map((at) => fault("add", { at, node, forMs: 0 }))
  );
  const rest = [0, 1, 2, 3, 4].filter((node) => node !== away && node !== other);
  const apart = [away, other].flatMap((one) =>
    rest.flatMap((two) => [cut(one, two, 7000), cut(two, one, 7000)])
  );
  return [fault("powerLoss", { at: 2500, node: away, forMs: 5000 }), ...joined, ...apart];
}

function cut(node: number, other: number, at: number): Fault {
  return { ...fault("cutOneWay", { at, node, forMs: 4500 }), other };
}

/** The leader's server restarts at once, with nobody else hurt. */
export function restartedLeader(dice: Dice): readonly Fault[] {
  return [fault("serverCrash", { at: dice.between(9000, 11_000), node: "leader", forMs: 15 })];
}

/** Founders answer late and are frozen at times. */
export function twoFounders(dice: Dice): readonly Fault[] {
  return [
    fault("slowNetwork", { at: 0, node: 0, forMs: 6000 }),
    ...[0, 1, 2].map((node) =>
      fault("agentPause", { at: dice.between(100, 3000), node, forMs: dice.between(100, 800) })
    ),
  ];
}

/** Every host loses its power for a moment, the leader's more often. */
export function briefPowerLoss(dice: Dice): readonly Fault[] {
  const alone = [3000, 7000].map((at) =>
    fault("powerLoss", { at: at + dice.between(0, 500), node: "leader", forMs: 20 })
  );
  return [...alone, fault("powerLossAll", { at: 5000, node: 0, forMs: 300 })];
}

/** Every follower's server commits something by itself, and the leader's host is gone for long. */
export function localCommits(dice: Dice): readonly Fault[] {
  const local = [0, 1, 2].map((node) => fault("localCommit", { at: 2500, node, forMs: 0 }));
  return [
    ...local,
    fault("powerLoss", { at: dice.between(3000, 5000), node: "leader", forMs: 6000 }),
  ];
}

/** A hand-over to a node whose server committed something by itself is given up, as another one is gone. */
export function givenUpHandover(dice: Dice): readonly Fault[] {
  const node = dice.below(4);
  const other = (node + 1 + dice.below(3)) % 4;
  const at = dice.between(4000, 6000);
  return [
    fault("localCommit", { at: 2500, node, forMs: 0 }),
    fault("takeover", { at, node, forMs: 0 }),
    fault("powerLoss", { at: at + dice.between(20, 200), node: other, forMs: 35 }),
    fault("isolate", { at: 9500, node: "leader", forMs: 2000 }),
  ];
}
