/** What an agent did, told in its own sentences: the answer to every command that changes something. */
import { CommandError, type Outcome, success } from "./exit.ts";
import type { Answer } from "./ports.ts";

/** An agent says one sentence a node, and a few about the whole. */
const sentencesMax = 100;
const sentenceCharactersMax = 1000;

/** Prints the sentences of an answer, one a line. Throws where the answer holds none. */
export function tellSentences(agent: string, answer: Answer & { kind: "answered" }): Outcome {
  const { sentences } = (answer.result ?? {}) as { readonly sentences?: unknown };
  if (!Array.isArray(sentences) || !sentences.every((one) => typeof one === "string")) {
    throw new CommandError(`Cannot read what the agent at "${agent}" did, as it does not tell`, {
      next: "look at the result with xenon cluster status, and run the same version everywhere",
    });
  }
  const lines = sentences.slice(0, sentencesMax).map((sentence) =>
    `${sentence.replace(/\s+/g, " ").trim().slice(0, sentenceCharactersMax)}\n`
  );
  return success(lines.join(""));
}
