/** The words of `xenon version`. */
import { examples, type Found, type Tree } from "./words.ts";

export interface VersionCommand {
  readonly group: "version";
}

/** Adds `version`. */
export function addVersion(tree: Tree, found: Found<VersionCommand>): void {
  tree.command("version").description("Print the version")
    .addHelpText("after", examples("xenon version"))
    .action(() => found({ group: "version" }));
}
