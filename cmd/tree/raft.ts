/** The words of `xenon raft ...`. */
import type { ChangeCommand } from "../cluster_change.ts";
import type { CommonOptions, FactsForm } from "../options.ts";
import type { RoleWord } from "../raft_change.ts";
import { addChange } from "./change.ts";
import { commonOf, examples, type Found, outputOption, type Tree } from "./words.ts";

export type RaftCommand =
  & { readonly group: "raft"; readonly common: CommonOptions }
  & (
    | { readonly kind: "status" | "nodes"; readonly form: FactsForm }
    | { readonly kind: RoleWord }
    | ChangeCommand<SharedWord>
    | {
      readonly kind: "switch";
      readonly name: "purgeBinlog" | "checkSemiSync";
      readonly on: boolean;
    }
  );

/** Changes of the cluster that the original has here too. */
type SharedWord = "add" | "remove";

/** Adds `raft` with all its commands. */
export function addRaft(tree: Tree, found: Found<RaftCommand>): void {
  const group = tree.command("raft").description("The agent of this host and its role")
    .addHelpText("after", examples("xenon raft status", "xenon raft trytoleader"));
  addFacts(group, found, {
    kind: "status",
    description: "Role, leader and members as this agent sees them, as JSON",
    usually: "exact",
  });
  addFacts(group, found, {
    kind: "nodes",
    description: "The members this agent knows",
    usually: "table",
  });
  addRole(group, found, {
    kind: "trytoleader",
    description: "Let this node take the leadership over and wait until it is open for writes",
  });
  addRole(group, found, {
    kind: "disable",
    description: "Let this node neither vote nor acknowledge; a leader hands over first",
  });
  addRole(group, found, {
    kind: "enable",
    description: "Let this node vote and acknowledge again",
  });
  const changed = (change: ChangeCommand<SharedWord>) => found({ group: "raft", ...change });
  addChange(group, changed, { kind: "add", description: "The same as xenon cluster add" });
  addChange(group, changed, { kind: "remove", description: "The same as xenon cluster remove" });
  for (const [word, description, name, on] of switches) {
    group.command(word)
      .description(description)
      .addHelpText("after", examples(`xenon raft ${word}`))
      .action((_options, self) =>
        found({ group: "raft", kind: "switch", name, on, common: commonOf(self) })
      );
  }
}

interface Words<Kind> {
  /** Also the word that is typed. */
  readonly kind: Kind;
  readonly description: string;
}

function addRole(
  group: Tree,
  found: Found<RaftCommand>,
  { kind, description }: Words<RoleWord>,
): void {
  group.command(kind)
    .description(description)
    .addHelpText("after", examples(`xenon raft ${kind}`, `xenon raft ${kind} --timeout 30`))
    .action((_options, self) => found({ group: "raft", kind, common: commonOf(self) }));
}

/** Word, what it does, the switch, and whether it is turned on. */
const switches = [
  ["enablepurgebinlog", "Remove binary logs that no member needs", "purgeBinlog", true],
  ["disablepurgebinlog", "Keep all binary logs of this node", "purgeBinlog", false],
  ["enablechecksemisync", "Verify and repair semi-sync while leading", "checkSemiSync", true],
  ["disablechecksemisync", "Leave semi-sync alone while leading: UNSAFE", "checkSemiSync", false],
] as const;

function addFacts(
  group: Tree,
  found: Found<RaftCommand>,
  words: Words<"status" | "nodes"> & { readonly usually: FactsForm },
): void {
  const { kind, description, usually } = words;
  group.command(kind)
    .description(description)
    .addOption(outputOption())
    .addHelpText("after", examples(`xenon raft ${kind}`))
    .action(({ output }, self) =>
      found({ group: "raft", kind, form: output ?? usually, common: commonOf(self) })
    );
}
