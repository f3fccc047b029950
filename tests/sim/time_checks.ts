/** The promises about time: one holder of the virtual address, and leaders that give up before others lead. */
import type { HostAddress } from "./address.ts";
import type { SimAgent } from "./agent.ts";
import { Violation } from "./checkers.ts";
import type { Clock } from "./clock.ts";
import { nameOf } from "./view.ts";

/** A frozen agent that goes on gets so long to look at its lease and at its commands. */
const wakeMs = 30;
/** Rounding of times and of timers. */
const toleranceMs = 1;

export class TimeChecks {
  readonly #clock: Clock;
  readonly #agents: readonly SimAgent[];
  readonly #addresses: readonly HostAddress[];

  constructor(
    clock: Clock,
    world: { readonly agents: readonly SimAgent[]; readonly addresses: readonly HostAddress[] },
  ) {
    this.#clock = clock;
    this.#agents = world.agents;
    this.#addresses = world.addresses;
    for (const host of world.addresses) host.onLanded = (landed) => this.#oneHolder(landed);
  }

  /**
   * A host has got the address, or for longer. Another one may have it only for as long as the word was
   * old that it was renewed on, or where a freeze held a command up.
   */
  #oneHolder(host: HostAddress): void {
    for (const other of this.#addresses) {
      if (other === host || !other.present || host.excuse.late || other.excuse.late) continue;
      if (other.leftMs <= other.excuse.ms + toleranceMs) continue;
      throw new Violation(
        "oneAddress",
        `${nameOf(host.index)} has the address, and ${nameOf(other.index)} has it for another ` +
          `${Math.round(other.leftMs)} ms, renewed on a word ${Math.round(other.excuse.ms)} ms old`,
      );
    }
  }

  /** An agent made a step: one that is awake and does not lead has taken the address away. */
  stepped = (agent: SimAgent): void => {
    const host = this.#addresses[agent.index];
    const orphaned = host?.excuse.late === true && host.excuse.orphaned;
    if (!host?.present || agent.mayHoldAddress || orphaned) return;
    const who = `${nameOf(agent.index)} is ${agent.state?.role}`;
    throw new Violation("oneAddress", `${who} and has the virtual address`);
  };

  /**
   * A leader opened: whoever was open before it and is awake has given up by its lease. Voters whose
   * agents were started a moment ago remember no leader, so that rule does not hold through them; nor
   * do voters know of a leader that was cut off while it opened.
   */
  opened = (index: number, term: number): void => {
    const { now } = this.#clock;
    for (const agent of this.#agents) {
      const { state } = agent;
      if (agent.index === index || state?.role !== "leader" || state.durable.term >= term) continue;
      if (state.stage !== "leading") continue;
      if (agent.pausedUntil > now - wakeMs || this.#startedLately(agent)) continue;
      throw new Violation(
        "leaseEnds",
        `${nameOf(index)} opened term ${term} while ${nameOf(agent.index)}, awake, leads ` +
          `${state.durable.term}`,
      );
    }
  };

  #startedLately(leader: SimAgent): boolean {
    const since = this.#clock.now - 2 * leader.electionMs;
    return this.#agents.some((agent) => agent !== leader && agent.startedAt > since);
  }
}
