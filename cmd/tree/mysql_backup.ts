/** The words of `xenon mysql backup`, `cancelbackup` and `restore`. */
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { CommonOptions } from "../options.ts";
import { parseDonor, rebuildMethods } from "./mysql_rebuild.ts";
import { commonOf, examples, type Found, type Tree } from "./words.ts";

export type BackupCommand =
  & { readonly group: "mysql"; readonly common: CommonOptions }
  & (
    | {
      readonly kind: "backup";
      /** The folder that holds backups, as it was typed. */
      readonly to: string;
      /** `host:port` of the donor's agent; null leaves the choice to the agent. */
      readonly from: string | null;
      readonly method: typeof rebuildMethods[number];
    }
    | { readonly kind: "cancelbackup" }
    | { readonly kind: "restore"; readonly from: string }
  );

/** Adds all three to the group. */
export function addBackups(group: Tree, found: Found<BackupCommand>): void {
  addBackup(group, found);
  group.command("cancelbackup")
    .description("End the backup that runs on this host; nothing of it is kept")
    .addHelpText("after", examples("xenon mysql cancelbackup"))
    .action((_options, self) =>
      found({ group: "mysql", kind: "cancelbackup", common: commonOf(self) })
    );
  addRestore(group, found);
}

function addBackup(group: Tree, found: Found<BackupCommand>): void {
  group.command("backup")
    .summary("Copy the best follower into a new folder on this host, and verify it")
    .description(
      "Copy the best follower into a new folder below DIR on this host, and verify it. Nothing in " +
        "DIR is overwritten. Runs in the agent: Ctrl-C detaches",
    )
    .requiredOption(
      "--to <dir>",
      "Folder of backups: empty, absent, or with backups only",
      parseFolder,
    )
    .option("--from <endpoint>", "Agent of the node to copy", parseDonor)
    .addOption(
      new Option("--method <method>", "How to copy").choices(rebuildMethods).default(
        "auto" as const,
      ),
    )
    .addHelpText(
      "after",
      examples("xenon mysql backup --to=/backup/mysql", "xenon jobs follow", "xenon jobs cancel"),
    )
    .action(({ to, from, method }, self) =>
      found({
        group: "mysql",
        kind: "backup",
        to,
        from: from ?? null,
        method,
        common: commonOf(self),
      })
    );
}

function addRestore(group: Tree, found: Found<BackupCommand>): void {
  group.command("restore")
    .summary("Make a backup the data of this host, which must have none")
    .description(
      "Make a backup the data of this host, which must have none and be in no cluster. All " +
        "checksums are compared first",
    )
    .requiredOption(
      "--from <dir>",
      "A backup, or a folder of backups: then the newest",
      parseFolder,
    )
    .addHelpText(
      "after",
      examples(
        "xenon mysql restore --from=/backup/mysql",
        "xenon mysql restore --from=/backup/mysql/2026-11-25T02-00-00Z",
      ),
    )
    .action(({ from }, self) =>
      found({ group: "mysql", kind: "restore", from, common: commonOf(self) })
    );
}

function parseFolder(word: string): string {
  if (word === "" || /\p{Cc}/u.test(word)) throw new InvalidArgumentError("Wanted is a folder.");
  return word;
}
