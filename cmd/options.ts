/** What every command may be told, whatever its group. */

/** What `-o` takes: tables for people, values and lines for programs. */
export const outputForms = ["table", "wide", "json", "yaml", "tsv"] as const;

export type OutputForm = typeof outputForms[number];

/** How facts are shown: `exact` is the original's JSON, with its keys and no others. */
export type FactsForm = OutputForm | "exact";

/** Options every command has. */
export interface CommonOptions {
  /** The config named on the command line. */
  readonly config: string | undefined;
  /** How long the agents may take, in milliseconds. */
  readonly timeoutMs: number | undefined;
}
