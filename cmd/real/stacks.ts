/** Takes the stacks of the server of this host with whatever program is installed. */
import { describeResult, run, succeeded } from "../../mysql/process.ts";
import { CommandError } from "../exit.ts";
import type { FoundConfig } from "../ports.ts";
import { type StackProgram, stackPrograms, type Stacks } from "../stacks.ts";
import { readConfig } from "./cluster.ts";
import { openServer, readServerPlace } from "./server.ts";

/** The server may stand still as long as its stacks are taken. */
const limitMs = 10_000;
const termMs = 500;
const outputBytesMax = 16 * 1024 * 1024;

/** The stacks of the server that the config of this host names. */
export async function takeServerStacks(found: FoundConfig): Promise<Stacks> {
  const config = readConfig(found);
  const process = await openServer(config, await readServerPlace(config)).identify();
  if (process === null) {
    throw new CommandError("Cannot take stacks as the MySQL server of this host does not run", {
      next: "see why with xenon mysql status, then its error log",
    });
  }
  return await takeStacks(process.pid, stackPrograms);
}

/** Asks one program after the other until one can; all of them share one limit. */
export async function takeStacks(
  pid: number,
  programs: readonly StackProgram[],
): Promise<Stacks> {
  const endsAt = performance.now() + limitMs;
  const failures: string[] = [];
  for (const { name, command } of programs) {
    const deadlineMs = Math.max(1, endsAt - performance.now());
    const result = await run(command(pid), {
      deadlineMs,
      termMs,
      stdoutBytesMax: outputBytesMax,
      ownSession: true,
    });
    const text = result.stdoutTail;
    // A debugger that may not look at the process ends well all the same.
    if (succeeded(result) && /#0|^Thread /m.test(text)) return { program: name, pid, text };
    if (result.ended.how !== "notStarted") failures.push(describeResult(result));
    if (result.ended.how === "timeout") break;
  }
  throw failureOf(pid, { failures, programs });
}

function failureOf(
  pid: number,
  { failures, programs }: {
    readonly failures: readonly string[];
    readonly programs: readonly StackProgram[];
  },
): CommandError {
  if (failures.length > 0) {
    const because = failures.join("; ");
    return new CommandError(`Cannot take the stacks of process ${pid}: ${because}`, {
      next: "run it as root or as the account of the server",
    });
  }
  const names = programs.map(({ name }) => name).join(", ");
  const packages = programs.flatMap((one) => one.package === null ? [] : [one.package]);
  return new CommandError(`Cannot take stacks as none of ${names} is installed`, {
    next: `install one of the packages ${packages.join(", ")}`,
  });
}
