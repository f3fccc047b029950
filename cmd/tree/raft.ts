/** The words of `xenon raft ...`. */
import type { CommonOptions, FactsForm } from "../options.ts";
import { commonOf, examples, type Found, outputOption, type Tree } from "./words.ts";

export type RaftCommand =
  & { readonly group: "raft"; readonly common: CommonOptions }
  & (
    | { readonly kind: "status" | "nodes"; readonly form: FactsForm }
    | { readonly kind: "trytoleader" }
    | {
      readonly kind: "switch";
      readonly name: "purgeBinlog" | "checkSemiSync";
      readonly on: boolean;
    }
  );

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
  group.command("trytoleader")
    .description("Let this node take the leadership over and wait until it is open for writes")
    .addHelpText("after", examples("xenon raft trytoleader --timeout 30"))
    .action((_options, self) =>
      found({ group: "raft", kind: "trytoleader", common: commonOf(self) })
    );
  for (const [word, description, name, on] of switches) {
    group.command(word)
      .description(description)
      .addHelpText("after", examples(`xenon raft ${word}`))
      .action((_options, self) =>
        found({ group: "raft", kind: "switch", name, on, common: commonOf(self) })
      );
  }
}

/** Word, what it does, the switch, and whether it is turned on. */
const switches = [
  ["enablepurgebinlog", "Remove binary logs that no member needs", "purgeBinlog", true],
  ["disablepurgebinlog", "Keep all binary logs of this node", "purgeBinlog", false],
  ["enablechecksemisync", "Verify and repair semi-sync while leading", "checkSemiSync", true],
  ["disablechecksemisync", "Leave semi-sync alone while leading: UNSAFE", "checkSemiSync", false],
] as const;

interface Words {
  /** Also the word that is typed. */
  readonly kind: "status" | "nodes";
  readonly description: string;
  readonly usually: FactsForm;
}

function addFacts(group: Tree, found: Found<RaftCommand>, words: Words): void {
  const { kind, description, usually } = words;
  group.command(kind)
    .description(description)
    .addOption(outputOption())
    .addHelpText("after", examples(`xenon raft ${kind}`))
    .action(({ output }, self) =>
      found({ group: "raft", kind, form: output ?? usually, common: commonOf(self) })
    );
}
