/** The config of this host with everything in it checked, or every mistake with its line. */
import { describeRemark, parseConfig } from "../agent/config.ts";
import type { Config } from "../agent/config_shape.ts";
import { CommandError } from "./exit.ts";
import type { FoundConfig } from "./ports.ts";

/** Reads the text of a config. The error lists each problem as `path:line:column key: sentence`. */
export function readConfig({ path, text }: FoundConfig): Config {
  const result = parseConfig(text);
  if (result.kind === "config") return result.config;
  const { length } = result.problems;
  const problems = length === 1 ? "one problem" : `${length} problems`;
  throw new CommandError(`Cannot use the config "${path}" as it has ${problems}`, {
    next: "correct it, every setting stands in config.example.toml",
    details: result.problems.map((problem) => describeRemark(path, problem)),
  });
}
