/**
 * A server small enough to read, for the tests of plans: its state is its facts, its SQL is what plans say.
 *
 * It keeps the rules that plans must respect and that were measured on a real server: what is refused
 * while super_read_only is on, what a change of the source throws away, which switch needs which plugin,
 * and that a commit waits for its acknowledgement. A statement it does not know is an error.
 */

import type { ReplicationFacts, ServerFacts } from "./facts.ts";
import { contains, format, parse, union } from "./gtid.ts";
import type { Plan, Statement } from "./plan.ts";

/** UUIDs of the model world. */
export const ownUuid = "00000000-0000-0000-0000-00000000000a";
export const sourceUuid = "00000000-0000-0000-0000-00000000000b";
export const clusterUuid = "00000000-0000-0000-0000-0000000000cc";

/** A server state: its facts, and what lies around them. */
export interface ModelServer {
  readonly facts: ServerFacts;
  /** How many replicas acknowledge at once. */
  readonly ackers: number;
  /** Accounts that exist and may replicate. */
  readonly accounts: readonly string[];
  /** The accounts have the password with which replicas log in; else these are refused. */
  readonly passwordsGiven: boolean;
  /** Prepared XA transactions, which clients that may log in could commit under read_only. */
  readonly xaPending: number;
  /** The marker connection leaves the binary log out. */
  readonly unlogged: boolean;
  /** The GTID that the marker connection chose, "" for automatic ones. */
  readonly gtidNext: string;
  /** Everything that was ever received and then thrown away unapplied: must stay empty. */
  readonly lost: string;
}

/** An error of the server. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  constructor(readonly errorNumber: number, message: string) {
    super(message);
  }
}

/** A closed follower of `sourceUuid` on 9.7, in step, with both plugins. */
export const followerFacts: ServerFacts = {
  version: { major: 9, minor: 7, patch: 4, text: "9.7.4" },
  serverUuid: ownUuid,
  serverId: 1,
  executed: `${sourceUuid}:1-10`,
  owned: "",
  received: `${sourceUuid}:1-10`,
  purged: "",
  readOnly: true,
  superReadOnly: true,
  offlineMode: false,
  gtidMode: "ON",
  enforceGtidConsistency: "ON",
  logBin: true,
  logReplicaUpdates: true,
  filters: [],
  otherChannels: [],
  semiSyncSource: {
    installed: true,
    words: "source",
    enabled: false,
    waitForCount: 1,
    timeoutMs: 10_000,
    waitNoReplica: true,
    waitPoint: "AFTER_SYNC",
    status: false,
    clients: 0,
    waitSessions: 0,
  },
  semiSyncReplica: { installed: true, enabled: true, status: true },
  replication: {
    sourceHost: "10.0.0.2",
    sourcePort: 3306,
    sourceUser: "repl",
    sourceUuid,
    receiver: "running",
    applier: "running",
    receiverError: "",
    receiverErrorNumber: 0,
    applierError: "",
    applierErrorNumber: 0,
    secondsBehind: 0,
    delaySeconds: 0,
    autoPosition: true,
    sourceLogFile: "binlog.000001",
    readSourceLogPosition: 4,
    relaySourceLogFile: "binlog.000001",
  },
  durability: {
    syncBinlog: 1,
    flushLogAtTrxCommit: 1,
    relayLogRecovery: false,
    syncRelayLog: 10_000,
    skipReplicaStart: true,
  },
  performanceSchema: true,
  connectAttributesBytes: 512,
  privileges: { account: "", missing: [] },
  binlogEnd: { file: "binlog.000001", position: 4 },
  binlogHeld: null,
  uptimeSeconds: 60,
};

/** A server with these facts; two replicas acknowledge unless said otherwise. */
export function modelServer(
  facts: ServerFacts,
  around: Partial<Omit<ModelServer, "facts">> = {},
): ModelServer {
  const nobody = { accounts: [], passwordsGiven: true, xaPending: 0 };
  return { facts, ackers: 2, ...nobody, unlogged: false, gtidNext: "", lost: "", ...around };
}

/** Facts with parts of them replaced; the replication part is merged. */
export function followerWith(
  change: Partial<Omit<ServerFacts, "replication">> & {
    readonly replication?: Partial<ReplicationFacts> | null;
  },
): ServerFacts {
  const { replication, ...rest } = change;
  if (replication === null) return { ...followerFacts, ...rest, replication: null, received: "" };
  const base = followerFacts.replication;
  return {
    ...followerFacts,
    ...rest,
    replication: base === null ? null : { ...base, ...replication },
  };
}

/** The statements of a plan, none when it is done; a refusal fails the test. */
export function statementsOf(plan: Plan): readonly Statement[] {
  if (plan.kind === "refuse") throw new Error(`Plan refuses: ${plan.because}`);
  return plan.kind === "run" ? plan.statements : [];
}

/**
 * Runs one statement.
 *
 * @throws {ModelError} when a real server would refuse it.
 */
export function execute(server: ModelServer, sql: string): ModelServer {
  for (const [pattern, effect] of rules) {
    const match = pattern.exec(sql);
    if (match !== null) return effect(server, match);
  }
  throw new ModelError(1064, `the model does not know: ${sql}`);
}

type Rule = readonly [RegExp, (server: ModelServer, match: RegExpExecArray) => ModelServer];

const rules: readonly Rule[] = [
  [/^STOP REPLICA IO_THREAD FOR/, (server) => threads(server, { receiver: "stopped" })],
  [/^STOP REPLICA FOR/, (server) => threads(server, { receiver: "stopped", applier: "stopped" })],
  [/^START REPLICA IO_THREAD FOR/, (server) => startReceiver(server)],
  [/^START REPLICA SQL_THREAD FOR/, (server) => apply(threads(server, { applier: "running" }))],
  [/^START REPLICA FOR/, (server) => apply(threads(startReceiver(server), { applier: "running" }))],
  [/^RESET REPLICA FOR/, forgetReceived],
  [/^RESET REPLICA ALL FOR/, resetReplica],
  [/^CHANGE REPLICATION SOURCE TO SOURCE_HOST = '([^']+)', SOURCE_PORT = (\d+), (.*)$/, change],
  [/^SELECT WAIT_FOR_EXECUTED_GTID_SET/, (server) => acknowledge(apply(server))],
  [/^INSTALL PLUGIN rpl_semi_sync_(source|replica) SONAME/, installPlugin],
  [/^CREATE USER IF NOT EXISTS '[^']+'@'[^']+'/, changeUser],
  [/^ALTER USER '[^']+'@'[^']+' IDENTIFIED BY .* ACCOUNT UNLOCK$/, changeUser],
  [/^SET SESSION sql_log_bin = 0$/, (server) => ({ ...server, unlogged: true })],
  [
    /^ALTER USER ('[^']+'@'%' IDENTIFIED BY '(?:''|[^'])*'(?: RETAIN CURRENT PASSWORD)?(?:, )?)+$/,
    give,
  ],
  [/^GRANT REPLICATION SLAVE ON \*\.\* TO (.*)/, grant],
  [/^SET GLOBAL super_read_only = (ON|OFF)$/, setSuperReadOnly],
  [/^SET GLOBAL read_only = OFF$/, setWritable],
  [/^SET GLOBAL rpl_semi_sync_source_(\w+) = (\S+)$/, setSource],
  [/^SET GLOBAL rpl_semi_sync_replica_enabled = (ON|OFF)$/, setReplicaHalf],
  [/^SET GLOBAL `?(\w+)`? = '?([^']*)'?$/, setOther],
  [/^SET SESSION gtid_next = '([^']+)'$/, chooseGtid],
  [/^BEGIN$/, (server) => server],
  [/^COMMIT$/, commit],
];

function change(server: ModelServer, match: RegExpExecArray): ModelServer {
  const [, host = "", port = "", rest = ""] = match;
  const before = server.facts.replication;
  const autoWord = rest.includes("SOURCE_AUTO_POSITION = 1");
  if (before?.receiver !== undefined && before.receiver !== "stopped") {
    throw new ModelError(3021, "the receiver runs");
  }
  if (before?.applier === "running" && autoWord) throw new ModelError(3085, "the applier runs");
  const kept = before?.applier === "running";
  const pending = format(parse(kept ? "" : missing(server)));
  const replication: ReplicationFacts = {
    ...(before ?? { ...followerFacts.replication!, applier: "stopped", receiver: "stopped" }),
    sourceHost: host,
    sourcePort: Number(port),
    sourceUser: /SOURCE_USER = '([^']+)'/.exec(rest)?.[1] ?? "",
    autoPosition: autoWord || (before?.autoPosition ?? false),
  };
  return {
    ...server,
    lost: format(union(parse(server.lost), parse(pending))),
    facts: { ...server.facts, replication, received: kept ? server.facts.received : "" },
  };
}

function missing(server: ModelServer): string {
  const executed = parse(server.facts.executed);
  return contains(executed, parse(server.facts.received)) ? "" : server.facts.received;
}

/** The source stays known; an error of the applier is forgotten with what it could not read. */
function forgetReceived(server: ModelServer): ModelServer {
  const { replication } = server.facts;
  const reset = resetReplica(server);
  if (replication === null) return reset;
  const cleared = { ...replication, applierError: "", applierErrorNumber: 0 };
  return { ...reset, facts: { ...reset.facts, replication: cleared } };
}

function resetReplica(server: ModelServer): ModelServer {
  const replication = server.facts.replication;
  if (replication?.receiver !== "stopped" || replication.applier !== "stopped") {
    throw new ModelError(3081, "replication runs");
  }
  const lost = format(union(parse(server.lost), parse(missing(server))));
  return { ...server, lost, facts: { ...server.facts, replication: null, received: "" } };
}

function threads(server: ModelServer, to: Partial<ReplicationFacts>): ModelServer {
  const before = server.facts.replication;
  if (before === null) return server;
  const replication = { ...before, ...to };
  const stopped = replication.receiver === "stopped";
  const half = server.facts.semiSyncReplica;
  const semiSyncReplica = { ...half, status: stopped ? false : half.status };
  return { ...server, facts: { ...server.facts, replication, semiSyncReplica } };
}

function startReceiver(server: ModelServer): ModelServer {
  if (server.facts.replication?.receiver === "running") return server;
  const started = threads(server, { receiver: "running" });
  const half = started.facts.semiSyncReplica;
  const semiSyncReplica = { ...half, status: half.enabled };
  return { ...started, facts: { ...started.facts, semiSyncReplica } };
}

function apply(server: ModelServer): ModelServer {
  const { facts } = server;
  if (facts.replication?.applier !== "running") return server;
  if (facts.semiSyncSource.enabled) throw new ModelError(0, "the applier waits for semi-sync");
  const executed = format(union(parse(facts.executed), parse(facts.received)));
  return { ...server, facts: { ...facts, executed } };
}

function open(server: ModelServer): ModelServer {
  if (server.facts.superReadOnly) throw new ModelError(1290, "super_read_only is ON");
  return server;
}

function installPlugin(server: ModelServer, match: RegExpExecArray): ModelServer {
  const { facts } = open(server);
  return match[1] === "source"
    ? {
      ...server,
      facts: { ...facts, semiSyncSource: { ...facts.semiSyncSource, installed: true } },
    }
    : {
      ...server,
      facts: { ...facts, semiSyncReplica: { ...facts.semiSyncReplica, installed: true } },
    };
}

function changeUser(server: ModelServer, match: RegExpExecArray): ModelServer {
  if (server.facts.semiSyncSource.enabled) throw new ModelError(0, "account made under semi-sync");
  return written(open(server), `${ownUuid}:${match[0].startsWith("CREATE") ? 1 : 2}`);
}

/** Logged, it would be a transaction that the others lack if this promotion fails. */
function give(server: ModelServer): ModelServer {
  if (!open(server).unlogged) throw new ModelError(0, "a password in the binary log");
  return { ...server, unlogged: false, passwordsGiven: true };
}

function grant(server: ModelServer, match: RegExpExecArray): ModelServer {
  if (server.facts.semiSyncSource.enabled) throw new ModelError(0, "granted under semi-sync");
  const accounts = [...open(server).accounts, ...(match[1] ?? "").split(", ")];
  return written({ ...server, accounts }, `${ownUuid}:3`);
}

function written(server: ModelServer, gtid: string): ModelServer {
  const executed = format(union(parse(server.facts.executed), parse(gtid)));
  return { ...server, facts: { ...server.facts, executed, owned: "" } };
}

function setSuperReadOnly(server: ModelServer, match: RegExpExecArray): ModelServer {
  const on = match[1] === "ON";
  const readOnly = server.facts.readOnly || on;
  return { ...server, facts: { ...server.facts, superReadOnly: on, readOnly } };
}

/** Opening is the dangerous act, so the model refuses it where a promise would break. */
function setWritable(server: ModelServer): ModelServer {
  const { facts } = server;
  if (!facts.executed.includes(clusterUuid)) throw new ModelError(0, "opened without a marker");
  if (facts.durability.syncBinlog !== 1 || facts.durability.flushLogAtTrxCommit !== 1) {
    throw new ModelError(0, "opened while not durable");
  }
  return { ...server, facts: { ...facts, readOnly: false, superReadOnly: false } };
}

function setSource(server: ModelServer, match: RegExpExecArray): ModelServer {
  const { facts } = server;
  const [, name = "", value = ""] = match;
  if (!facts.semiSyncSource.installed) throw new ModelError(1193, "unknown system variable");
  const on = value === "ON";
  const changes: Readonly<Record<string, Partial<ServerFacts["semiSyncSource"]>>> = {
    enabled: { enabled: on, status: on },
    timeout: { timeoutMs: Number(value) },
    wait_no_replica: { waitNoReplica: on },
    wait_point: { waitPoint: value.replaceAll("'", "") },
    wait_for_replica_count: { waitForCount: Math.max(1, Number(value)) },
  };
  const change = changes[name];
  if (change === undefined) throw new ModelError(1193, `unknown system variable ${name}`);
  return { ...server, facts: { ...facts, semiSyncSource: { ...facts.semiSyncSource, ...change } } };
}

function setReplicaHalf(server: ModelServer, match: RegExpExecArray): ModelServer {
  const half = server.facts.semiSyncReplica;
  if (!half.installed) throw new ModelError(1193, "unknown system variable");
  const semiSyncReplica = { ...half, enabled: match[1] === "ON" };
  return { ...server, facts: { ...server.facts, semiSyncReplica } };
}

function setOther(server: ModelServer, match: RegExpExecArray): ModelServer {
  const { facts } = server;
  const [, name, value = ""] = match;
  if (name === "offline_mode") return setOffline(server, value === "ON");
  const number = value === "DEFAULT" ? 1 : Number(value);
  const durability = { ...facts.durability };
  if (name === "sync_binlog") {
    return { ...server, facts: { ...facts, durability: { ...durability, syncBinlog: number } } };
  }
  if (name === "innodb_flush_log_at_trx_commit") {
    const changed = { ...durability, flushLogAtTrxCommit: number };
    return { ...server, facts: { ...facts, durability: changed } };
  }
  return server;
}

function setOffline(server: ModelServer, offlineMode: boolean): ModelServer {
  const marked = server.facts.executed.includes(clusterUuid);
  if (!offlineMode && server.xaPending > 0 && !marked) {
    throw new ModelError(0, "clients let in who could XA COMMIT before the marker");
  }
  return { ...server, facts: { ...server.facts, offlineMode } };
}

/** Replicas that cannot log in acknowledge nothing. */
function ackersOf({ facts, ackers, passwordsGiven }: ModelServer): number {
  return facts.offlineMode || !passwordsGiven ? 0 : ackers;
}

function chooseGtid(server: ModelServer, match: RegExpExecArray): ModelServer {
  const next = match[1] === "AUTOMATIC" ? "" : match[1] ?? "";
  if (next !== "" && next === server.facts.owned) throw new ModelError(0, "hangs: GTID is owned");
  return { ...server, gtidNext: next };
}

function commit(server: ModelServer): ModelServer {
  const { facts, gtidNext } = open(server);
  const { enabled, waitForCount } = facts.semiSyncSource;
  if (!enabled || ackersOf(server) >= waitForCount) return written(server, gtidNext);
  const waiting = { ...facts.semiSyncSource, waitSessions: 1 };
  return { ...server, facts: { ...facts, owned: gtidNext, semiSyncSource: waiting } };
}

/** What waits for acknowledgements ends once enough replicas are there. */
function acknowledge(server: ModelServer): ModelServer {
  const { facts } = server;
  if (facts.owned === "" || ackersOf(server) < facts.semiSyncSource.waitForCount) return server;
  const semiSyncSource = { ...facts.semiSyncSource, waitSessions: 0 };
  return written({ ...server, facts: { ...facts, semiSyncSource } }, facts.owned);
}
