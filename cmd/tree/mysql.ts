/** The words of `xenon mysql ...`. */
import type { CommonOptions, FactsForm } from "../options.ts";
import { commonOf, examples, type Found, outputOption, type Tree } from "./words.ts";

export type MysqlCommand =
  & { readonly group: "mysql"; readonly common: CommonOptions }
  & { readonly kind: "status"; readonly form: FactsForm };

/** Adds `mysql` with all its commands. */
export function addMysql(tree: Tree, found: Found<MysqlCommand>): void {
  const group = tree.command("mysql").description("The MySQL server of this host")
    .addHelpText("after", examples("xenon mysql status"));
  group.command("status")
    .description("Replication and server of this host, as JSON")
    .addOption(outputOption())
    .addHelpText("after", examples("xenon mysql status"))
    .action(({ output }, self) =>
      found({ group: "mysql", kind: "status", form: output ?? "exact", common: commonOf(self) })
    );
}
