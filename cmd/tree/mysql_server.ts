/** The words of the commands of `xenon mysql` about the server's process and its settings. */
import type { CommonOptions } from "../options.ts";
import { commonOf, examples, type Found, type Tree } from "./words.ts";

export type ServerCommand =
  & { readonly group: "mysql"; readonly common: CommonOptions }
  & (
    | { readonly kind: "start" | "kill" | "startmonitor" | "stopmonitor" }
    | { readonly kind: "shutdown"; readonly force: boolean }
    | { readonly kind: "sysvar"; readonly statement: string }
  );

const simple = {
  start: "Start mysqld and wait until it answers, or say why it does not",
  kill: "Kill mysqld at once (SIGKILL); the monitor starts it again",
  startmonitor: "Start mysqld again whenever it dies, from now on",
  stopmonitor: "Leave mysqld alone when it dies, from now on",
} as const;

/** Adds the server commands to the group `mysql`. */
export function addServerWords(group: Tree, found: Found<ServerCommand>): void {
  for (const kind of Object.keys(simple) as (keyof typeof simple)[]) {
    group.command(kind)
      .description(simple[kind])
      .addHelpText("after", examples(`xenon mysql ${kind}`))
      .action((_options, self) => found({ group: "mysql", kind, common: commonOf(self) }));
  }
  group.command("shutdown")
    .description("Stop mysqld cleanly until mysql start; a leader hands over first")
    .option(
      "--force",
      "Also where this node leads and nobody can take over: ends all writes",
      false,
    )
    .addHelpText("after", examples("xenon mysql shutdown", "xenon mysql shutdown --force"))
    .action(({ force }, self) =>
      found({ group: "mysql", kind: "shutdown", force, common: commonOf(self) })
    );
  group.command("sysvar")
    .description("Set global variables of this host's server until it restarts")
    .argument("<statement>", '"SET GLOBAL name=value", or several with commas')
    .addHelpText("after", examples('xenon mysql sysvar "SET GLOBAL long_query_time=0.5"'))
    .action((statement, _options, self) =>
      found({ group: "mysql", kind: "sysvar", statement, common: commonOf(self) })
    );
}
