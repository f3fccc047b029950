/** Runs `xenon mysql ...`. */
import type { Outcome } from "./exit.ts";
import { printFacts } from "./facts.ts";
import { mysqlStatus } from "./mysql_status.ts";
import { factsDeadlineMs, openCluster } from "./open.ts";
import type { Surroundings } from "./ports.ts";
import type { MysqlCommand } from "./tree/mysql.ts";

/** The runner of the group. */
export async function runMysql(command: MysqlCommand, around: Surroundings): Promise<Outcome> {
  const cluster = await openCluster(command.common, around);
  switch (command.kind) {
    case "status": {
      const facts = await mysqlStatus(cluster, factsDeadlineMs(command.common));
      return printFacts(facts, { form: command.form, colour: around.world.colour });
    }
  }
}
