/** `cluster log`: the newest log lines of all nodes, merged by the times that stand on them. */
import { decodeLogPage, type LogPage } from "../agent/log_ring.ts";
import type { Facts } from "./facts.ts";
import { gather } from "./gather.ts";
import type { Cluster, World } from "./ports.ts";

export interface LogRequest {
  /** Milliseconds since 1970, both included. */
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly deadlineMs: number;
}

/** Clocks that differ by less are in step for a reader of a log. */
const offsetMsMin = 100;

type LogAnswer =
  | { readonly kind: "page"; readonly id: string; readonly page: LogPage; readonly clock: string }
  | { readonly kind: "none"; readonly id: string; readonly because: string };

/** The lines of a span of time, and what a reader must know about them. */
export async function clusterLog(
  cluster: Cluster,
  request: LogRequest,
  world: Pick<World, "date">,
): Promise<Facts> {
  const { nodes } = await gather(cluster, request.deadlineMs);
  const answers = await Promise.all(nodes.map(async (node): Promise<LogAnswer> => {
    if (node.kind === "missing") return { kind: "none", id: node.id, because: node.because };
    return await askForLog(cluster, node.id, { ...request, world });
  }));
  const lines = answers.flatMap((answer) =>
    answer.kind === "page" ? answer.page.lines.map((line) => ({ id: answer.id, ...line })) : []
  );
  // The order of equal times is that of the members, and a node's own lines keep theirs.
  lines.sort((left, right) => left.time < right.time ? -1 : left.time > right.time ? 1 : 0);
  const width = Math.max(0, ...answers.map(({ id }) => id.length));
  return {
    text: lines.map(({ id, line }) => `${id.padEnd(width)} ${line}\n`).join(""),
    table: {
      header: ["ID", "Time", "Line"],
      rows: lines.map((one) => [one.id, one.time, one.line]),
    },
    value: { log: lines },
    notes: answers.flatMap(notesOf).concat(answers.length > 1 ? [ownClocks] : []),
    complete: answers.every(({ kind }) => kind === "page"),
  };
}

const ownClocks =
  "Times are those of each host's own clock: lines of different hosts may have happened in another order";

async function askForLog(
  cluster: Cluster,
  id: string,
  { sinceMs, untilMs, deadlineMs, world }: LogRequest & { readonly world: Pick<World, "date"> },
): Promise<LogAnswer> {
  const askedAt = world.date();
  const params = { since: instant(sinceMs), until: instant(untilMs) };
  const answer = await cluster.call(id, { method: "node.log", params, deadlineMs });
  if (answer.kind !== "answered") return { kind: "none", id, because: answer.because };
  const page = decodeLogPage(answer.result);
  if (page === null) {
    return {
      kind: "none",
      id,
      because: "its answer holds no log: run the same version everywhere",
    };
  }
  const answeredAt = world.date();
  return { kind: "page", id, page, clock: clockNote(Date.parse(page.now), askedAt, answeredAt) };
}

/** How far the clock of a node is from this host's, when that is sure; else nothing. */
function clockNote(nodeMs: number, askedAt: number, answeredAt: number): string {
  const offsetMs = nodeMs - (askedAt + answeredAt) / 2;
  const doubtMs = Math.abs(answeredAt - askedAt) / 2;
  if (!(Math.abs(offsetMs) > doubtMs + offsetMsMin)) return "";
  const seconds = (Math.abs(offsetMs) / 1000).toFixed(1);
  return `its clock is ${seconds} s ${offsetMs > 0 ? "ahead of" : "behind"} the clock of this host`;
}

function notesOf(answer: LogAnswer): readonly string[] {
  const { id } = answer;
  if (answer.kind === "none") return [`${id}: no lines: ${answer.because}`];
  const { clock, page: { forgotBefore } } = answer;
  const notes = clock === "" ? [] : [`${id}: ${clock}`];
  if (forgotBefore === null) return notes;
  return [
    ...notes,
    `${id}: lines before ${forgotBefore} are not kept, read its log file or journal`,
  ];
}

/** Within what four digits of a year can say. */
function instant(ms: number): string {
  const [least, most] = [Date.UTC(1, 0), Date.UTC(9999, 11, 31, 23, 59, 59, 999)];
  return new Date(Math.min(most, Math.max(least, ms))).toISOString();
}
