/** One operation at a time: all statements that change a server go through one queue. */

/** More operations than this waiting mean that the server does not keep up: refuse, do not pile up. */
const waitingMax = 16;

interface Entry {
  readonly name: string;
  readonly start: () => Promise<void>;
  readonly refuse: (reason: Error) => void;
}

/** Runs operations in the order in which they were asked for; a fence ends them all. */
export class WorkQueue {
  readonly #waiting: Entry[] = [];
  #running: { readonly name: string; readonly controller: AbortController } | null = null;
  #paused = false;
  #finished = 0;

  /** The name of the operation that runs or is next; null when the queue is empty. */
  get busyWith(): string | null {
    return this.#running?.name ?? this.#waiting[0]?.name ?? (this.#paused ? "fence" : null);
  }

  /** True while an operation runs. */
  get running(): boolean {
    return this.#running !== null;
  }

  /** Grows with every operation that began or ended: equal numbers mean that nothing was changed between. */
  get changes(): number {
    return this.#finished;
  }

  /**
   * Runs an operation when its turn comes. Its signal is aborted when a fence ends it; it must then
   * stop at once.
   */
  run<T>(name: string, operation: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (this.#waiting.length >= waitingMax) {
      reject(new RangeError(`Cannot ${name} as ${waitingMax} operations wait already`));
      return promise;
    }
    const start = async () => {
      const controller = new AbortController();
      this.#running = { name, controller };
      this.#finished++;
      try {
        resolve(await operation(controller.signal));
      } catch (error) {
        reject(error);
      } finally {
        this.#finished++;
        this.#running = null;
        this.#next();
      }
    };
    this.#waiting.push({ name, start, refuse: reject });
    this.#next();
    return promise;
  }

  /** Ends the running operation, refuses the waiting ones, and starts none until `resume`. */
  pause(reason: Error): void {
    this.#paused = true;
    for (const entry of this.#waiting.splice(0)) entry.refuse(reason);
    this.#running?.controller.abort(reason);
  }

  resume(): void {
    this.#paused = false;
    this.#finished++;
    this.#next();
  }

  #next(): void {
    if (this.#paused || this.#running !== null) return;
    const entry = this.#waiting.shift();
    // It never rejects: its failure goes to whoever asked for the operation.
    if (entry !== undefined) void entry.start();
  }
}
