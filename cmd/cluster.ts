/** Runs `xenon cluster ...`. */
import { runChange } from "./cluster_change.ts";
import {
  clusterGtid,
  clusterMysql,
  clusterRaft,
  clusterStatus,
  clusterXenon,
  statusFacts,
} from "./cluster_facts.ts";
import { clusterLog, type LogRequest } from "./cluster_log.ts";
import { clusterIsHealthy, leaderIsOpen } from "./conditions.ts";
import { type Outcome, success } from "./exit.ts";
import { type Facts, printFacts } from "./facts.ts";
import { factsDeadlineMs, openCluster, roundDeadlineMs, waitMs } from "./open.ts";
import type { FactsForm } from "./options.ts";
import type { Cluster, Surroundings, World } from "./ports.ts";
import type { ClusterCommand } from "./tree/cluster.ts";
import { waitUntil, withFailure } from "./wait.ts";
import { resolveWhen } from "./when.ts";

const shown = {
  gtid: clusterGtid,
  mysql: clusterMysql,
  raft: clusterRaft,
  xenon: clusterXenon,
} as const;

/** The runner of the group. */
export async function runCluster(command: ClusterCommand, around: Surroundings): Promise<Outcome> {
  const { world } = around;
  const cluster = await openCluster(command.common, around);
  const show = (facts: Facts, { form }: { readonly form: FactsForm }) =>
    printFacts(facts, { form, colour: world.colour });
  switch (command.kind) {
    case "add":
    case "addidle":
    case "remove":
    case "removeidle":
      return await runChange(cluster, command, world);
    case "log":
      return show(await clusterLog(cluster, spanOf(command, world), world), command);
    case "status": {
      if (command.wait !== undefined) return await waitForStatus(cluster, command, world);
      return show(await clusterStatus(cluster, factsDeadlineMs(command.common)), command);
    }
    default:
      return show(await shown[command.kind](cluster, factsDeadlineMs(command.common)), command);
  }
}

async function waitForStatus(
  cluster: Cluster,
  { form, wait, common }: ClusterCommand & { readonly kind: "status" },
  world: World,
): Promise<Outcome> {
  const { gathered, failed } = await waitUntil(cluster, {
    condition: wait === "leader" ? leaderIsOpen : clusterIsHealthy,
    wanted: wait === "leader" ? "an open leader" : "a healthy cluster",
    limitMs: waitMs(common),
    deadlineMs: roundDeadlineMs,
  }, world);
  const outcome = gathered === null
    ? success("")
    : printFacts(statusFacts(gathered), { form, colour: world.colour });
  return withFailure(outcome, failed);
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
