/** Runs `xenon mysql ...`. */
import type { Outcome } from "./exit.ts";
import { printFacts } from "./facts.ts";
import { mysqlBackup } from "./mysql_backup.ts";
import { mysqlRebuild } from "./mysql_rebuild.ts";
import { killServer, setVariables, workOnServer } from "./mysql_server.ts";
import { mysqlStatus } from "./mysql_status.ts";
import { changeUser, getUsers } from "./mysql_users.ts";
import { changeDeadlineMs, factsDeadlineMs, openCluster, workDeadlineMs } from "./open.ts";
import type { Surroundings } from "./ports.ts";
import { turnSwitch } from "./switch.ts";
import type { MysqlCommand } from "./tree/mysql.ts";

/** The runner of the group. */
export async function runMysql(command: MysqlCommand, around: Surroundings): Promise<Outcome> {
  if (command.kind === "rebuildme") return await mysqlRebuild(command, around);
  const { world } = around;
  const cluster = await openCluster(command.common, around);
  const deadlineMs = changeDeadlineMs(command.common);
  switch (command.kind) {
    case "backup":
    case "cancelbackup":
    case "restore":
      return await mysqlBackup(cluster, command, around);
    case "status": {
      const facts = await mysqlStatus(cluster, factsDeadlineMs(command.common));
      return printFacts(facts, { form: command.form, colour: world.colour });
    }
    case "getuser": {
      const facts = await getUsers(cluster, deadlineMs);
      return printFacts(facts, { form: command.form, colour: world.colour });
    }
    case "changeUser":
      return await changeUser(cluster, world, { change: command.change, deadlineMs });
    case "start":
    case "shutdown": {
      const params = command.kind === "shutdown" ? { force: command.force } : {};
      const limitMs = workDeadlineMs(command.common);
      return await workOnServer(cluster, world, {
        what: command.kind,
        params,
        deadlineMs: limitMs,
      });
    }
    case "kill":
      return await killServer(cluster, deadlineMs);
    case "startmonitor":
    case "stopmonitor": {
      const on = command.kind === "startmonitor";
      return await turnSwitch(cluster, { name: "monitor", on, deadlineMs });
    }
    case "sysvar":
      return await setVariables(cluster, { statement: command.statement, deadlineMs });
  }
}
