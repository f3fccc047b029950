/** `mysql start`, `shutdown`, `kill` and `sysvar`: the process and the settings of this host's server. */
import { askAgent, tellAgent } from "./ask.ts";
import { CommandError, type Outcome, success } from "./exit.ts";
import type { Cluster, World } from "./ports.ts";

export interface ServerWish {
  readonly what: "start" | "shutdown";
  readonly params: Readonly<Record<string, unknown>>;
  /** For all of it; the work goes on without the command after that. */
  readonly deadlineMs: number;
}

/** What the agent tells about its work on the server. */
interface WorkPage {
  readonly number: number;
  readonly state: "running" | "done" | "failed";
  readonly sentences: readonly string[];
}

const questionMs = 3_000;
const pollMs = 200;
const next = "look at it with xenon cluster status";

/** Starts or stops the server: each step is said as it happens, and the last one is the result. */
export async function workOnServer(
  cluster: Cluster,
  world: World,
  wish: ServerWish,
): Promise<Outcome> {
  const { what, params, deadlineMs } = wish;
  const endsAt = world.now() + deadlineMs;
  const ask = async (method: string) => {
    const question = { method, params: method === "mysql.work" ? {} : params };
    const answer = await askAgent(cluster, {
      ...question,
      deadlineMs: questionMs,
      what: `${what} mysqld`,
      next,
    });
    return pageOf(answer.result);
  };
  const first = await ask(`mysql.${what}`);
  let said = 0;
  for (let page = first;; page = await ask("mysql.work")) {
    if (page.number !== first.number) throw new CommandError(`Lost sight of the ${what}`, { next });
    const { sentences } = page;
    const steps = page.state === "running" ? sentences.length : sentences.length - 1;
    for (const sentence of sentences.slice(said, steps)) world.say(sentence);
    said = steps;
    if (page.state !== "running") return ended(what, page);
    if (world.now() >= endsAt) {
      const message = `The ${what} of mysqld still runs, and goes on without this command`;
      throw new CommandError(message, { next });
    }
    await world.sleep(pollMs);
  }
}

/** `mysql kill`: SIGKILL, which is safe on a leader too, as nothing is acknowledged any more. */
export async function killServer(cluster: Cluster, deadlineMs: number): Promise<Outcome> {
  const what = "kill mysqld";
  return await tellAgent(cluster, { method: "mysql.kill", params: {}, deadlineMs, what, next });
}

/** `mysql sysvar`: the agent reads the statement and sends settings of its own making. */
export async function setVariables(
  cluster: Cluster,
  wish: { readonly statement: string; readonly deadlineMs: number },
): Promise<Outcome> {
  return await tellAgent(cluster, {
    method: "mysql.setGlobal",
    params: { statement: wish.statement },
    deadlineMs: wish.deadlineMs,
    what: "set global variables",
    next: 'correct it, as in xenon mysql sysvar "SET GLOBAL long_query_time=0.5"',
  });
}

function ended(what: string, { state, sentences }: WorkPage): Outcome {
  const last = sentences.at(-1) ?? "";
  if (state === "done") return success(`${last}\n`);
  // An error log has lines of its own; they stand above the sentence.
  const [because = "", ...lines] = last.split("\n");
  const reason = because.replace(/ are:$/, " stand above");
  throw new CommandError(`Cannot ${what} mysqld: ${reason}`, { next, details: lines });
}

function pageOf(value: unknown): WorkPage {
  const { number, state, sentences } = (value ?? {}) as Partial<WorkPage>;
  const known = state === "running" || state === "done" || state === "failed";
  const readable = Array.isArray(sentences) && sentences.every((one) => typeof one === "string");
  if (known && readable && typeof number === "number") return { number, state, sentences };
  throw new CommandError("Cannot read what the agent does, as it does not tell", {
    next: "run the same version of xenon everywhere",
  });
}
