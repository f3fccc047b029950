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
    | { readonly kind: ShownKind; readonly form: FactsForm }
  );

type ShownKind = "status" | "gtid" | "mysql" | "raft" | "xenon";

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
  addFacts(group, found, {
    kind: "mysql",
    description: "Every server with its replication: position, threads, lag, last error",
  });
  addFacts(group, found, {
    kind: "raft",
    description: "Every agent with what it counted since its start",
  });
  addFacts(group, found, {
    kind: "xenon",
    description: "Every agent with the settings it runs by",
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
  { kind, description }: Words<ShownKind>,
): void {
  const words = `xenon cluster ${kind}`;
  const command = group.command(kind).description(description).addOption(outputOption());
  // Only these two have a JSON of the original's own.
  if (kind === "status" || kind === "gtid") {
    command.argument("[json]", "The original's JSON, with exactly its keys", parseExact)
      .addHelpText("after", examples(words, `${words} json`, `${words} -o wide`))
      .action((exact, { output }, self) => {
        const form: FactsForm = output ?? (exact ? "exact" : "table");
        found({ group: "cluster", kind, form, common: commonOf(self) });
      });
    return;
  }
  command.addHelpText("after", examples(words, `${words} -o wide`))
    .action(({ output }, self) =>
      found({ group: "cluster", kind, form: output ?? "table", common: commonOf(self) })
    );
}
