/** A screen for tests: keeps what was shown, and may be left at a moment of the test's choice. */
import type { Screen } from "./ports.ts";

export interface FakeScreen extends Screen {
  /** Lines, and lines of progress behind a `~`. */
  readonly shown: readonly string[];
}

/** `waits` is how often the screen waits before Ctrl-C comes; never unless it is given. */
export function createFakeScreen(waits = Infinity): FakeScreen {
  const shown: string[] = [];
  let left = waits;
  return {
    shown,
    line: (text) => void shown.push(text),
    progress: (text) => void (text !== null && shown.push(`~${text}`)),
    get detached() {
      return left <= 0;
    },
    wait: () => {
      left--;
      return Promise.resolve();
    },
    [Symbol.dispose]: () => {},
  };
}
