/** `--wait`: asks again and again until a condition holds or the time is over. */
import type { Condition } from "./conditions.ts";
import { CommandError, explain, type Outcome } from "./exit.ts";
import { gather, type Gathered } from "./gather.ts";
import type { Cluster, World } from "./ports.ts";

export interface Wait {
  readonly condition: Condition;
  /** What holds then, for the sentence about a wait in vain: "a healthy cluster". */
  readonly wanted: string;
  /** For the whole wait. */
  readonly limitMs: number;
  /** For one round of questions. */
  readonly deadlineMs: number;
}

/** The last answers and, where the wait was in vain, the error that says so. */
export interface Waited {
  readonly gathered: Gathered | null;
  readonly failed: CommandError | null;
  readonly tookMs: number;
}

const pauseMs = 250;
/** The shortest round that a far agent can still answer in. */
const deadlineMsMin = 100;

/** Never rejects: an agent that does not answer may be about to start. */
export async function waitUntil(
  cluster: Cluster,
  { condition, wanted, limitMs, deadlineMs }: Wait,
  world: Pick<World, "now" | "sleep">,
): Promise<Waited> {
  const startedAt = world.now();
  let gathered: Gathered | null = null;
  while (true) {
    const leftMs = limitMs - (world.now() - startedAt);
    const roundMs = Math.max(deadlineMsMin, Math.min(deadlineMs, leftMs));
    const round = await gather(cluster, roundMs).catch((error: unknown) => reasonOf(error));
    gathered = typeof round === "string" ? gathered : round;
    const missing = typeof round === "string" ? round : condition(round);
    const tookMs = world.now() - startedAt;
    if (missing === null) return { gathered, failed: null, tookMs };
    if (tookMs + pauseMs >= limitMs) {
      const seconds = Math.round(limitMs / 100) / 10;
      const message = `Cannot see ${wanted} within ${seconds} s: ${missing}`;
      const next = "see why with xenon cluster status, or wait longer with --timeout SECONDS";
      return { gathered, failed: new CommandError(message, { next }), tookMs };
    }
    await world.sleep(pauseMs);
  }
}

/** Facts that were printed keep standing above the error of a wait in vain. */
export function withFailure(outcome: Outcome, failed: CommandError | null): Outcome {
  if (failed === null) return outcome;
  const { code, stderr } = explain(failed);
  return { code, stdout: outcome.stdout, stderr: outcome.stderr + stderr };
}

function reasonOf(error: unknown): string {
  if (error instanceof CommandError) return error.message;
  throw error;
}
