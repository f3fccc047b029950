/** The words that change the cluster, which `xenon cluster` and `xenon raft` share. */
import type { ChangeCommand, ChangeWord } from "../cluster_change.ts";
import { commonOf, examples, type Found, parseNodes, type Tree } from "./words.ts";

const waitHelp: Readonly<Record<ChangeWord, string>> = {
  add: "Until they have their vote and follow; up to --timeout, else 60 s",
  addidle: "Until they follow; up to --timeout, else 60 s",
  remove: "Until they are no members any more; up to --timeout, else 60 s",
  removeidle: "Until they are no members any more; up to --timeout, else 60 s",
};

/** Adds one of them to a group; `kind` is also the word that is typed. */
export function addChange<Kind extends ChangeWord>(
  group: Tree,
  found: Found<ChangeCommand<Kind>>,
  { kind, description }: { readonly kind: Kind; readonly description: string },
): void {
  const words = `xenon ${group.name()} ${kind}`;
  // Its type of arguments is read off the word, which must not be generic for that.
  group.command(kind as ChangeWord)
    .description(description)
    .argument("<nodes>", "Agents as host:port, separated by commas", parseNodes)
    .option("--wait", waitHelp[kind], false)
    .addHelpText("after", examples(`${words} 10.0.0.2:8801,10.0.0.3:8801 --wait`))
    .action((nodes, { wait }, self) => found({ kind, nodes, wait, common: commonOf(self) }));
}
