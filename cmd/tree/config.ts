/** The words of `xenon config ...`. */
import type { CommonOptions, FactsForm } from "../options.ts";
import { commonOf, examples, type Found, outputOption, type Tree } from "./words.ts";

export type ConfigCommand =
  & { readonly group: "config"; readonly common: CommonOptions }
  & (
    | { readonly kind: "check" | "show"; readonly form: FactsForm }
    | {
      readonly kind: "convert";
      /** The original's file. */
      readonly from: string;
      /** Where to write the result; undefined for standard output. */
      readonly to: string | undefined;
      /** Overwrite what is there. */
      readonly force: boolean;
    }
  );

/** Adds `config` with all its commands. */
export function addConfig(tree: Tree, found: Found<ConfigCommand>): void {
  const group = tree.command("config").description("The configuration of the agent on this host")
    .addHelpText("after", examples("xenon config check", "xenon config convert xenon.json"));
  addFacts(group, found, {
    kind: "check",
    description: "Read the configuration as an agent would, with the files it names",
  });
  addFacts(group, found, {
    kind: "show",
    description: "Every setting as the agent uses it, and where its value comes from",
  });
  group.command("convert")
    .description("Turn the original's JSON, with or without remarks, into a configuration of ours")
    .argument("<file>", "The original's configuration, usually xenon.json")
    .option("--to <file>", "Write it there with mode 0600; without it, to standard output")
    .option("--force", "Overwrite the file", false)
    .addHelpText(
      "after",
      examples(
        "xenon config convert xenon.json",
        "xenon config convert xenon.json --to /etc/xenon/xenon.toml",
      ),
    )
    .action((from, { to, force }, self) =>
      found({ group: "config", kind: "convert", from, to, force, common: commonOf(self) })
    );
}

function addFacts(
  group: Tree,
  found: Found<ConfigCommand>,
  { kind, description }: { readonly kind: "check" | "show"; readonly description: string },
): void {
  group.command(kind)
    .description(description)
    .argument("[file]", "The configuration; without it the one that all commands find")
    .addOption(outputOption())
    .addHelpText("after", examples(`xenon config ${kind}`, `xenon config ${kind} xenon.toml`))
    .action((file, { output }, self) => {
      const common = commonOf(self);
      found({
        group: "config",
        kind,
        form: output ?? "table",
        common: { ...common, config: file ?? common.config },
      });
    });
}
