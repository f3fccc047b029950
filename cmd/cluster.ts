/** Runs `xenon cluster ...`. */
import { clusterAdd, clusterRemove } from "./cluster_change.ts";
import {
  clusterGtid,
  clusterMysql,
  clusterRaft,
  clusterStatus,
  clusterXenon,
} from "./cluster_facts.ts";
import type { Outcome } from "./exit.ts";
import { printFacts } from "./facts.ts";
import { changeDeadlineMs, factsDeadlineMs, openCluster } from "./open.ts";
import type { Surroundings } from "./ports.ts";
import type { ClusterCommand } from "./tree/cluster.ts";

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
      return await clusterAdd(cluster, { nodes: command.nodes, deadlineMs });
    case "remove":
      return await clusterRemove(cluster, { nodes: command.nodes, deadlineMs });
    default: {
      const facts = await shown[command.kind](cluster, factsDeadlineMs(command.common));
      return printFacts(facts, { form: command.form, colour: around.world.colour });
    }
  }
}
