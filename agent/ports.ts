/**
 * What a running agent needs of the outside world, and nothing more. Adapters fit by shape: the real
 * ones live in `real/` and in the IO files of `mysql/`, the tests bring fakes with behaviour.
 */
import type { AccountWish } from "../mysql/accounts.ts";
import type { ServerFacts } from "../mysql/facts.ts";
import type { Statement } from "../mysql/plan.ts";
import type { BinaryLog } from "../mysql/plan_purge.ts";
import type { ReplicaName } from "../mysql/replication_account.ts";

/** Monotonic time and timers of this process. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /** Calls back once after at least `ms`; the result cancels it. */
  after(ms: number, call: () => void): () => void;
}

/** Small files that must survive. `call` names the place that asks, so that a test can break one. */
export interface Files {
  /** Null when there is no such file. */
  read(call: string, path: string): Promise<string | null>;
  writeDurably(call: string, path: string, text: string): Promise<void>;
}

/** What came of a call to another agent. `refused`: nobody listens there, the process is gone. */
export type PeerAnswer =
  | { readonly ok: unknown }
  | { readonly failed: { readonly kind: string; readonly because: string } };

/** Calls to other agents; always answered within the deadline, never rejected. */
export interface Peers {
  call(
    endpoint: string,
    question: {
      readonly method: string;
      readonly params: unknown;
      /** The params hold a password: nobody on the wire reads them. */
      readonly confidential?: boolean;
    },
    options: { readonly deadlineMs: number; readonly signal?: AbortSignal },
  ): Promise<PeerAnswer>;
}

/** Does this MySQL take connections from here? False after the deadline; never rejects. */
export type TakesConnections = (
  server: { readonly host: string; readonly port: number },
  deadlineMs: number,
) => Promise<boolean>;

/** One look at the server, or why there was none. */
export type Look =
  /** stalled: a statement of the agent's own kept the server from answering meanwhile. */
  | { readonly kind: "seen"; readonly facts: ServerFacts; readonly stalled?: boolean }
  /** refused: nothing listens. denied: the account is wrong. timeout and stalled: no answer in time. */
  | {
    readonly kind: "failed";
    readonly reason: "refused" | "denied" | "timeout" | "stalled" | "lost" | "sql";
    readonly because: string;
  };

/** Ends early with an error when the leadership (or the agent) it belongs to is over. */
export interface Scope {
  readonly signal: AbortSignal;
  /** Does the run of the server that was elected go on? Asked right before each statement. */
  readonly entitled: () => boolean;
}

export interface PromoteWish {
  readonly clusterUuid: string;
  readonly term: number;
  readonly k: number;
  /** GTID set that the voters were told; must be executed before anything is opened. */
  readonly held: string;
  /** Who may replicate from here, this server itself too. */
  readonly replicas: readonly ReplicaName[];
  /** One sentence a step: "wait until 12 received transactions are applied". */
  readonly progress: (sentence: string) => void;
}

/** The MySQL beside this agent. Every call has its own deadline; errors are `Error`s with a sentence. */
export interface Database {
  /** Facts over connections of their own: a busy work queue does not delay them. */
  look(deadlineMs: number): Promise<Look>;
  /**
   * Receives up to `until` (a GTID set; bounded by `untilMs`), stops the receiver, makes sure that
   * the server is closed (fences it when it is open). Gives the held set, read afterwards.
   */
  freeze(wish: { readonly until: string; readonly untilMs: number }): Promise<string>;
  /** The whole promotion up to the verified opening. */
  promote(wish: PromoteWish, scope: Scope): Promise<void>;
  /**
   * Closes at any price, over connections opened beforehand. Ends every operation of the queue. The
   * result "mustKill" says that SQL cannot do it (or not in time): SIGKILL is what remains.
   */
  fence(deadlineMs: number): Promise<
    { readonly kind: "closed" } | { readonly kind: "mustKill"; readonly because: string }
  >;
  /** Planned close; gives the executed set. When it fails it has reopened the server, or says so. */
  close(deadlineMs: number, scope: Scope): Promise<string>;
  /** Behind a planned close: semi-sync goes off while the candidate still reads here. Never rejects. */
  release(): Promise<void>;
  /**
   * One round of the follow plan. Null source: replicate from nobody. True when nothing was left to
   * do. Called at every look, so it must be quick when all is well.
   */
  follow(
    wish: {
      readonly source: { readonly host: string; readonly port: number } | null;
      readonly acknowledge: boolean;
      /** As whom this server logs in there. */
      readonly replica: ReplicaName;
      /** Whose accounts a promotion here would look after. */
      readonly replicas: readonly ReplicaName[];
      /** This node is uncertain: what it received may be thrown away where it cannot be read. */
      readonly mayForget: boolean;
      /** An applier that stopped for want of space, memory or a lock tries again. */
      readonly mayResume: boolean;
    },
    facts: ServerFacts,
  ): Promise<{ readonly settled: boolean; readonly because: string | null }>;
  /**
   * Leader's upkeep: k, durability, accounts, lower markers, forgotten source; true when nothing was left to
   * do. `mended` is a sentence for the log about settings that somebody had changed. A server that confirms
   * commits which nobody else has, and cannot be mended, is closed.
   */
  settle(
    wish: {
      readonly clusterUuid: string;
      readonly term: number;
      /** Null leaves the acknowledgement settings as they are. */
      readonly k: number | null;
      /** Whose accounts must be there. */
      readonly replicas: readonly ReplicaName[];
    },
    facts: ServerFacts,
  ): Promise<{
    readonly settled: boolean;
    readonly because: string | null;
    readonly mended?: string;
  }>;
  /** Acknowledgement settings before or after a vote moves, proven by a commit (see raft effect). */
  arrange(
    wish: {
      readonly k: number;
      /** The replica that is shut out, and those that go on. */
      readonly cutOff:
        | { readonly replica: ReplicaName; readonly staying: readonly ReplicaName[] }
        | null;
    },
    scope: Scope,
  ): Promise<void>;
  /** Once for each run of the server, while it does not lead: plugins, boot-closed settings. */
  prepare(): Promise<void>;
  /**
   * An empty transaction on a fresh connection: releases commits whose acknowledgement was lost. Nothing
   * while enough of them wait for theirs.
   */
  nudge(deadlineMs: number): Promise<void>;
  /**
   * Lets so many more connections in where all are taken, until the server's next start. Gives how many
   * there may be then; null where there was room.
   */
  makeRoom(more: number): Promise<number | null>;
  /** Closes the connections of the moment: a server that is told to stop waits for them. */
  letGo(): Promise<void>;
  /** Closes all connections. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A mysqld process as the supervision knows it. */
export interface ServerIdentity {
  readonly pid: number;
  /** Clock ticks since boot, field 22 of /proc/PID/stat: with the pid it names one process for ever. */
  readonly startTime: string;
  readonly bootId: string;
  /** The three together in one word. */
  readonly incarnation: string;
}

/** The process of the server: whether it lives, and how it starts and stops. */
export interface Server {
  identify(): Promise<ServerIdentity | null>;
  /** Synchronous and cheap (well under a millisecond); meant for every 20 ms. */
  glance(identity: ServerIdentity): "running" | "stopped" | "uninterruptible" | "dead";
  start(): Promise<unknown>;
  /** SIGKILL; the only end for a server that may be an unfenced leader. */
  kill(identity: ServerIdentity): void;
  /** Asks the server to stop. Only for one that is fenced: see `kill`. */
  terminate(identity: ServerIdentity): Promise<void>;
  /** The last lines of its error log, as a part of a sentence. */
  whyItDied(): string;
  /** Its data folder when that holds no data; null while it does, or where it is not known. */
  emptyDataFolder(): Promise<string | null>;
  /** Its data folder when there is no space to start a server in; null while there is. */
  fullDataFolder(): Promise<string | null>;
}

/** What an operator asks of the server that has nothing to do with who leads. */
export interface Administration {
  accounts(): Promise<
    readonly { readonly user: string; readonly host: string; readonly superior: boolean }[]
  >;
  changeAccount(wish: AccountWish): Promise<void>;
  setGlobals(settings: Statement): Promise<void>;
  binaryLogs(): Promise<readonly BinaryLog[]>;
  /** Removes all binary logs before this one. */
  purge(to: string): Promise<void>;
}

/** What the jobs of the agent mean for the node. */
export interface JobView {
  /** The original's word for the column Backup. */
  readonly word: string;
  /** Why the newest job failed; empty when it did not. */
  readonly lastError: string;
  /** The newest good backup that this host took; null where none is remembered. */
  readonly lastBackup: { readonly endedAt: string; readonly sentence: string } | null;
  /** Why the server is left to a job; null while it is the agent's as usual. */
  readonly apart: string | null;
  /** Why nobody else may start or stop the server: a job replaces what it runs on. Null while none does. */
  readonly holds: string | null;
}

/** Structured log; `facts` become key=value behind the sentence. */
export interface Log {
  write(
    level: "debug" | "info" | "warning" | "error",
    sentence: string,
    facts: Readonly<Record<string, string | number>>,
  ): void;
}

/** Commands of the operator at a change of leadership. */
export interface Hooks {
  leaderStart(
    environment: Readonly<Record<string, string>>,
    scope: { readonly signal: AbortSignal },
  ): Promise<void>;
  leaderStop(environment: Readonly<Record<string, string>>): Promise<void>;
}
