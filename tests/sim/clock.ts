/** Simulated time: a heap of things to come. Two of the same moment run in the order of asking. */
export type Action = () => void;

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly action: Action;
}

export class Clock {
  /** Milliseconds since the run began. */
  now = 0;
  readonly #heap: Entry[] = [];
  #order = 0;

  /** Runs `action` after `delayMs`. */
  after(delayMs: number, action: Action): void {
    this.#push({ at: this.now + Math.max(0, delayMs), order: this.#order++, action });
  }

  /** Runs everything until `until`. */
  run(until: number): void {
    for (let first = this.#heap[0]; first && first.at <= until; first = this.#heap[0]) {
      this.#pop();
      this.now = first.at;
      first.action();
    }
    this.now = until;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as Entry;
      if (!before(entry, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= heap.length) break;
      const right = heap[childIndex + 1];
      if (right && before(right, heap[childIndex] as Entry)) childIndex++;
      const child = heap[childIndex] as Entry;
      if (!before(child, last)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
  }
}

function before(left: Entry, right: Entry): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}
