/** The words of `xenon mysql ...`. */
import type { CommonOptions, FactsForm } from "../options.ts";
import { addBackups, type BackupCommand } from "./mysql_backup.ts";
import { addRebuild, type RebuildCommand } from "./mysql_rebuild.ts";
import { addServerWords, type ServerCommand } from "./mysql_server.ts";
import { addUserWords, type UserCommand } from "./mysql_users.ts";
import { commonOf, examples, type Found, outputOption, type Tree } from "./words.ts";

export type MysqlCommand =
  | StatusCommand
  | BackupCommand
  | ServerCommand
  | UserCommand
  | RebuildCommand;

interface StatusCommand {
  readonly group: "mysql";
  readonly common: CommonOptions;
  readonly kind: "status";
  readonly form: FactsForm;
}

/** Adds `mysql` with all its commands. */
export function addMysql(tree: Tree, found: Found<MysqlCommand>): void {
  const group = tree.command("mysql").description("The MySQL server of this host, and accounts")
    .addHelpText(
      "after",
      examples(
        "xenon mysql status",
        "xenon mysql rebuildme",
        "xenon mysql backup --to=/backup/mysql",
        "xenon mysql getuser -o table",
      ),
    );
  addBackups(group, found);
  addRebuild(group, found);
  group.command("status")
    .description("Replication and server of this host, as JSON")
    .addOption(outputOption())
    .addHelpText("after", examples("xenon mysql status"))
    .action(({ output }, self) =>
      found({ group: "mysql", kind: "status", form: output ?? "exact", common: commonOf(self) })
    );
  addServerWords(group, found);
  addUserWords(group, found);
}
