/** What the database port is made from, what it is asked and what it answers. */

import type { Endpoint } from "./client.ts";
import type { DatabaseErrorKind } from "./client_error.ts";
import type { ServerFacts } from "./facts.ts";
import type { ReplicaName } from "./replication_account.ts";
import type { Sysvars } from "./sysvars.ts";

export interface DatabaseSettings {
  /** Where the server is, and the account of the agent. */
  readonly endpoint: Endpoint;
  /** A second way in for the fence, such as the server's admin_port. */
  readonly adminEndpoint?: Endpoint;
  /** Name and password of which the accounts of the replicas are made. */
  readonly replication: { readonly user: string; readonly password: string };
  readonly leaderSysvars: Sysvars;
  readonly followerSysvars: Sysvars;
  /** Limit for connecting and logging in. */
  readonly connectMs: number;
  /** Limit of a statement that normally takes a millisecond. */
  readonly statementMs: number;
  /** Limit of the fence that a freeze or an arrangement needs by itself. */
  readonly fenceMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** A connection that is kept open was closed by the server. */
  readonly lost?: () => void;
  /** Hears of settings of the operator that the server refused. */
  readonly warn?: (sentence: string) => void;
  /** Hears how many milliseconds each statement took. */
  readonly timing?: (what: string, ms: number) => void;
}

/** What came of one look; see the port `Database` of the agent. */
export type LookResult =
  | { readonly kind: "seen"; readonly facts: ServerFacts; readonly stalled: boolean }
  | {
    readonly kind: "failed";
    readonly reason: DatabaseErrorKind | "stalled";
    readonly because: string;
  };

export interface Promotion {
  readonly clusterUuid: string;
  readonly term: number;
  readonly k: number;
  readonly held: string;
  /** Who may replicate from here, this server itself too: it may follow one day. */
  readonly replicas: readonly ReplicaName[];
  readonly progress: (sentence: string) => void;
}

export interface Following {
  readonly source: { readonly host: string; readonly port: number } | null;
  readonly acknowledge: boolean;
  /** As whom this server logs in there. */
  readonly replica: ReplicaName;
  /** Whose accounts a promotion here would look after. */
  readonly replicas?: readonly ReplicaName[];
  /** See `FollowGoal`. */
  readonly mayForget?: boolean;
  readonly mayResume?: boolean;
}

/** What a round of upkeep came to. */
export interface Round {
  readonly settled: boolean;
  readonly because: string | null;
  /** What was done to an open leader that somebody had changed: one sentence for the log. */
  readonly mended?: string;
}

/** What an operation of a leader belongs to. */
export interface Leadership {
  /** Aborted when the leadership is over. */
  readonly signal: AbortSignal;
  /**
   * Asked right before each statement: does the run of the server that was elected go on? A process
   * that was frozen in between may hold a connection to the next run, which must not be opened.
   */
  readonly entitled: () => boolean;
}

/** What an open leader is kept at. */
export interface Upkeep {
  readonly clusterUuid: string;
  readonly term: number;
  /** Acknowledgements that commits need; null leaves the settings as they are. */
  readonly k: number | null;
  /** Who may replicate from here. */
  readonly replicas: readonly ReplicaName[];
}
