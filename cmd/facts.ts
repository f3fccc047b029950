/** Facts in every form that an operator can ask for: tables for people, values for programs. */
import { exitCodes, type Outcome, success } from "./exit.ts";
import type { FactsForm } from "./options.ts";
import { renderTable, renderTsv, type Table } from "./table.ts";
import { tint } from "./tone.ts";
import { renderYaml } from "./yaml.ts";

export interface Facts {
  readonly table: Table;
  /** The table with more columns, where there are more. */
  readonly wide?: Table;
  /** What stands in place of the table where lines read better. */
  readonly text?: string;
  /** Sentences for standard error: what a reader must know about the facts. */
  readonly notes?: readonly string[];
  /** Lines below the table, each with its end. */
  readonly below?: string;
  /** What `-o json` and `-o yaml` print. */
  readonly value: unknown;
  /** The original's JSON, where it has other keys than `value`. */
  readonly exact?: unknown;
  /** False when some of the nodes that were asked did not answer. */
  readonly complete?: boolean;
}

export interface Look {
  readonly form: FactsForm;
  /** True on a terminal that shows colours. */
  readonly colour: boolean;
}

/** The outcome of a command that prints facts. */
export function printFacts(facts: Facts, look: Look): Outcome {
  const code = facts.complete === false ? exitCodes.partial : exitCodes.ok;
  const stderr = (facts.notes ?? []).map((note) => `xenon: ${note}\n`).join("");
  return { ...success(textOf(facts, look), code), stderr };
}

function textOf(facts: Facts, { form, colour }: Look): string {
  const { table, wide = table, below = "", value, exact = value } = facts;
  const paint = colour ? tint : undefined;
  switch (form) {
    case "table":
      return facts.text ?? renderTable(table, paint) + below;
    case "wide":
      return facts.text ?? renderTable(wide, paint) + below;
    case "tsv":
      return renderTsv(wide);
    case "json":
      return `${JSON.stringify(value)}\n`;
    case "exact":
      return `${JSON.stringify(exact)}\n`;
    case "yaml":
      return renderYaml(value);
  }
}
