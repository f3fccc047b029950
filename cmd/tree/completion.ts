/** The words of `xenon completion`. */
import { Argument } from "@commander-js/extra-typings";
import { type Shell, shells } from "../completion_scripts.ts";
import { examples, type Found, type Tree } from "./words.ts";

export interface CompletionCommand {
  readonly group: "completion";
  readonly shell: Shell;
}

/** Adds `completion`. */
export function addCompletion(tree: Tree, found: Found<CompletionCommand>): void {
  tree.command("completion")
    .description("Print the script that lets a shell complete the words of xenon")
    .addArgument(new Argument("<shell>", "The shell").choices(shells))
    .addHelpText(
      "after",
      examples(
        "xenon completion bash > /etc/bash_completion.d/xenon",
        "xenon completion zsh > /usr/local/share/zsh/site-functions/_xenon",
        "xenon completion fish > ~/.config/fish/completions/xenon.fish",
      ),
    )
    .action((shell) => found({ group: "completion", shell }));
}
