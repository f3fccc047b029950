/** Runs `xenon perf ...`. */
import type { Outcome } from "./exit.ts";
import { printFacts } from "./facts.ts";
import { findConfig } from "./lookup.ts";
import type { Surroundings } from "./ports.ts";
import type { PerfCommand } from "./tree/perf.ts";

/** The runner of the group. */
export async function runPerf(command: PerfCommand, around: Surroundings): Promise<Outcome> {
  const { world, programs } = around;
  const { program, pid, text } = await programs.takeStacks(
    await findConfig(world, command.common.config),
  );
  const facts = {
    text,
    table: { header: ["Program", "PID", "Stacks"], rows: [[program, String(pid), text]] },
    exact: { status: text },
    value: { status: text, program, pid },
    notes: [`stacks of process ${pid} taken by ${program}`],
  };
  return printFacts(facts, { form: command.form, colour: world.colour });
}
