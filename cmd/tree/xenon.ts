/** The words of `xenon xenon ...`, and of `xenon ping`, which is the same in one word less. */
import type { CommonOptions } from "../options.ts";
import { commonOf, examples, type Found, type Tree } from "./words.ts";

export interface XenonCommand {
  readonly group: "xenon";
  readonly kind: "ping";
  readonly common: CommonOptions;
}

/** Adds `xenon` with its command, and `ping`. */
export function addXenon(tree: Tree, found: Found<XenonCommand>): void {
  const group = tree.command("xenon").description("The agent of this host as a program")
    .addHelpText("after", examples("xenon xenon ping"));
  for (const parent of [group, tree]) {
    const words = parent === tree ? "xenon ping" : "xenon xenon ping";
    parent.command("ping")
      .description("Ask the agent of this host whether it is there; silence means yes")
      .addHelpText("after", examples(`${words} && echo the agent answers`))
      .action((_options, self) => found({ group: "xenon", kind: "ping", common: commonOf(self) }));
  }
}
