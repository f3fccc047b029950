/**
 * Closing a server, as decisions over what is seen: the hard fence and the gentle close of a switchover.
 *
 * The order of the fence is what keeps a promise: super_read_only is requested first, and while it is
 * pending no new write commits. Then every client session is killed, so that none is told "committed".
 * Only then semi-sync goes off, which lets the waiting commits end and the request complete. The other way
 * round, unreplicated commits would be acknowledged.
 */
import { counted } from "./counted.ts";

/** One row of SHOW PROCESSLIST. That statement shows kills, performance_schema does not. */
export interface Session {
  readonly id: number;
  readonly user: string;
  readonly host: string;
  readonly command: string;
}

/** What a fence sees of a session besides. */
export interface ClosingSession extends Session {
  readonly state: string;
  /** Its statement. That of a plugin's session, such as one of the X Protocol, has "PLUGIN" in front. */
  readonly info: string;
}

/** One look at a server that is being closed, all read after `superReadOnly`. */
export interface FenceSeen {
  /** `@@super_read_only`: 1 also while the request hangs. Must be read before the sessions are. */
  readonly superReadOnly: boolean;
  readonly readOnly: boolean;
  /** The request of this fence: not sent, hanging, or ended. An ended one that failed counts as "none". */
  readonly request: "none" | "pending" | "completed";
  readonly sessions: readonly ClosingSession[];
  /** Sessions whose KILL returned, or was answered with "unknown thread" (1094). */
  readonly killedIds: ReadonlySet<number>;
  readonly agentConnectionIds: ReadonlySet<number>;
  readonly semiSyncSourceEnabled: boolean;
  /** GTIDs that sessions hold, `@@gtid_owned`: not empty while a commit waits. */
  readonly owned: string;
  /** How many prepared XA transactions XA RECOVER lists. */
  readonly xaPending: number;
}

/** What a fence remembers from one look to the next. */
export interface FenceMemory {
  /** Sessions of the first list that was read after super_read_only read 1; null before. */
  readonly olderIds: ReadonlySet<number> | null;
}

/** One thing a fence does next, in order. */
export type FenceAction =
  /** On a connection of its own, as it may hang. */
  | { readonly kind: "requestSuperReadOnly" }
  | { readonly kind: "kill"; readonly ids: readonly number[] }
  | { readonly kind: "semiSyncOff" }
  /** Nothing to do but look again. */
  | { readonly kind: "wait"; readonly because: string }
  /**
   * Closed, nobody waits: the server's position is true from here on. Where `admitClients` is false, prepared
   * XA transactions wait for somebody: offline_mode must keep clients out until they are resolved.
   */
  | { readonly kind: "done"; readonly admitClients: boolean }
  /** SQL cannot close this server: SIGKILL, and no clients until an operator resolved it. */
  | { readonly kind: "mustKillServer"; readonly because: string };

/** What the fence does next, and what it must remember. */
export interface FenceStep {
  readonly memory: FenceMemory;
  readonly actions: readonly FenceAction[];
}

/** The memory of a fence that has seen nothing. */
export const fenceStart: FenceMemory = { olderIds: null };

/** The next actions of a hard fence. */
export function fence(memory: FenceMemory, seen: FenceSeen): FenceStep {
  const clients = clientSessions(seen);
  // The request must be ours: another's may be cut off, and its super_read_only would read 0 again.
  const reading = seen.superReadOnly && seen.request !== "none";
  const seenIds = memory.olderIds ?? new Set(clients.map(({ id }) => id));
  // Where the reading falls back to 0 new commits may have begun, so the count starts again.
  const olderIds = reading ? seenIds : null;
  const actions: FenceAction[] = [];
  if (seen.request === "none") actions.push({ kind: "requestSuperReadOnly" });
  const living = clients.filter((session) => !isKilled(session, seen));
  if (living.length > 0) actions.push({ kind: "kill", ids: living.map(({ id }) => id) });
  const older = living.filter(({ id }) => olderIds === null || olderIds.has(id));
  if (olderIds !== null && older.length === 0) {
    actions.push(stillHearing(clients.filter(({ id }) => olderIds.has(id)), seen) ?? ending(seen));
  } else if (actions.length === 0) actions.push(waitForReading);
  return { memory: { olderIds }, actions };
}

/** One thing a planned close does next. */
export type CloseAction =
  | { readonly kind: "requestSuperReadOnly" }
  | { readonly kind: "wait"; readonly because: string }
  | { readonly kind: "done" }
  /** Run `reopen`: the old leader stays the leader. */
  | { readonly kind: "giveUp"; readonly because: string };

/**
 * The next action of a planned close: nobody is killed, commits that wait get their acknowledgements, new
 * writes wait behind the request. When it is done, `fence` has nothing left but to throw the clients out.
 */
export function plannedClose(seen: FenceSeen, outOfTime: boolean): CloseAction {
  if (seen.xaPending > 0) {
    const pending = counted(
      seen.xaPending,
      "prepared XA transaction is",
      "prepared XA transactions are",
    );
    return { kind: "giveUp", because: `${pending} pending` };
  }
  if (isClosed(seen) && seen.owned === "") return { kind: "done" };
  const because = "commits that wait for their acknowledgement hold the close up";
  if (outOfTime) return { kind: "giveUp", because };
  if (seen.request === "none") return { kind: "requestSuperReadOnly" };
  return { kind: "wait", because };
}

/** What a given-up planned close does next. Only before the point of no return. */
export type ReopenAction =
  /** KILL of the connection that holds the request; then look again. */
  | { readonly kind: "killRequest" }
  | { readonly kind: "run"; readonly sql: string }
  | { readonly kind: "done" };

/** Takes a planned close back: first the request that hangs, else it would land after the opening. */
export function reopen(
  seen: Pick<FenceSeen, "superReadOnly" | "readOnly" | "request">,
): ReopenAction {
  if (seen.request === "pending") return { kind: "killRequest" };
  if (seen.superReadOnly) return { kind: "run", sql: "SET GLOBAL super_read_only = OFF" };
  if (seen.readOnly) return { kind: "run", sql: "SET GLOBAL read_only = OFF" };
  return { kind: "done" };
}

/** The statements of a fence; they have the same words in every version. */
export const fenceSql = {
  requestSuperReadOnly: "SET GLOBAL super_read_only = ON",
  kill: (id: number) => `KILL CONNECTION ${id}`,
  /** Run these two in this order: the reading must be older than the list. */
  look: "SELECT @@GLOBAL.super_read_only AS super_read_only, @@GLOBAL.read_only AS read_only, " +
    "@@GLOBAL.gtid_owned AS gtid_owned",
  sessions: "SHOW PROCESSLIST",
  xaRecover: "XA RECOVER",
} as const;

/** Sessions that a client might hear an acknowledgement on. */
export function clientSessions<One extends Session>(
  seen: { readonly sessions: readonly One[]; readonly agentConnectionIds: ReadonlySet<number> },
): readonly One[] {
  return seen.sessions.filter((session) =>
    !isSystem(session) && !session.command.startsWith("Binlog Dump") &&
    !seen.agentConnectionIds.has(session.id)
  );
}

/** Threads of replication and the event scheduler. A client might be called so, but would have a host. */
export function isSystem({ user, host, command }: Session): boolean {
  if (command === "Daemon") return true;
  return user === "system user" && (host === "" || host === "connecting host");
}

function isKilled(session: Session, seen: FenceSeen): boolean {
  return session.command === "Killed" || seen.killedIds.has(session.id);
}

/**
 * A KILL closes the socket of a session, but not that of a plugin: a client over the X Protocol goes on to
 * hear how its statement ended. One that commits waits for its acknowledgement in spite of the KILL, and
 * without semi-sync would hear "committed". Any other statement ends by the KILL.
 */
function stillHearing(older: readonly ClosingSession[], seen: FenceSeen): FenceAction | null {
  if (!seen.semiSyncSourceEnabled) return null;
  const working = older.filter(pluginWorks);
  if (working.some(({ state }) => commitState.test(state))) {
    return {
      kind: "mustKillServer",
      because: "a client over the X Protocol waits in a commit, and its KILL does not close its " +
        "connection",
    };
  }
  if (working.length === 0) return null;
  return { kind: "wait", because: "a statement over the X Protocol ends by its KILL" };
}

/** Waiting for its own acknowledgement, or behind a commit that does. */
const commitState = /semi-?sync|commit/i;

function pluginWorks({ command, state, info }: ClosingSession): boolean {
  if (!info.startsWith("PLUGIN")) return false;
  const idle = info === "PLUGIN" && (command === "Sleep" || command === "Killed") && state === "";
  return !idle;
}

const waitForReading: FenceAction = {
  kind: "wait",
  because: "super_read_only does not read ON yet",
};

/** No session that is older than the closed reading can hear an acknowledgement any more. */
function ending(seen: FenceSeen): FenceAction {
  if (seen.semiSyncSourceEnabled && seen.xaPending > 0) {
    return {
      kind: "mustKillServer",
      because: `${counted(seen.xaPending, "prepared XA transaction")} could still be committed, ` +
        "as XA COMMIT ignores super_read_only",
    };
  }
  if (seen.semiSyncSourceEnabled) return { kind: "semiSyncOff" };
  if (isClosed(seen) && seen.owned === "") {
    return { kind: "done", admitClients: seen.xaPending === 0 };
  }
  return { kind: "wait", because: "the last commits end before super_read_only completes" };
}

/** While the request hangs only super_read_only reads ON; read_only follows when it completes. */
function isClosed(seen: FenceSeen): boolean {
  return seen.request === "completed" && seen.superReadOnly && seen.readOnly;
}
