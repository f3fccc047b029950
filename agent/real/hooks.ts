/**
 * The operator's commands at a change of leadership, as in the original: a text for the shell, from
 * the configuration only. Nothing is pasted into it; facts go in as environment variables.
 */
import { describeResult, run, succeeded } from "../../mysql/process.ts";
import type { Hooks } from "../ports.ts";

export interface HookSettings {
  /** Null for none. */
  readonly start: string | null;
  readonly stop: string | null;
  readonly limitMs: number;
}

/** Runs the commands with a limit; an exit code other than 0 is an error that quotes the output. */
export function createHooks(settings: HookSettings): Hooks {
  const { start, stop, limitMs } = settings;
  return {
    leaderStart: async (environment, scope) => {
      if (start !== null) {
        await command("leader-start-command", start, { environment, limitMs, scope });
      }
    },
    leaderStop: async (environment) => {
      if (stop !== null) await command("leader-stop-command", stop, { environment, limitMs });
    },
  };
}

async function command(
  name: string,
  text: string,
  how: {
    readonly environment: Readonly<Record<string, string>>;
    readonly limitMs: number;
    readonly scope?: { readonly signal: AbortSignal };
  },
): Promise<void> {
  const result = await run(["bash", "-c", text], {
    deadlineMs: how.limitMs,
    env: how.environment,
    ownSession: true,
    ...(how.scope === undefined ? {} : { signal: how.scope.signal }),
  });
  if (!succeeded(result)) throw new Error(`The ${name} failed: ${describeResult(result)}`);
}
