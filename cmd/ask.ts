/** One wish to the agent of this host, and its answer in sentences. */
import { CommandError, type Outcome } from "./exit.ts";
import { silentAgent } from "./gather.ts";
import type { Answer, Cluster, Question } from "./ports.ts";
import { tellSentences } from "./sentences.ts";

export interface Wish extends Question {
  /** Behind "Cannot": "change the account". */
  readonly what: string;
  /** The operator's next step when it is refused. */
  readonly next: string;
}

/** What the agent answered; throws when it is silent or refuses. */
export async function askAgent(
  cluster: Cluster,
  { what, next, ...question }: Wish,
): Promise<Answer & { readonly kind: "answered" }> {
  const answer = await cluster.call(cluster.local, question);
  if (answer.kind === "answered") return answer;
  if (answer.kind === "silent") throw silentAgent(cluster.local, answer, 0);
  const said = answer.because.startsWith(`Cannot ${what}`);
  throw new CommandError(said ? answer.because : `Cannot ${what}: ${answer.because}`, { next });
}

/** Lets the agent do something and prints what it did. */
export async function tellAgent(cluster: Cluster, wish: Wish): Promise<Outcome> {
  return tellSentences(cluster.local, await askAgent(cluster, wish));
}
