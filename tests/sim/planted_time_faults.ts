/** Faults aimed at the rules about time: late answers, leases, the virtual address. */
import type { Dice } from "./dice.ts";
import type { Fault } from "./faults.ts";
import { fault, passing, silenced } from "./planted_faults.ts";

const three = [0, 1, 2];

/**
 * One leader after the other is not heard any more, and half of the answers come too late, many of them
 * when the node that asked is in a later term.
 */
export function lateVotes(dice: Dice): readonly Fault[] {
  const late = three.map((node) => fault("lateAnswers", { at: 1000, node, forMs: 9000 }));
  const silences = [0, 1, 2, 3, 4, 5, 6].flatMap((second) =>
    silenced(three, { at: 2500 + second * 1000 + dice.between(0, 2500), forMs: 1500 })
  );
  return [...late, ...silences];
}

/** Leaders' agents die and are not missed for long: others see their doors closed and elect at once. */
export function deadAgents(dice: Dice): readonly Fault[] {
  return [2500, 4500, 6500, 8500].map((at) =>
    fault("agentCrash", { at: at + dice.between(0, 500), node: "leader", forMs: 1500 })
  );
}

/** A leader is cut off, and its agent dies before its lease is over. */
export function deadInTheDark(dice: Dice): readonly Fault[] {
  return [2500, 7500].flatMap((at) => [
    fault("isolate", { at, node: "leader", forMs: 4000 }),
    fault("agentCrash", { at: at + dice.between(200, 900), node: "leader", forMs: 4500 }),
  ]);
}

/** The leader's agent and its command about the address are frozen together. */
export function frozenCommand(dice: Dice): readonly Fault[] {
  const when = { on: "address", at: 3000, count: 1 + dice.below(3) } as const;
  return [passing("agentPause", when, dice.between(1500, 4000))];
}

/**
 * One agent has not heard its leader for long. The other one hears it until its restart: then it
 * remembers no leader, and votes.
 */
export function restartedVoter(dice: Dice): readonly Fault[] {
  const [deaf, restarted] = dice.pick([[0, 1], [1, 2], [2, 0], [1, 0], [2, 1], [0, 2]] as const);
  const at = dice.between(4000, 6000);
  return [
    fault("isolateAgent", { at: 2500, node: deaf, forMs: at - 2500 }),
    ...silenced(three, { at, forMs: 2500 }),
    fault("agentCrash", { at: at + dice.between(0, 50), node: restarted, forMs: 15 }),
  ];
}
