/**
 * The virtual address of one host, as the kernel has it: with a lifetime that only a command can
 * lengthen. And the commands: each takes a moment, one that was sent lands also when its agent is dead,
 * and a freeze may hold it up together with its agent.
 */
import { kernelLateMs } from "../../agent/vip.ts";
import type { Clock } from "./clock.ts";
import type { Dice } from "./dice.ts";

/** A command on its way. */
export interface AddressCommand {
  killed: boolean;
  landsAt: number;
  /** A freeze held it up, and no kill ended it: it may bring an address back that nobody wants. */
  late: boolean;
  /** Its agent died meanwhile: nobody learns how it ended. */
  orphaned: boolean;
}

/** How long the address of a host may stay beside that of a successor, as safety.md says. */
export interface Excuse {
  /** The age of the word on which it was renewed, and the time of the command. */
  readonly ms: number;
  /** Brought back by a command that a freeze held up: until the agent sees it, for a lease at most. */
  readonly late: boolean;
  /** Nobody learned of that: it stays for the whole lease. */
  readonly orphaned: boolean;
}

const commandMsMax = 5;
const stuckMsMax = 400;

export class HostAddress {
  readonly index: number;
  readonly #clock: Clock;
  readonly #dice: Dice;
  /** Told whenever a command has added the address or lengthened its life. */
  onLanded: (host: HostAddress) => void = () => {};
  /** When the kernel removes it by itself. */
  #until = -Infinity;
  #excuse: Excuse = { ms: 0, late: false, orphaned: false };
  #command: AddressCommand | null = null;

  constructor(index: number, world: { readonly clock: Clock; readonly dice: Dice }) {
    this.index = index;
    this.#clock = world.clock;
    this.#dice = world.dice;
  }

  get present(): boolean {
    return this.#clock.now < this.#until;
  }

  /** How long it stays from now on unless somebody does something. */
  get leftMs(): number {
    return Math.max(0, this.#until - this.#clock.now);
  }

  get excuse(): Excuse {
    return this.#excuse;
  }

  get commandUnderWay(): boolean {
    return this.#command !== null;
  }

  /** `ip address replace`: `wordAgeMs` is how old the word of the majority is that it was sent on. */
  replace(
    how: { readonly leaseMs: number; readonly wordAgeMs: number },
    returned: () => void,
  ): void {
    const { now } = this.#clock;
    const command: AddressCommand = {
      killed: false,
      landsAt: now + this.#dice.between(0.5, commandMsMax),
      late: false,
      orphaned: false,
    };
    this.#command = command;
    const land = () => {
      if (command.killed) return;
      const restMs = command.landsAt - this.#clock.now;
      if (restMs > 0) return this.#clock.after(restMs, land);
      this.#command = null;
      const { late, orphaned } = command;
      this.#excuse = { ms: how.wordAgeMs + this.#clock.now - now, late, orphaned };
      this.#until = this.#clock.now + how.leaseMs + this.#dice.between(0, kernelLateMs);
      this.onLanded(this);
      returned();
    };
    this.#clock.after(command.landsAt - now, land);
  }

  /** A freeze of the agent holds its command up as well, and a little longer, or it does not. */
  freeze(forMs: number): void {
    if (this.#command === null || this.#dice.chance(0.3)) return;
    this.#command.landsAt += forMs + this.#dice.between(0, stuckMsMax);
    this.#command.late = true;
  }

  /** The agent died; its command goes on. */
  orphan(): void {
    if (this.#command !== null) this.#command.orphaned = true;
  }

  /** The host lost its power. */
  powerOff(): void {
    if (this.#command !== null) this.#command.killed = true;
    this.#command = null;
    this.#until = -Infinity;
  }

  /** Removes the address. The command on its way is killed, unless it is stuck. */
  remove(): void {
    if (this.#command?.late === false) {
      this.#command.killed = true;
      this.#command = null;
    }
    this.#until = -Infinity;
  }
}
