/** A promise inside the program was broken. It ends the process: a dead agent is only a failover. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Ends the process (through `main.ts`) unless `condition` holds. */
export function invariant(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new InvariantError(`Broken invariant: ${sentence}`);
}

/** Closes a switch: the compiler proves that no case is left. */
export function unreachable(value: never): never {
  throw new InvariantError(`Unhandled case: ${JSON.stringify(value)}`);
}
