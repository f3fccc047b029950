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

function fault(
  kind: FaultKind,
  where: { readonly at: number; readonly node: Fault["node"]; readonly forMs: number },
): Fault {
  const { at, node, forMs } = where;
  return { kind, when: { at, on: null, count: 1 }, node, other: 0, forMs };
}

function passing(kind: FaultKind, when: Fault["when"], forMs: number): Fault {
  return { kind, when, node: "passing", other: 0, forMs };
}
