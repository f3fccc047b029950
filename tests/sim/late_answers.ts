/**
 * Answers that come late: held back on their way until the node that asked has written a later term, or
 * until nobody would wait for them any more. A slow network alone is not slow enough for that.
 */
import type { Message } from "../../raft/message.ts";
import type { Clock } from "./clock.ts";
import type { Dice } from "./dice.ts";

interface Held {
  readonly asker: number;
  /** The term of the asker when the answer came. */
  readonly term: number;
  readonly deliver: () => void;
}

/** Does this message answer another one? */
export function isAnswer(message: Message): boolean {
  return /(Reply|verdict)$/.test(message.kind);
}

/** How many of the answers to a node are held back while the fault lasts. */
const heldPart = 0.5;
const longestMs = 3000;

export class LateAnswers {
  readonly #clock: Clock;
  readonly #dice: Dice;
  /** Number of faults that hold the answers to a node back now. */
  readonly #struck = new Map<number, number>();
  #held: Held[] = [];

  /** `dice` is a source of its own: a run without this fault draws as if it did not exist. */
  constructor(clock: Clock, dice: Dice) {
    this.#clock = clock;
    this.#dice = dice;
  }

  /** From now on, for so long, answers to this node come late. */
  strike(asker: number, forMs: number): void {
    this.#struck.set(asker, this.#count(asker) + 1);
    this.#clock.after(forMs, () => this.#struck.set(asker, this.#count(asker) - 1));
  }

  /** Takes an answer that is about to arrive; false leaves it alone. */
  takes(asker: number, term: number, deliver: () => void): boolean {
    if (this.#count(asker) <= 0 || !this.#dice.chance(heldPart)) return false;
    const held: Held = { asker, term, deliver };
    this.#held.push(held);
    this.#clock.after(this.#dice.between(100, longestMs), () => this.#release([held]));
    return true;
  }

  /** A node wrote its state down: what it asked in an earlier term is answered now. */
  recorded(asker: number, term: number): void {
    const due = this.#held.filter((held) => held.asker === asker && held.term < term);
    if (due.length === 0) return;
    this.#clock.after(this.#dice.between(0, 40), () => this.#release(due));
  }

  #release(due: readonly Held[]): void {
    const released = this.#held.filter((held) => due.includes(held));
    this.#held = this.#held.filter((held) => !due.includes(held));
    for (const { deliver } of released) deliver();
  }

  #count(asker: number): number {
    return this.#struck.get(asker) ?? 0;
  }
}
