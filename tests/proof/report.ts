/** The outcomes of many runs as the table of docs/proof.md. */
import { median } from "../../cmd/demo/ledger.ts";
import type { Fault } from "./fault.ts";
import { complaintsOf, type Outcome } from "./outcome.ts";

/** Where and how it was measured, for whoever reads the table. */
export interface Occasion {
  readonly date: string;
  readonly machine: string;
  readonly versions: string;
  readonly command: string;
}

const begin = "<!-- table of make proof: begin -->";
const end = "<!-- table of make proof: end -->";
const columns = [
  "fault",
  "what happens, and how it is made",
  "runs x s",
  "outage median (max), ms",
  "acknowledged",
  "lost",
  "two acknowledge, s",
  "two open by flag, s",
  "two addresses, s",
  "whole without hands",
];

/** The whole part of the document between its two marks, marks included. */
export function reportOf(
  faults: readonly Fault[],
  outcomes: readonly Outcome[],
  occasion: Occasion,
): string {
  const runs = faults.map((fault) => {
    return { fault, mine: outcomes.filter((outcome) => outcome.fault === fault.name) };
  }).filter(({ mine }) => mine.length > 0);
  const rows = runs.map(({ fault, mine }) => rowOf(fault, mine));
  const wrong = runs.reduce((sum, { fault, mine }) => sum + wrongOf(fault, mine), 0);
  const lines = [columns, columns.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`);
  const { date, machine, versions, command } = occasion;
  return [
    begin,
    "",
    `${date}, ${machine}, ${versions}; \`${command}\`. ${outcomes.length} runs, of which ` +
    `${outcomes.length - wrong} ended as promised:`,
    "",
    ...lines,
    "",
    end,
  ].join("\n");
}

/** The document with its table replaced. Throws where the marks are missing. */
export function insertReport(document: string, report: string): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error("Cannot write the table as its marks are missing");
  return document.slice(0, from) + report + document.slice(to + end.length);
}

function rowOf(fault: Fault, all: readonly Outcome[]): readonly string[] {
  const good = all.filter(({ trouble }) => trouble === null);
  const outages = good.map(({ outageMs }) => outageMs);
  const most = (value: (outcome: Outcome) => number) =>
    (Math.max(0, ...good.map(value)) / 1_000).toFixed(1);
  const seconds = fault.lasts === "a while" ? ` x ${(all[0]?.awayMs ?? 0) / 1_000}` : "";
  return [
    `\`${fault.name}\``,
    `${fault.title} (${fault.made})`,
    `${all.length}${seconds}`,
    `${Math.round(median(outages))} (${Math.round(Math.max(...outages))})`,
    String(good.reduce((sum, { acknowledged }) => sum + acknowledged, 0)),
    String(good.reduce((sum, { lost }) => sum + lost, 0)),
    most(({ twoAcknowledgingMs }) => twoAcknowledgingMs),
    most(({ twoOpenMs }) => twoOpenMs),
    most(({ twoHoldersMs }) => twoHoldersMs),
    wholeOf(fault, all),
  ];
}

/** An INVALID former leader is legal; it is counted and named for itself. */
function wholeOf(fault: Fault, all: readonly Outcome[]): string {
  const wrong = wrongOf(fault, all);
  const invalid = all.filter((outcome) => outcome.invalid.length > 0).length;
  const whole = all.length - wrong - invalid;
  return [
    `${whole} of ${all.length}`,
    ...(invalid === 0 ? [] : [`${invalid} INVALID`]),
    ...(wrong === 0 ? [] : [`${wrong} WRONG`]),
  ].join(", ");
}

function wrongOf({ expect }: Fault, all: readonly Outcome[]): number {
  return all.filter((outcome) => complaintsOf(outcome, expect, outcome.awayMs).length > 0).length;
}
