/** `xenon mysql rebuildme`: asks the agent of this host for a new copy of its server, and follows it. */
import type { Outcome } from "./exit.ts";
import { submitJob } from "./jobs.ts";
import { factsDeadlineMs, openCluster } from "./open.ts";
import type { Surroundings } from "./ports.ts";
import type { RebuildCommand } from "./tree/mysql_rebuild.ts";

/** The agent does the work; a lost terminal ends nothing. */
export async function mysqlRebuild(
  command: RebuildCommand,
  around: Surroundings,
): Promise<Outcome> {
  const { from, method, force, dryRun, common } = command;
  const cluster = await openCluster(common, around);
  const wish = { from, method, force, dryRun };
  const deadlineMs = factsDeadlineMs(common);
  return await submitJob(cluster, { kind: "rebuild", wish }, { around, deadlineMs });
}
