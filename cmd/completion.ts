/** Answers a shell that completes a command line. It must be quick, and silent about every trouble. */
import { type Candidate, complete, type Completion } from "./complete.ts";
import { type Outcome, success } from "./exit.ts";
import { askLocal } from "./gather.ts";
import { openCluster } from "./open.ts";
import type { Surroundings } from "./ports.ts";
import { parseTimeout, type Tree } from "./tree/words.ts";

/** What the scripts call; it is no command for people. */
export const completeWord = "__complete";

/** A person waits at the keyboard, unless the line under the cursor says how long. */
const usualDeadlineMs = 1000;

/** One candidate a line, its help behind a tab. The words come behind `__complete --`. */
export async function completeWords(
  tree: Tree,
  words: readonly string[],
  around: Surroundings,
): Promise<Outcome> {
  const completion = complete(tree, words.slice(words[1] === "--" ? 2 : 1));
  if (completion.kind === "files") return success(":files\n");
  const candidates = completion.kind === "words"
    ? completion.candidates
    : await nodesOf(completion, { around, words });
  return success(candidates.map(({ value, help }) => `${plain(value)}\t${plain(help)}\n`).join(""));
}

async function nodesOf(
  { before, begun, taken }: Completion & { readonly kind: "nodes" },
  { around, words }: { readonly around: Surroundings; readonly words: readonly string[] },
): Promise<readonly Candidate[]> {
  try {
    const config = valueIn(words, "--config");
    const timeout = valueIn(words, "--timeout");
    const timeoutMs = timeout === undefined ? usualDeadlineMs : parseTimeout(timeout);
    const cluster = await openCluster({ config, timeoutMs }, around);
    const { members, leader } = await askLocal(cluster, timeoutMs);
    return members.filter((id) => id.startsWith(begun) && !taken.includes(id))
      .map((id) => ({ value: before + id, help: id === leader ? "leader" : "" }));
  } catch {
    // A shell has no place for the reason.
    return [];
  }
}

/** What the command line under the cursor says behind an option. */
function valueIn(words: readonly string[], option: string): string | undefined {
  const at = words.indexOf(option);
  const next = at < 0 ? undefined : words[at + 1];
  return next ?? words.find((word) => word.startsWith(`${option}=`))?.slice(option.length + 1);
}

/** A value with a control character could be more than one line to a shell. */
function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, " ");
}
