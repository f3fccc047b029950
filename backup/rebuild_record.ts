/** The journal of one rebuild: each phase is on disk before anything of it happens. */
import type { Phase, RebuildMemo } from "./memo.ts";
import type { Task } from "./ports.ts";

/** The original's words for what a node does with a copy. */
export type BusyWord = "BACKUPING" | "APPLYLOGGING";

const applying: readonly string[] = ["S10", "S11", "S16"];

/** Never NONE: a node is busy from its first check to its end, so that no other one is rebuilt meanwhile. */
export function wordOf(step: string): BusyWord {
  return applying.includes(step) ? "APPLYLOGGING" : "BACKUPING";
}

/** Remembers for the next agent, and for whoever undoes. */
export class RebuildRecord {
  readonly #task: Task;
  #last: RebuildMemo | null = null;

  constructor(task: Task) {
    this.#task = task;
  }

  /** What was written last by this agent; null while it has written nothing. */
  get last(): RebuildMemo | null {
    return this.#last;
  }

  /** Begins a phase, unless the job is no longer wanted. */
  enter(memo: RebuildMemo, phase: Phase, step: string): Promise<RebuildMemo> {
    this.#task.signal.throwIfAborted();
    return this.write({ ...memo, phase }, step);
  }

  async write(memo: RebuildMemo, step: string): Promise<RebuildMemo> {
    const ours = memo.phase === "checking" || memo.phase === "following";
    const apart = ours ? null : `job ${this.#task.number} rebuilds it (${step})`;
    this.#last = memo;
    await this.#task.remember({ step, memo, word: wordOf(step), apart });
    return memo;
  }
}
