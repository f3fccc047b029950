/** Exchanges that wait for the protocol's answer, each with a limit of its own. */
import type { Clock } from "./ports.ts";

/** More waiting exchanges than this are refused: somebody repeats himself. */
const waitingMax = 256;

/** What the protocol said to an operator's wish. */
export interface OperatorAnswer {
  /** Why not, as a sentence; null when it is done. */
  readonly refused: string | null;
  /** The refusal is about something under way: asking again a moment later may help. */
  readonly passing: boolean;
}

/** A bounded map from request numbers to waiting callers. */
export class Requests<Answer> {
  readonly #clock: Clock;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Hands a fresh number to `ask`; rejects with a sentence when no answer comes in time. */
  async wait(limitMs: number, ask: (request: number) => void): Promise<Answer> {
    if (this.#waiting.size >= waitingMax) {
      throw new Error(`Cannot take another request: ${waitingMax} are waiting already`);
    }
    // Numbers begin at 1, so that none is falsy.
    const request = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const cancel = this.#clock.after(limitMs, () => {
      this.#waiting.delete(request);
      reject(new Error(`No answer within ${limitMs} ms: the node had something else to decide`));
    });
    this.#waiting.set(request, (answer) => {
      cancel();
      resolve(answer);
    });
    ask(request);
    return await promise;
  }

  /** Answers a request; one that is not waiting any more is ignored. */
  answer(request: number, answer: Answer): void {
    const resolve = this.#waiting.get(request);
    this.#waiting.delete(request);
    resolve?.(answer);
  }
}
