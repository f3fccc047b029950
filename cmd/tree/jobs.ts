/** The words of `xenon jobs ...`. */
import type { CommonOptions, FactsForm } from "../options.ts";
import { commonOf, examples, type Found, outputOption, type Tree, wholeNumber } from "./words.ts";

export type JobsCommand =
  & { readonly group: "jobs"; readonly common: CommonOptions }
  & (
    | { readonly kind: "list"; readonly form: FactsForm }
    /** Without a number the newest is followed, and the running one is canceled. */
    | { readonly kind: "follow" | "cancel"; readonly number: number | null }
  );

const numberMax = 1_000_000_000;

/** Adds `jobs` with all its commands. */
export function addJobs(tree: Tree, found: Found<JobsCommand>): void {
  const group = tree.command("jobs")
    .description("Long work of the agent of this host: rebuilds and backups")
    .addHelpText("after", examples("xenon jobs", "xenon jobs follow", "xenon jobs cancel 3"));
  group.command("list", { isDefault: true })
    .description("The jobs that the agent remembers, newest first")
    .addOption(outputOption())
    .addHelpText("after", examples("xenon jobs list", "xenon jobs list -o json"))
    .action(({ output }, self) =>
      found({ group: "jobs", kind: "list", form: output ?? "table", common: commonOf(self) })
    );
  addOne(group, found, {
    kind: "follow",
    description: "Show a job from its beginning until it ends; Ctrl-C detaches and ends nothing",
  });
  addOne(group, found, {
    kind: "cancel",
    description: "End the running job and undo what it had begun, as far as that can be undone",
  });
}

function addOne(
  group: Tree,
  found: Found<JobsCommand>,
  words: { readonly kind: "follow" | "cancel"; readonly description: string },
): void {
  const { kind, description } = words;
  group.command(kind)
    .description(description)
    .argument("[number]", "Number of the job", wholeNumber(1, numberMax))
    .addHelpText("after", examples(`xenon jobs ${kind}`, `xenon jobs ${kind} 3`))
    .action((number, _options, self) =>
      found({ group: "jobs", kind, number: number ?? null, common: commonOf(self) })
    );
}
