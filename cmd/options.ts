/** What every command may be told, whatever its group. */

export type OutputForm = "table" | "json";

/** How facts are shown: `exact` is the original's JSON, with its keys and no others. */
export type FactsForm = OutputForm | "exact";

/** Options every command has. */
export interface CommonOptions {
  /** The config named on the command line. */
  readonly config: string | undefined;
  /** How long one question to the agents may take, in milliseconds. */
  readonly timeoutMs: number | undefined;
}
