/** Runs `xenon cluster ...`. */
import { changeCluster } from "./cluster_change.ts";
import {
  clusterGtid,
  clusterMysql,
  clusterRaft,
  clusterStatus,
  clusterXenon,
} from "./cluster_facts.ts";
import { clusterLog, type LogRequest } from "./cluster_log.ts";
import type { Outcome } from "./exit.ts";
import { printFacts } from "./facts.ts";
import { changeDeadlineMs, factsDeadlineMs, openCluster } from "./open.ts";
import type { Surroundings, World } from "./ports.ts";
import type { ClusterCommand } from "./tree/cluster.ts";
import { resolveWhen } from "./when.ts";

const shown = {
  status: clusterStatus,
  gtid: clusterGtid,
  mysql: clusterMysql,
  raft: clusterRaft,
  xenon: clusterXenon,
} as const;

/** The runner of the group. */
export async function runCluster(command: ClusterCommand, around: Surroundings): Promise<Outcome> {
  const cluster = await openCluster(command.common, around);
  const deadlineMs = changeDeadlineMs(command.common);
  switch (command.kind) {
    case "add":
    case "addidle":
    case "remove":
    case "removeidle":
      return await changeCluster(cluster, command.kind, { nodes: command.nodes, deadlineMs });
    case "log": {
      const facts = await clusterLog(cluster, spanOf(command, around.world), around.world);
      return printFacts(facts, { form: command.form, colour: around.world.colour });
    }
    default: {
      const facts = await shown[command.kind](cluster, factsDeadlineMs(command.common));
      return printFacts(facts, { form: command.form, colour: around.world.colour });
    }
  }
}

/** Without a start or a stop the span has no end on that side. */
function spanOf(command: ClusterCommand & { readonly kind: "log" }, world: World): LogRequest {
  const nowMs = world.date();
  const { since, until } = command;
  return {
    sinceMs: since === undefined ? -Infinity : resolveWhen(since, nowMs),
    untilMs: until === undefined ? Infinity : resolveWhen(until, nowMs),
    deadlineMs: factsDeadlineMs(command.common),
  };
}
