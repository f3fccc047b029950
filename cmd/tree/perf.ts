/** The words of `xenon perf ...`. */
import type { CommonOptions, FactsForm } from "../options.ts";
import { commonOf, examples, type Found, outputOption, parseExact, type Tree } from "./words.ts";

export interface PerfCommand {
  readonly group: "perf";
  readonly kind: "quickstack";
  readonly form: FactsForm;
  readonly common: CommonOptions;
}

/** Adds `perf` with its command. */
export function addPerf(tree: Tree, found: Found<PerfCommand>): void {
  const group = tree.command("perf").description("What the MySQL server of this host is doing")
    .addHelpText("after", examples("xenon perf quickstack"));
  group.command("quickstack")
    .description(
      "Stacks of all threads of the server, by quickstack, else eu-stack, else gdb. The server " +
        "stands still meanwhile, 10 s at most: prefer a follower",
    )
    .argument("[json]", "The original's JSON, with exactly its keys", parseExact)
    .addOption(outputOption())
    .addHelpText("after", examples("xenon perf quickstack", "xenon perf quickstack json"))
    .action((exact, { output }, self) => {
      const form: FactsForm = output ?? (exact ? "exact" : "table");
      found({ group: "perf", kind: "quickstack", form, common: commonOf(self) });
    });
}
