/** The words of `xenon cluster ...`. */
import type { ChangeCommand } from "../cluster_change.ts";
import type { CommonOptions, FactsForm } from "../options.ts";
import type { When } from "../when.ts";
import { addChange } from "./change.ts";
import {
  commonOf,
  examples,
  type Found,
  outputOption,
  parseExact,
  parseTime,
  type Tree,
} from "./words.ts";

export type ClusterCommand =
  & { readonly group: "cluster"; readonly common: CommonOptions }
  & (
    | ChangeCommand
    | {
      readonly kind: "status";
      readonly form: FactsForm;
      readonly wait: StatusWait | undefined;
    }
    | {
      readonly kind: "log";
      readonly since: When | undefined;
      readonly until: When | undefined;
      readonly form: FactsForm;
    }
    | { readonly kind: ShownKind; readonly form: FactsForm }
  );

/** What `cluster status` may wait for. */
export type StatusWait = "healthy" | "leader";

type ShownKind = "gtid" | "mysql" | "raft" | "xenon";

/** Adds `cluster` with all its commands. */
export function addCluster(tree: Tree, found: Found<ClusterCommand>): void {
  const group = tree.command("cluster").description("The whole cluster, asked at every node")
    .addHelpText("after", examples("xenon cluster status", "xenon help cluster add"));
  const changed = (change: ChangeCommand) => found({ group: "cluster", ...change });
  addChange(group, changed, {
    kind: "add",
    description: "Form a cluster with these nodes, or join them to the one there is",
  });
  addChange(group, changed, {
    kind: "addidle",
    description: "Let these nodes replicate without a vote and without acknowledging",
  });
  addChange(group, changed, {
    kind: "remove",
    description: "Take these nodes out of the cluster; their servers stay as they are",
  });
  addChange(group, changed, {
    kind: "removeidle",
    description: "Take these idle nodes out; a node with a vote is refused",
  });
  addStatus(group, found);
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
  addLog(group, found);
}

const exactHelp = "The original's JSON, with exactly its keys";

interface Words<Kind> {
  /** Also the word that is typed. */
  readonly kind: Kind;
  readonly description: string;
}

function addStatus(group: Tree, found: Found<ClusterCommand>): void {
  group.command("status")
    .description("Every node with its role, its server and its replication")
    .argument("[json]", exactHelp, parseExact)
    .addOption(outputOption())
    .option(
      "--wait",
      "Until all is well: a leader is open, all others follow; up to --timeout, else 60 s",
    )
    .option("--wait-leader", "Until a leader is open for writes; up to --timeout, else 60 s")
    .addHelpText(
      "after",
      examples(
        "xenon cluster status",
        "xenon cluster status json",
        "xenon cluster status -o wide",
        "xenon cluster status --wait --timeout 120",
      ),
    )
    .action((exact, { output, wait, waitLeader }, self) =>
      found({
        group: "cluster",
        kind: "status",
        form: output ?? (exact ? "exact" : "table"),
        wait: wait ? "healthy" : waitLeader ? "leader" : undefined,
        common: commonOf(self),
      })
    );
}

function addFacts(
  group: Tree,
  found: Found<ClusterCommand>,
  { kind, description }: Words<ShownKind>,
): void {
  const words = `xenon cluster ${kind}`;
  const command = group.command(kind).description(description).addOption(outputOption());
  if (kind === "gtid") {
    command.argument("[json]", exactHelp, parseExact)
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

function addLog(group: Tree, found: Found<ClusterCommand>): void {
  group.command("log")
    .description("The newest log lines of all nodes, merged by time")
    .option("--start-datetime <time>", "Only lines from then on", parseTime)
    .option("--stop-datetime <time>", "Only lines until then", parseTime)
    .option("--logdir <folder>", "Has no effect: agents send the lines they keep themselves")
    .addOption(outputOption())
    .addHelpText(
      "after",
      examples(
        "xenon cluster log --start-datetime 10m",
        "xenon cluster log --start-datetime '2026/07/31 15:58:00' --stop-datetime 16:00",
        "xenon cluster log -o json",
      ),
    )
    .action((options, self) =>
      found({
        group: "cluster",
        kind: "log",
        since: options.startDatetime,
        until: options.stopDatetime,
        form: options.output ?? "table",
        common: commonOf(self),
      })
    );
}
