/** The words of `xenon mysql rebuildme`. */
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { CommonOptions } from "../options.ts";
import { commonOf, examples, type Found, parseNodes, type Tree } from "./words.ts";

export const rebuildMethods = ["auto", "clone", "xtrabackup"] as const;

export interface RebuildCommand {
  readonly group: "mysql";
  readonly kind: "rebuildme";
  /** `host:port` of the donor's agent; null leaves the choice to the agent. */
  readonly from: string | null;
  readonly method: typeof rebuildMethods[number];
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly common: CommonOptions;
}

/** Adds `rebuildme` to the group. */
export function addRebuild(group: Tree, found: Found<RebuildCommand>): void {
  group.command("rebuildme")
    .summary("Give this host a new copy of the cluster's data")
    .description(
      "Give this host a new copy of the cluster's data. The old data is moved aside and goes only " +
        "when the new server is in step. Runs in the agent: Ctrl-C detaches",
    )
    .option(
      "--from <endpoint>",
      "Agent of the node to copy, instead of the best follower",
      parseDonor,
    )
    .addOption(
      new Option("--method <method>", "How to copy").choices(rebuildMethods).default(
        "auto" as const,
      ),
    )
    .option("--force", "Also lose transactions that exist only here; they are saved if possible")
    .option("--dry-run", "Check everything, show the steps and touch nothing")
    .addHelpText(
      "after",
      examples(
        "xenon mysql rebuildme --dry-run",
        "xenon mysql rebuildme --from=192.168.0.154:8801",
        "xenon jobs follow",
      ),
    )
    .action(({ from, method, force, dryRun }, self) =>
      found({
        group: "mysql",
        kind: "rebuildme",
        from: from ?? null,
        method,
        force: force ?? false,
        dryRun: dryRun ?? false,
        common: commonOf(self),
      })
    );
}

/** One agent as `host:port`. */
export function parseDonor(word: string): string {
  const [node, ...others] = parseNodes(word);
  if (node === undefined || others.length > 0) {
    throw new InvalidArgumentError("Wanted is one node as host:port.");
  }
  return node;
}
