/** What a rebuild needs of the node it runs on and of the world. Adapters fit by shape. */
import type { ServerVariables } from "../mysql/server_variables.ts";
import type { CopyProgress } from "./copy_method.ts";
import type { DonorCandidate } from "./donor.ts";

/** The job that a rebuild is, as its agent hands it over. */
export interface Task {
  readonly number: number;
  /** What was remembered last; null at the very start. */
  readonly memo: unknown;
  /** True in an agent that found the job begun by an earlier one. */
  readonly resumed: boolean;
  readonly signal: AbortSignal;
  /** The signal was aborted because the agent ends: everything stays for the next one. */
  agentEnds(): boolean;
  say(line: string): void;
  progress(progress: CopyProgress): void;
  remember(step: {
    readonly step: string;
    readonly memo: Memo;
    readonly word?: "NONE" | "BACKUPING" | "APPLYLOGGING";
    readonly apart?: string | null;
  }): Promise<void>;
}

/** JSON without functions; the shape belongs to whoever remembers it. */
export type Memo =
  | null
  | boolean
  | number
  | string
  | readonly Memo[]
  | { readonly [key: string]: Memo };

/** The cluster as its members tell it now. */
export interface Survey {
  /** Null when nobody leads. */
  readonly leader: { readonly id: string; readonly executed: string } | null;
  /** Is this node a member? A new host is none until "cluster add". */
  readonly member: boolean;
  /** All that answered or should have, this node too. */
  readonly members: readonly DonorCandidate[];
  /** Members that count in an election, and how many of them it needs; 0 without a cluster. */
  readonly voters: readonly string[];
  readonly quorum: number;
}

/** This node and its server, as the agent sees them now. */
export interface LocalNode {
  readonly role: string;
  /** The server answers. */
  readonly alive: boolean;
  /** A process of it runs, whether it answers or not. */
  readonly running: boolean;
  /** It replicates from the leader with both threads. */
  readonly follows: boolean;
  /** It has everything that the leader had when its receiver connected. */
  readonly inStep: boolean;
  /** executed and received; null while the server does not answer. */
  readonly held: string | null;
  readonly executed: string;
  readonly sentence: string;
}

/** The node that is rebuilt. Every call rejects with a sentence, and ends by a deadline of its own. */
export interface Host {
  /** `host:port` of this agent. */
  readonly self: string;
  local(): LocalNode;
  survey(from: string | null): Promise<Survey>;
  /** Bytes of a donor's data files; null where it does not say. */
  dataBytes(donor: string): Promise<number | null>;
  /** Of the running server, else as its program reads the option files. */
  variables(): Promise<ServerVariables>;
  /** Stops the server and sees its end. */
  stopServer(): Promise<void>;
  /** Starts the server closed, replicating from nobody. */
  startServer(): Promise<void>;
  serverRuns(): Promise<boolean>;
  /** The agent shall look at the server now. */
  hurry(): void;
  /** Asks the server over SQL; rejects while it does not answer. Gives `gtid_executed`. */
  executed(): Promise<string>;
  /** Stops replication and forgets the source that the donor had. */
  forgetSource(): Promise<void>;
  /** Empties the binary logs and makes `gtids` the purged set. */
  setPurged(gtids: string): Promise<void>;
  /** The end of the error log, for a server that does not come up. */
  whyItDied(): string;
  /** A sentence when the error log says that commits may have been acknowledged without a replica. */
  forcedShutdown(): Promise<string | null>;
  /** Writes transactions of the running server to files; gives the folder. */
  saveTransactions(gtids: string, job: number): Promise<SavedTransactions>;
}

export interface SavedTransactions {
  readonly folder: string;
  /** What is in it, as a sentence. */
  readonly what: string;
  /** False when some of the transactions are only in the old data. */
  readonly complete: boolean;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Folders and files of the server. Nothing is removed whose path names no folder of a job. */
export interface Folders {
  /** Names of all entries; null where there is no such folder. */
  list(folder: string): Promise<readonly string[] | null>;
  /** With all links resolved; null where there is nothing. */
  realPath(path: string): Promise<string | null>;
  /** Renames one entry of a folder into another folder of the same file system. */
  move(name: string, from: string, to: string): Promise<void>;
  /** Puts the names in a folder on disk, as after moves; one that is not there is no error. */
  sync(folder: string): Promise<void>;
  /** Makes a folder that only its owner may enter, unless it is there. */
  make(folder: string, owner: Owner): Promise<void>;
  /** As `make`, for one caller only: false where it is there already. */
  makeNew(folder: string, owner: Owner): Promise<boolean>;
  owner(path: string): Promise<Owner | null>;
  /** Whom a new data folder belongs to: the user by this name, else who runs this agent. */
  ownerNamed(user: string | undefined): Promise<Owner>;
  /** Gives a folder and all below it to the owner. */
  give(folder: string, owner: Owner): Promise<void>;
  write(path: string, text: string, owner: Owner): Promise<void>;
  read(path: string): Promise<string | null>;
  /** Removes one file; one that is not there is no error. */
  removeFile(path: string): Promise<void>;
  /** Removes a tree of a job; refuses every other path. */
  removeTree(path: string): Promise<void>;
  freeBytes(folder: string): Promise<number>;
  /** The file system that a folder is on; null where there is none by this name, but a link, say. */
  device(path: string): Promise<number | null>;
}

/** Time for waits and durations. */
export interface Ticker {
  now(): number;
  /** Resolves after `ms`, or rejects as soon as the signal is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}
