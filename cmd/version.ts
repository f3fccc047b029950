/** Runs `xenon version`. */
import { type Outcome, success } from "./exit.ts";
import { printFacts } from "./facts.ts";
import { gather } from "./gather.ts";
import { tableOf, versionColumns } from "./node_tables.ts";
import { factsDeadlineMs, openCluster } from "./open.ts";
import type { Surroundings } from "./ports.ts";
import type { VersionCommand } from "./tree/version.ts";

/** The runner of the group. */
export async function runVersion(command: VersionCommand, around: Surroundings): Promise<Outcome> {
  const { world } = around;
  if (command.kind === "own") return success(`xenon ${world.version}\n`);
  const cluster = await openCluster(command.common, around);
  const { nodes } = await gather(cluster, factsDeadlineMs(command.common));
  const versions = nodes.map((node) => ({
    id: node.id,
    xenon: node.kind === "answered" ? node.status.agentVersion : null,
    mysql: node.kind === "answered" ? node.status.mysql.version : null,
  }));
  const facts = {
    table: tableOf(versionColumns, nodes, { wide: false }),
    value: { program: world.version, versions },
    complete: nodes.every((node) => node.kind === "answered"),
  };
  return printFacts(facts, { form: command.form, colour: world.colour });
}
