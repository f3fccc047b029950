/** Facts about the server, reduced to what the protocol needs. Pure: one look in, one view out. */
import { isLaterLog } from "../mysql/binary_log_name.ts";
import { applierGaveUp, type ServerFacts } from "../mysql/facts.ts";
import { count, ofSource, parse, subtract } from "../mysql/gtid.ts";
import { unfit } from "../mysql/unfit.ts";
import {
  EMPTY_POSITION,
  type Forgets,
  type Incarnation,
  LOG_END_MS,
  type Position,
  type ServerView,
} from "../raft/types.ts";
import type { ServerIdentity } from "./ports.ts";
import { gtidPositions, position } from "./positions.ts";

/** The protocol's word for one life of the server. */
export function incarnationOf(identity: ServerIdentity | null): Incarnation | null {
  if (identity === null) return null;
  return { boot: identity.bootId, process: `${identity.pid}/${identity.startTime}` };
}

/** What the agent adds to a look. */
export interface ViewContext {
  readonly incarnation: Incarnation | null;
  /** GTIDs that were born here while this node did not lead. */
  readonly errant: string;
  readonly inStep: boolean;
  /** The receiver still runs, and its source takes no connections. */
  readonly sourceLost: boolean;
  /** Commits have waited for their acknowledgement without any progress. */
  readonly blocked: boolean;
  /** When the look began. */
  readonly at: number;
  /** A reason of the agent's own against leading; null when there is none. */
  readonly unfit: string | null;
}

/** The view of a server that answered. */
export function viewOf(facts: ServerFacts, context: ViewContext): ServerView {
  const { replication } = facts;
  const reasons = [...unfit(facts, "stand")];
  if (context.unfit !== null) reasons.push(context.unfit);
  return {
    health: context.blocked ? "blocked" : "alive",
    incarnation: context.incarnation,
    held: heldOf(facts, context.errant),
    errant: context.errant !== "",
    origin: facts.serverUuid,
    open: !facts.superReadOnly,
    writable: takesWrites(facts),
    unfit: reasons.length === 0 ? null : reasons.join("; "),
    receivingFrom: replication?.receiver === "running" && !context.sourceLost
      ? `${replication.sourceHost}:${replication.sourcePort}`
      : null,
    logEnd: facts.binlogEnd === null ? null : `${facts.binlogEnd.file}:${facts.binlogEnd.position}`,
    logEndAt: context.at,
    inStep: context.inStep,
    unapplied: Number(count(subtract(parse(facts.received), parse(facts.executed)))),
    startForgot: facts.durability.relayLogRecovery
      ? "relay_log_recovery=ON throws received transactions away"
      : null,
    processRestartForgets: processForgets(facts),
    hostRestartForgets: processForgets(facts) ?? hostForgets(facts),
  };
}

/** Can clients log in and write here? */
export function takesWrites(
  { superReadOnly, readOnly, offlineMode }: Pick<
    ServerFacts,
    "superReadOnly" | "readOnly" | "offlineMode"
  >,
): boolean {
  return !superReadOnly && !readOnly && !offlineMode;
}

/** executed ∪ received, without what is known to be errant. */
export function heldOf(facts: ServerFacts, errant: string): Position {
  const all = gtidPositions.union(position(facts.executed), position(facts.received));
  return errant === "" ? all : gtidPositions.subtract(all, position(errant));
}

/** The view of a server that did not answer, or whose process is gone. */
export function silentView(
  before: ServerView,
  health: "dead" | "hung" | "unknown",
  because: string,
): ServerView {
  return {
    ...before,
    health,
    open: false,
    writable: false,
    unfit: because,
    receivingFrom: null,
    logEnd: null,
    inStep: false,
    unapplied: 0,
  };
}

function processForgets(facts: ServerFacts): string | null {
  if (facts.durability.flushLogAtTrxCommit !== 0) return null;
  return "innodb_flush_log_at_trx_commit=0 loses what was applied";
}

function hostForgets(facts: ServerFacts): string | null {
  const { syncRelayLog, flushLogAtTrxCommit } = facts.durability;
  if (syncRelayLog !== 1) return `sync_relay_log=${syncRelayLog} loses received transactions`;
  if (flushLogAtTrxCommit !== 1) {
    return `innodb_flush_log_at_trx_commit=${flushLogAtTrxCommit} loses what was applied`;
  }
  return null;
}

const loosePattern = /`(sync_relay_log|innodb_flush_log_at_trx_commit)` = (\S+)$/;

/** What restarts of a server that follows with these settings cost. */
export function settingsForget(settings: readonly { readonly sql: string }[]): Forgets {
  const reasons = settings.flatMap(({ sql }) => {
    const [, name = "", value = "1"] = loosePattern.exec(sql) ?? [];
    const isFlush = name.startsWith("innodb");
    return value === "1" || (isFlush && value === "DEFAULT")
      ? []
      : [{ process: isFlush && value === "0", because: `slave-sysvars has ${name}=${value}` }];
  });
  return {
    process: reasons.find(({ process }) => process)?.because ?? null,
    host: reasons[0]?.because ?? null,
  };
}

/** They are set at the start of replication, which acknowledges before the next look tells of them. */
export function withSettings(view: ServerView, { process, host }: Forgets): ServerView {
  return {
    ...view,
    processRestartForgets: view.processRestartForgets ?? process,
    hostRestartForgets: view.hostRestartForgets ?? host,
  };
}

/** What the search for errant transactions remembers from look to look. */
export interface ErrantMemory {
  /** The server's own GTIDs at the last look; null while it leads or has not been read since. */
  readonly baseline: Position | null;
  readonly errant: string;
}

/**
 * A GTID of the server's own UUID that is born while this node does not lead, after the first look
 * since the last fence or restart, is errant. Nothing received ever is.
 */
export function watchErrant(
  memory: ErrantMemory,
  facts: ServerFacts,
  following: boolean,
): ErrantMemory {
  if (!following || !facts.superReadOnly) return { ...memory, baseline: null };
  const own = position(formatOwn(facts));
  if (memory.baseline === null) return { ...memory, baseline: own };
  const born = gtidPositions.subtract(own, memory.baseline);
  if (born === EMPTY_POSITION) return memory;
  const errant = gtidPositions.union(position(memory.errant), born);
  return { baseline: own, errant };
}

function formatOwn(facts: ServerFacts): string {
  const own = ofSource(parse(facts.executed), facts.serverUuid.toLowerCase());
  return [...own.sources].map(([source, intervals]) =>
    [source, ...intervals.map(({ first, last }) => `${first}-${last}`)].join(":")
  ).join(",");
}

/** What the question "do commits wait without progress?" remembers from look to look. */
export interface WaitMemory {
  readonly since: number | null;
  readonly executed: string;
}

/** Every commit waits a moment; only this long without a single one getting through counts. */
const blockedMs = 1_000;

/** Has the source half of semi-sync held all commits up for a second? */
export function watchWaiting(
  memory: WaitMemory,
  facts: ServerFacts,
  at: number,
): { readonly memory: WaitMemory; readonly blocked: boolean } {
  const { executed, semiSyncSource } = facts;
  if (semiSyncSource.waitSessions === 0) {
    return { memory: { since: null, executed }, blocked: false };
  }
  const since = memory.since === null || memory.executed !== executed ? at : memory.since;
  return { memory: { since, executed }, blocked: at - since >= blockedMs };
}

/** What the question "in step with the leader?" remembers from look to look. */
export interface StepMemory {
  /** Since when the receiver has been seen running against one source, without a gap. */
  readonly runningSince: number | null;
  readonly source: string;
}

/** Where a leader's binary log ended, and when this node heard it. */
export interface LeaderEnd {
  readonly logEnd: string | null;
  readonly heardAt: number;
}

/**
 * In step: the applier works, and the receiver read up to an end of the leader's binary log that was looked up after the
 * receiver had connected. The leader's executed set would not do: it leaves out commits that wait.
 */
export function watchStep(
  memory: StepMemory,
  facts: ServerFacts,
  seen: { readonly at: number; readonly end: LeaderEnd | null },
): { readonly memory: StepMemory; readonly inStep: boolean } {
  const { replication } = facts;
  if (
    replication === null || replication.receiver !== "running" || applierGaveUp(replication)
  ) {
    return { memory: { runningSince: null, source: "" }, inStep: false };
  }
  const source = `${replication.sourceHost}:${replication.sourcePort}`;
  const since = memory.source === source ? memory.runningSince ?? seen.at : seen.at;
  const next: StepMemory = { runningSince: since, source };
  const { end } = seen;
  if (end === null || end.logEnd === null || end.heardAt < since + LOG_END_MS) {
    return { memory: next, inStep: false };
  }
  const read = [replication.sourceLogFile, replication.readSourceLogPosition] as const;
  return { memory: next, inStep: reaches(read, end.logEnd) };
}

/** Is this place of a binary log at its `end`? */
export function reaches(read: readonly [string, number], end: string): boolean {
  const colon = end.lastIndexOf(":");
  const [file, offset] = [end.slice(0, colon), Number(end.slice(colon + 1))];
  if (read[0] === file) return read[1] >= offset;
  return isLaterLog(read[0], file);
}
