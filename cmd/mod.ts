/**
 * What operators type. A command line becomes a value, the value is run through ports, and what is
 * left is an exit code with two texts. This folder decides nothing about the cluster: it asks the
 * agents and shows what they answer. The commands refuse to touch a MySQL server by themselves;
 * `agent` and `demo` are the exceptions.
 */
export { type ExitCode, exitCodes, type Outcome } from "./exit.ts";
export type { Cluster, DemoOptions, FoundConfig, Programs, Surroundings, World } from "./ports.ts";
export { run } from "./run.ts";
