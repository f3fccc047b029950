/** The words of `xenon cluster ...`. */
import type { CommonOptions, FactsForm } from "../options.ts";
import {
  commonOf,
  examples,
  type Found,
  outputOption,
  parseExact,
  parseNodes,
  type Tree,
} from "./words.ts";

export type ClusterCommand =
  & { readonly group: "cluster"; readonly common: CommonOptions }
  & (
    | { readonly kind: "add" | "remove"; readonly nodes: readonly string[] }
    | { readonly kind: "status" | "gtid"; readonly form: FactsForm }
  );

/** Adds `cluster` with all its commands. */
export function addCluster(tree: Tree, found: Found<ClusterCommand>): void {
  const group = tree.command("cluster").description("The whole cluster, asked at every node")
    .addHelpText("after", examples("xenon cluster status", "xenon help cluster add"));
  addChange(group, found, {
    kind: "add",
    description: "Form a cluster with these nodes, or join them to the one there is",
  });
  addChange(group, found, {
    kind: "remove",
    description: "Take these nodes out of the cluster; their servers stay as they are",
  });
  addFacts(group, found, {
    kind: "status",
    description: "Every node with its role, its server and its replication",
  });
  addFacts(group, found, {
    kind: "gtid",
    description: "Every node with its GTID sets, the leader last",
  });
}

interface Words<Kind> {
  /** Also the word that is typed. */
  readonly kind: Kind;
  readonly description: string;
}

function addChange(
  group: Tree,
  found: Found<ClusterCommand>,
  { kind, description }: Words<"add" | "remove">,
): void {
  group.command(kind)
    .description(description)
    .argument("<nodes>", "Agents as host:port, separated by commas", parseNodes)
    .addHelpText("after", examples(`xenon cluster ${kind} 10.0.0.2:8801,10.0.0.3:8801`))
    .action((nodes, _options, self) =>
      found({ group: "cluster", kind, nodes, common: commonOf(self) })
    );
}

function addFacts(
  group: Tree,
  found: Found<ClusterCommand>,
  { kind, description }: Words<"status" | "gtid">,
): void {
  const words = `xenon cluster ${kind}`;
  group.command(kind)
    .description(description)
    .argument("[json]", "The original's JSON, with exactly its keys", parseExact)
    .addOption(outputOption())
    .addHelpText("after", examples(words, `${words} json`, `${words} -o json`))
    .action((exact, { output }, self) => {
      const form: FactsForm = output ?? (exact ? "exact" : "table");
      found({ group: "cluster", kind, form, common: commonOf(self) });
    });
}
