/** The words of `xenon agent`. */
import type { CommonOptions } from "../options.ts";
import { commonOf, examples, type Found, type Tree } from "./words.ts";

export interface AgentCommand {
  readonly group: "agent";
  readonly common: CommonOptions;
}

/** Adds `agent`. */
export function addAgent(tree: Tree, found: Found<AgentCommand>): void {
  tree.command("agent")
    .description("Run the agent of this host until it is told to stop")
    .addHelpText("after", examples("xenon agent --config /etc/xenon/xenon.toml"))
    .action((_options, self) => found({ group: "agent", common: commonOf(self) }));
}
