/** Runs `xenon cluster ...`. */
import { clusterAdd, clusterRemove } from "./cluster_change.ts";
import { clusterGtid, clusterStatus } from "./cluster_facts.ts";
import type { Outcome } from "./exit.ts";
import { changeDeadlineMs, factsDeadlineMs, openCluster } from "./open.ts";
import type { Surroundings } from "./ports.ts";
import type { ClusterCommand } from "./tree/cluster.ts";

/** The runner of the group. */
export async function runCluster(command: ClusterCommand, around: Surroundings): Promise<Outcome> {
  const cluster = await openCluster(command.common, around);
  const factsMs = factsDeadlineMs(command.common);
  const changeMs = changeDeadlineMs(command.common);
  switch (command.kind) {
    case "add":
      return await clusterAdd(cluster, { nodes: command.nodes, deadlineMs: changeMs });
    case "remove":
      return await clusterRemove(cluster, { nodes: command.nodes, deadlineMs: changeMs });
    case "status":
      return await clusterStatus(cluster, { form: command.form, deadlineMs: factsMs });
    case "gtid":
      return await clusterGtid(cluster, { form: command.form, deadlineMs: factsMs });
  }
}
