/** From the words of a command line to its outcome, through the ports it is handed. */
import { clusterAdd, clusterGtid, clusterRemove, clusterStatus } from "./cluster.ts";
import type { Command, CommonOptions } from "./command.ts";
import { type ExitCode, exitCodes, explain, failure, type Outcome, success } from "./exit.ts";
import { usualDeadlineMs } from "./gather.ts";
import { findConfig } from "./lookup.ts";
import { mysqlStatus } from "./mysql.ts";
import type { Cluster, Programs, World } from "./ports.ts";
import { parseArguments } from "./program.ts";
import { raftNodes, raftStatus, raftTryToLeader } from "./raft.ts";

/** A membership change and a hand-over wait for other nodes' servers, not only for agents. */
const usualChangeDeadlineMs = 30_000;

/** What a command runs in. */
export interface Surroundings {
  readonly world: World;
  readonly programs: Programs;
}

/** Understands and runs one command line. Never rejects. */
export async function run(words: readonly string[], around: Surroundings): Promise<Outcome> {
  try {
    const parsed = parseArguments(words);
    if (parsed.kind === "help") return success(parsed.text);
    if (parsed.kind === "usageError") return failure(exitCodes.usage, parsed.because);
    return await runCommand(parsed.command, around);
  } catch (error) {
    return explain(error);
  }
}

async function runCommand(command: Command, around: Surroundings): Promise<Outcome> {
  const { world, programs } = around;
  switch (command.kind) {
    case "version":
      return success(`xenon ${world.version}\n`);
    case "agent":
      return ended(await programs.runAgent(await findConfig(world, command.common.config), world));
    case "demo":
      return ended(await programs.runDemo(command, world));
    case "clusterAdd":
    case "clusterRemove":
    case "raftTryToLeader":
      return await change(command, around);
    default:
      return await showFacts(command, around);
  }
}

async function change(
  command: Extract<Command, { kind: "clusterAdd" | "clusterRemove" | "raftTryToLeader" }>,
  around: Surroundings,
): Promise<Outcome> {
  const cluster = await open(command.common, around);
  const deadlineMs = command.common.timeoutMs ?? usualChangeDeadlineMs;
  switch (command.kind) {
    case "clusterAdd":
      return await clusterAdd(cluster, { nodes: command.nodes, deadlineMs });
    case "clusterRemove":
      return await clusterRemove(cluster, { nodes: command.nodes, deadlineMs });
    case "raftTryToLeader":
      return await raftTryToLeader(cluster, { deadlineMs });
  }
}

async function showFacts(
  command: Extract<Command, { readonly form: unknown }>,
  around: Surroundings,
): Promise<Outcome> {
  const cluster = await open(command.common, around);
  const deadlineMs = command.common.timeoutMs ?? usualDeadlineMs;
  switch (command.kind) {
    case "clusterStatus":
      return await clusterStatus(cluster, { form: command.form, deadlineMs });
    case "clusterGtid":
      return await clusterGtid(cluster, { form: command.form, deadlineMs });
    case "mysqlStatus":
      return await mysqlStatus(cluster, { form: command.form, deadlineMs });
    case "raftStatus":
      return await raftStatus(cluster, { form: command.form, deadlineMs });
    case "raftNodes":
      return await raftNodes(cluster, { form: command.form, deadlineMs });
  }
}

async function open(common: CommonOptions, { world, programs }: Surroundings): Promise<Cluster> {
  return await programs.openCluster(await findConfig(world, common.config));
}

/** A program that ran for long has printed everything itself. */
function ended(code: number): Outcome {
  const known = Object.values(exitCodes).find((one) => one === code);
  const shown: ExitCode = known ?? exitCodes.failed;
  return { code: shown, stdout: "", stderr: "" };
}
