/** What an operator can ask for, after the words of the command line are understood. */

export type OutputForm = "table" | "json";

/** Options every command has. */
export interface CommonOptions {
  /** The config named on the command line. */
  readonly config: string | undefined;
  /** How long one question to the agents may take, in milliseconds. */
  readonly timeoutMs: number | undefined;
}

/** How facts are shown: `exact` is the original's JSON, with its keys and no others. */
export type FactsForm = OutputForm | "exact";

export type Command =
  | { readonly kind: "version" }
  | { readonly kind: "agent"; readonly common: CommonOptions }
  | {
    readonly kind: "demo";
    readonly keep: boolean;
    readonly mysqld: string | undefined;
    readonly writers: number;
  }
  | {
    readonly kind: "clusterAdd" | "clusterRemove";
    readonly nodes: readonly string[];
    readonly common: CommonOptions;
  }
  | {
    readonly kind: "clusterStatus" | "clusterGtid";
    readonly form: FactsForm;
    readonly common: CommonOptions;
  }
  | {
    readonly kind: "mysqlStatus" | "raftStatus" | "raftNodes";
    readonly form: OutputForm;
    readonly common: CommonOptions;
  }
  | { readonly kind: "raftTryToLeader"; readonly common: CommonOptions };

/** What became of the words: a command, a text to show, or a mistake. */
export type Parsed =
  | { readonly kind: "command"; readonly command: Command }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "usageError"; readonly because: string };
