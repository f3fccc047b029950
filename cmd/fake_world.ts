/** A world for tests: files from a list, and a clock that only sleeping moves. */
import type { World } from "./ports.ts";

/** A world without files in which time stands still, but for the changes and for sleeping. */
export function createFakeWorld(changes: Partial<World> = {}): World {
  let nowMs = 0;
  return {
    workingFolder: "/home/op",
    executable: "/opt/xenon",
    version: "0.1.0",
    colour: false,
    now: () => nowMs,
    sleep: (ms) => {
      nowMs += ms;
      return Promise.resolve();
    },
    date: () => Date.UTC(2026, 6, 31, 15, 58) + nowMs,
    say: () => {},
    readSecret: (source) => Promise.resolve(source.kind === "given" ? source.text : source.kind),
    env: () => undefined,
    readText: () => Promise.resolve(undefined),
    ...changes,
  };
}
