/** A clock for tests: time passes only when a test says so. */

/** Implements the port of the same shape. */
export class FakeClock {
  #now = 1_000;
  #timers: { readonly at: number; readonly call: () => void }[] = [];

  readonly now = () => this.#now;

  readonly after = (ms: number, call: () => void): () => void => {
    const timer = { at: this.#now + ms, call };
    this.#timers.push(timer);
    return () => this.#timers = this.#timers.filter((one) => one !== timer);
  };

  get waiting(): number {
    return this.#timers.length;
  }

  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settle();
    while (true) {
      const next = this.#timers.filter((one) => one.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#now = Math.max(this.#now, next.at);
      next.call();
      await settle();
    }
    this.#now = until;
  }

  /** Time goes on and nothing runs, as for a suspended host. */
  freeze(ms: number): void {
    this.#now += ms;
  }
}

/** Lets everything run that waits for no timer; what takes longer steps needs more rounds. */
export async function settle(rounds = 50): Promise<void> {
  for (let round = 0; round < rounds; round++) await Promise.resolve();
}
