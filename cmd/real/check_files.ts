/** Reads the files that a configuration names, as an agent does when it starts. */
import { parseConfig } from "../../agent/config.ts";
import { judgeConfigMode, loadSecrets } from "../../agent/real/secrets.ts";
import type { Config } from "../../agent/config_shape.ts";
import type { FileFindings, FoundConfig } from "../ports.ts";
import { readServerPlace } from "./server.ts";
import { messageOf } from "../../mysql/message_of.ts";

/** What is wrong with the files of a configuration that is right in itself. */
export async function checkFiles({ path, text }: FoundConfig): Promise<FileFindings> {
  const read = parseConfig(text);
  if (read.kind === "wrong") return { problems: [], warnings: [] };
  const mode = await judgeConfigMode(path, read.config);
  return {
    problems: await loadSecrets(read.config).then(() => [], sentencesOf),
    warnings: [...(mode === null ? [] : [mode]), ...await serverFiles(read.config)],
  };
}

/** The agent starts without them, and finds no server to start. */
async function serverFiles(config: Config): Promise<readonly string[]> {
  if (config.raft.witness) return [];
  const { mysqld, defaultsFile } = await readServerPlace(config);
  const named = [["mysql.defaults-file", defaultsFile]];
  if (config.mysql.service === null) named.push(["mysql.mysqld", mysqld]);
  const warnings: string[] = [];
  for (const [key = "", path = ""] of named) {
    const absent = await Deno.stat(path).then(() => false, isNotFound);
    if (absent) warnings.push(`${key}: ${JSON.stringify(path)} does not exist`);
  }
  return warnings;
}

function isNotFound(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound;
}

function sentencesOf(error: unknown): readonly string[] {
  const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
  return errors.map(messageOf);
}
