/** The words of `xenon version`. */
import type { CommonOptions, FactsForm } from "../options.ts";
import { commonOf, examples, type Found, outputOption, type Tree } from "./words.ts";

export type VersionCommand =
  & { readonly group: "version" }
  & (
    | { readonly kind: "own" }
    | { readonly kind: "all"; readonly form: FactsForm; readonly common: CommonOptions }
  );

/** Adds `version`. */
export function addVersion(tree: Tree, found: Found<VersionCommand>): void {
  tree.command("version").description("Print the version of this program, or of all nodes")
    .option("--all", "Ask every node for the versions of its agent and its MySQL", false)
    .addOption(outputOption())
    .addHelpText("after", examples("xenon version", "xenon version --all"))
    .action(({ all, output }, self) =>
      found(
        all
          ? { group: "version", kind: "all", form: output ?? "table", common: commonOf(self) }
          : { group: "version", kind: "own" },
      )
    );
}
