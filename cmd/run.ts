/** From the words of a command line to its outcome, through the ports it is handed. */
import { runCluster } from "./cluster.ts";
import type { Command } from "./command.ts";
import { completeWord, completeWords } from "./completion.ts";
import { completionScripts } from "./completion_scripts.ts";
import { runConfig } from "./config.ts";
import { type ExitCode, exitCodes, explain, failure, type Outcome, success } from "./exit.ts";
import { runJobs } from "./jobs.ts";
import { runInit } from "./init.ts";
import { findConfig } from "./lookup.ts";
import { runMysql } from "./mysql.ts";
import { runPerf } from "./perf.ts";
import type { Surroundings } from "./ports.ts";
import { buildTree, parseArguments } from "./program.ts";
import { runRaft } from "./raft.ts";
import { runVersion } from "./version.ts";
import { runXenon } from "./xenon.ts";

/** Understands and runs one command line. Never rejects. */
export async function run(words: readonly string[], around: Surroundings): Promise<Outcome> {
  try {
    if (words[0] === completeWord) {
      return await completeWords(buildTree(() => {}), words, around);
    }
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
  switch (command.group) {
    case "version":
      return await runVersion(command, around);
    case "agent":
      return ended(await programs.runAgent(await findConfig(world, command.common.config), world));
    case "demo":
      return ended(await programs.runDemo(command, world));
    case "cluster":
      return await runCluster(command, around);
    case "jobs":
      return await runJobs(command, around);
    case "mysql":
      return await runMysql(command, around);
    case "raft":
      return await runRaft(command, around);
    case "init":
      return await runInit(command, around);
    case "completion":
      return success(completionScripts[command.shell]);
    case "config":
      return await runConfig(command, around);
    case "xenon":
      return await runXenon(command, around);
    case "perf":
      return await runPerf(command, around);
  }
}

/** A program that ran for long has printed everything itself. */
function ended(code: number): Outcome {
  const known = Object.values(exitCodes).find((one) => one === code);
  const shown: ExitCode = known ?? exitCodes.failed;
  return { code: shown, stdout: "", stderr: "" };
}
