/**
 * What one life of an agent does about the virtual address: takes it as a winner, renews it on the word
 * of a majority, gives it up. The decisions are the real ones of `agent/vip.ts`. There is no probe for
 * a duplicate here: a network that hides the old leader would hide its answer too.
 */
import {
  afterCommand,
  confirmedAt,
  type Leadership,
  renewalDue,
  standing,
  waitBeforeAddMs,
} from "../../agent/vip.ts";
import type { Promotion } from "../../raft/effect.ts";
import type { State } from "../../raft/state.ts";
import { leaseEnd } from "../../raft/timing.ts";
import type { Config } from "../../raft/types.ts";
import type { HostAddress } from "./address.ts";
import type { Flaws } from "./flaws.ts";

const freshEveryMs = 10;

export interface KeptBy {
  readonly config: Config;
  readonly flaws: Flaws;
  readonly host: HostAddress;
  readonly addressMs: number;
  /** The agent's own clock. */
  readonly now: () => number;
  readonly state: () => State | null;
  /** Tells the faults that a command was sent. */
  readonly sent: () => void;
  /** Later, in this life of the agent; a frozen one does it when it goes on. */
  readonly later: (afterMs: number, action: () => void) => void;
}

export class AddressKeeper {
  readonly #agent: KeptBy;
  /** Counts takings and droppings, so that a late one knows that it is no longer meant. */
  #turn = 0;
  #wanted = false;
  #freeAt = Infinity;
  #renewedFor = -Infinity;
  #renewedAt = -Infinity;
  /** Commands that have ended and of which this agent does not know yet. */
  #unseen = 0;

  constructor(agent: KeptBy) {
    this.#agent = agent;
    agent.host.remove();
  }

  get unseen(): boolean {
    return this.#unseen > 0;
  }

  /** Won: the wait for the old leader's address runs beside the opening. */
  take(promotion: Promotion): void {
    const { flaws, addressMs, now } = this.#agent;
    this.#turn++;
    const waitMs = flaws.addressTakenAtOnce ? 0 : waitBeforeAddMs(promotion, addressMs);
    this.#freeAt = now() + waitMs;
  }

  /** The server is open: the address is added once it is free. */
  opened(): void {
    const turn = this.#turn;
    this.#agent.later(Math.max(0, this.#freeAt - this.#agent.now()), () => this.#addWhenSure(turn));
  }

  /** After every step of a leader. */
  renew(): void {
    const { flaws, addressMs, now, host } = this.#agent;
    const underWay = host.commandUnderWay;
    const renewals = {
      renewedFor: this.#renewedFor,
      renewedAt: this.#renewedAt,
      underWay,
      addressMs,
    };
    if (!this.#wanted) return;
    const due = flaws.addressUnverified
      ? !underWay
      : renewalDue(renewals, this.#leadership(), now());
    if (due) this.#replace();
  }

  /** Gives the address up, and is sure that it is gone. */
  drop(): void {
    this.#turn++;
    if (this.#agent.flaws.addressKept) return;
    this.#wanted = false;
    this.#agent.host.remove();
  }

  #addWhenSure(turn: number): void {
    if (turn !== this.#turn) return;
    const sure = standing(this.#leadership(), this.#agent.now());
    if (sure === "over") return;
    if (sure === "aging") {
      return this.#agent.later(freshEveryMs, () => this.#addWhenSure(turn));
    }
    this.#wanted = true;
    this.#replace();
  }

  #replace(): void {
    const { host, addressMs, now, later, flaws, sent } = this.#agent;
    const leadership = this.#leadership();
    this.#renewedFor = leadership.confirmedAt;
    this.#renewedAt = now();
    const wordAgeMs = flaws.addressUnverified ? 0 : now() - leadership.confirmedAt;
    host.replace({ leaseMs: addressMs, wordAgeMs }, () => {
      this.#unseen++;
      later(0, () => {
        this.#unseen--;
        const sure = standing(this.#leadership(), now());
        const verdict = afterCommand({ wanted: this.#wanted, standing: sure });
        if (verdict === "keep" || flaws.addressBroughtBack) return;
        this.#wanted = false;
        host.remove();
      });
    });
    sent();
  }

  #leadership(): Leadership {
    const { config, state, now } = this.#agent;
    const known = state();
    const { leaseMs } = config;
    if (known?.role !== "leader") return { confirmedAt: -Infinity, leaseMs };
    const endAt = leaseEnd(config, known.durable.membership, known.acks);
    return { confirmedAt: confirmedAt({ endAt, leaseMs }, now()), leaseMs };
  }
}
