/**
 * The port of a copy method: how the files of a running server, the donor, come into an empty folder
 * of this host, the joiner. A rebuild and a backup are the same plan over either method.
 *
 * A method only ever writes below the folders that its wish names. It starts no server on the copy,
 * and moves or removes nothing of the joiner's own data: that is the rebuild's business.
 */

/** The names of the methods, as `--method` takes them besides `auto`. */
export const copyMethodNames = ["clone", "xtrabackup"] as const;

export type CopyMethodName = typeof copyMethodNames[number];

/** The server that is copied. */
export interface CopyDonor {
  /** `host:port` of its agent, which RPC calls go to. */
  readonly id: string;
  /** Where its MySQL listens for the joiner. */
  readonly mysql: { readonly host: string; readonly port: number };
  /** As the server says it: "8.0.36". */
  readonly version: string;
  /** How many bytes its data files have; null while that cannot be known. */
  readonly dataBytes: number | null;
}

/** What is to be copied, and where to. The same wish goes to all calls of one copy. */
export interface CopyWish {
  readonly donor: CopyDonor;
  /** Absolute path of the copy. It does not exist yet, its parent does; the method makes it. */
  readonly target: string;
  /** A folder for what the method needs besides. It exists and goes with all its content afterwards. */
  readonly workFolder: string;
  /** Whom the files belong to: the user of the server that will run on them. */
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly limits: CopyLimits;
}

/** How hard a copy may work. Methods use what they have a word for. */
export interface CopyLimits {
  /** Threads or files at a time. */
  readonly parallel: number;
  readonly iopsMax: number;
  /** Memory for the preparation, as xtrabackup takes it, such as "2GB". */
  readonly useMemory: string;
}

/** Where a copy stands. */
export interface CopyProgress {
  readonly bytesDone: number;
  /** Null while nobody knows. */
  readonly bytesTotal: number | null;
}

/** What a running call reports to, and what ends it. */
export interface CopyControl {
  /** As often as the method likes; the caller smooths. */
  readonly progress: (progress: CopyProgress) => void;
  /** One sentence for the operator, without secrets. */
  readonly say: (sentence: string) => void;
  /** Aborted by a cancel and by the end of the agent: the call ends what it started and rejects. */
  readonly signal: AbortSignal;
}

/** What a copy that begins before its step waits for, and what ends it. */
export interface CopyStart {
  /** Resolves when the donor is well and has what the copy must hold. */
  readonly donorReady: Promise<void>;
  readonly signal: AbortSignal;
}

/** What a finished copy is known to hold. */
export interface Copied {
  /**
   * The GTIDs in the copy where a file of the method tells them; null where the server itself knows
   * them once it is started on the copy.
   */
  readonly gtids: string | null;
  readonly bytes: number;
}

/** One way to copy a server. Every call rejects with an Error whose message is a sentence. */
export interface CopyMethod {
  readonly name: CopyMethodName;
  /**
   * Everything that speaks against this copy: tools, versions, accounts, the way to the donor. All of
   * it in one list of sentences with their next step; empty when nothing does. Changes nothing on the
   * joiner, and on the donor only what the copy needs (a plugin, an account).
   */
  check(wish: CopyWish, control: CopyControl): Promise<readonly string[]>;
  /**
   * Begins the copy while the steps before it run: at once what it needs on this host and what takes its
   * time, and the copying itself when the donor is ready. The wish's work folder exists then. A failure
   * is told by `copy`; `abandon` ends what was begun.
   */
  readonly begin?: (wish: CopyWish, start: CopyStart) => void;
  /** Step S9: the copy itself. When it rejects, what it left below the wish's folders is no harm. */
  copy(wish: CopyWish, control: CopyControl): Promise<Copied>;
  /**
   * Step S10: makes the copy startable, such as applying the log that was copied beside the data.
   * Absent where the copy is startable as it is; the step is "not needed" then.
   */
  readonly prepare?: (wish: CopyWish, control: CopyControl) => Promise<void>;
  /**
   * Ends what a call of this or of an earlier agent may have left running on this host, such as a
   * program that still writes below the wish's folders. Called before those are removed; never rejects for "nothing".
   */
  readonly abandon?: (wish: CopyWish) => Promise<void>;
}
