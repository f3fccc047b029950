/** Reads the files that a configuration names, as an agent does when it starts. */
import { parseConfig } from "../../agent/config.ts";
import { judgeConfigMode, loadSecrets } from "../../agent/real/secrets.ts";
import type { FileFindings, FoundConfig } from "../ports.ts";

/** What is wrong with the files of a configuration that is right in itself. */
export async function checkFiles({ path, text }: FoundConfig): Promise<FileFindings> {
  const read = parseConfig(text);
  if (read.kind === "wrong") return { problems: [], warnings: [] };
  const mode = await judgeConfigMode(path, read.config);
  return {
    problems: await loadSecrets(read.config).then(() => [], sentencesOf),
    warnings: mode === null ? [] : [mode],
  };
}

function sentencesOf(error: unknown): readonly string[] {
  const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
  return errors.map((one) => one instanceof Error ? one.message : String(one));
}
