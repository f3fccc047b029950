/**
 * What an agent does to its server, one statement at a time: freeze, promote, close, fence, arrange,
 * follow. A procedure yields the milliseconds it waits; a crash or an abort may end it at any yield,
 * but a statement that was sent lands all the same.
 */
import type { Promotion } from "../../raft/effect.ts";
import type { Incarnation, Position, Replica } from "../../raft/types.ts";
import type { Clock } from "./clock.ts";
import type { Dice } from "./dice.ts";
import type { FakeServer } from "./fake_mysql.ts";
import type { Flaws } from "./flaws.ts";
import type { Replication } from "./replication.ts";
import { compactPositions } from "./transactions.ts";

/** The place where procedures work: one host. */
export interface Site {
  readonly server: FakeServer;
  readonly replication: Replication;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly flaws: Flaws;
  /** How long a fence may take before the server is killed. */
  readonly fenceMs: number;
  /** The only run of the server that statements may reach; any run when it is left out. */
  readonly process?: number;
  /** Tells the faults that an interesting moment has come. */
  readonly at: (point: "promoteStep" | "fenceStep" | "freezeStep" | "closeStep") => void;
  readonly opened: (term: number) => void;
  /** SIGKILL, or SIGTERM for a clean stop. */
  readonly stopServer: (how: "killed" | "stopped") => void;
}

export type Outcome =
  | {
    readonly kind: "frozen" | "closed";
    readonly held: Position;
    readonly incarnation: Incarnation;
  }
  | { readonly kind: "promoted" | "fenced" | "arranged" };

export type Procedure = Generator<number, Outcome | null, void>;

/** An operation that cannot reach its end; becomes `opFailed`. */
export class ProcedureFailed extends Error {
  override readonly name = "ProcedureFailed";
}

const statementMsMax = 2000;
const pollMs = 5;

export function incarnationOf(server: FakeServer): Incarnation {
  return { boot: `boot${server.boot}`, process: `process${server.process}` };
}

/** What the server says that it holds. */
export function heldBy(server: FakeServer, flaws: Flaws): Position {
  const all = flaws.heldIsExecuted ? server.executed : server.held;
  const { errant, origin } = server;
  return (errant === 0 || flaws.errantCounts ? all : all.without(origin, errant)).text();
}

export function* freeze(site: Site, until: Position): Procedure {
  const { server, replication, flaws } = site;
  const received = () => compactPositions.contains(server.held.text(), until);
  yield* waitFor(site, received, 1000);
  const early = heldBy(server, flaws);
  site.at("freezeStep");
  if (!flaws.freezeLeavesReceiver) {
    yield* statement(site, () => replication.stopReceiver(server));
    if (!flaws.changesBesideStopped) {
      yield* statement(site, () => replication.startApplier(server));
    }
  }
  site.at("freezeStep");
  if (!server.superReadOnly || server.commitsWait) {
    yield* fence(site);
    // A killed server must be looked at again: nothing is known about what it holds now.
    if (!server.alive) throw new ProcedureFailed("the server had to be killed");
  }
  const held = yield* statement(site, () => heldBy(server, flaws));
  return {
    kind: "frozen",
    held: flaws.freezeReadsFirst ? early : held,
    incarnation: incarnationOf(server),
  };
}

export function* promote(anyRun: Site, promotion: Promotion): Procedure {
  const { server, replication, flaws } = anyRun;
  const run = JSON.stringify(promotion.incarnation);
  if (run !== JSON.stringify(incarnationOf(server))) {
    throw new ProcedureFailed("the server restarted");
  }
  const site = bound(anyRun);
  yield* statement(site, () => replication.stopReceiver(server));
  const applied = () => compactPositions.contains(server.executed.text(), promotion.held);
  if (!flaws.opensBeforeApplied) yield* waitFor(site, applied, Infinity);
  site.at("promoteStep");
  yield* statement(site, () => server.applierRunning = false);
  const semiSync = promotion.k > 0 && !flaws.opensWithoutSemiSync;
  yield* statement(site, () => server.setSemiSync(semiSync, promotion.k));
  site.at("promoteStep");
  yield* statement(site, () => server.openForMarker());
  site.at("promoteStep");
  const place = yield* statement(site, () => server.commitMarker(promotion.term));
  yield* acknowledgement(site, place);
  site.at("promoteStep");
  yield* openNow(site, promotion.term);
  site.at("promoteStep");
  yield* statement(site, () => server.changeSource(null));
  return { kind: "promoted" };
}

function* openNow(site: Site, term: number): Generator<number, void, void> {
  const { server, flaws } = site;
  yield* statement(site, () => {
    if (flaws.opensHalf) server.openForMarker();
    else server.openForClients();
    // It went to the others in front of the marker: it is ordinary now.
    server.errant = 0;
    server.openedFor = term;
    site.opened(term);
  });
}

/** After the opening: the markers of terms that never opened, so that nobody else holds more. */
export function* fillMarkers(anyRun: Site, term: number): Procedure {
  const site = bound(anyRun);
  const { server } = site;
  for (let lower = 1; lower < term; lower++) {
    const marker = { origin: "*", number: lower };
    if (server.executed.has(marker)) continue;
    const waiting = server.binlog.slice(server.committed);
    if (waiting.some((entry) => entry.origin === "*" && entry.number === lower)) continue;
    yield* statement(site, () => server.commitMarker(lower));
  }
  return null;
}

/** Closes at any price. Commits that wait are released only when nobody can be told about them. */
export function* fence(site: Site): Procedure {
  const { server, flaws } = site;
  if (flaws.fenceLies) return { kind: "fenced" };
  const quiet = () => server.inFlight === 0 || !server.alive;
  try {
    if (!flaws.fenceForgetsLate) yield* waitFor(site, quiet, site.fenceMs);
    // A statement that is still under way would land after the fence: only a kill is sure.
    if (quiet() || flaws.fenceForgetsLate) yield* closeByStatements(site);
  } catch (error) {
    if (!(error instanceof ProcedureFailed)) throw error;
  }
  const closed = server.superReadOnly && !server.hung && (quiet() || flaws.fenceForgetsLate);
  if (server.alive && !closed) site.stopServer(flaws.fenceStopsCleanly ? "stopped" : "killed");
  server.openedFor = null;
  return { kind: "fenced" };
}

function* closeByStatements(site: Site): Generator<number, void, void> {
  const { server, clock, flaws } = site;
  const giveUpAt = clock.now + site.fenceMs;
  site.at("fenceStep");
  yield* statement(site, () => server.requestSuperReadOnly(), site.fenceMs);
  if (flaws.fenceReleasesFirst) yield* statement(site, () => server.setSemiSync(false, 0));
  const closedAt = clock.now;
  while (!server.superReadOnly && clock.now < giveUpAt) {
    site.at("fenceStep");
    yield* statement(site, () => server.killSessions(closedAt), giveUpAt - clock.now);
    const old = [...server.sessions].some((session) => session.born <= closedAt);
    if (!old) yield* statement(site, () => server.setSemiSync(false, 0), giveUpAt - clock.now);
  }
  yield* statement(site, () => server.killSessions(closedAt), site.fenceMs);
}

/** Closes for a hand-over: what waits gets its acknowledgement, or the close is taken back. */
export function* close(anyRun: Site, limitMs: number): Procedure {
  const site = bound(anyRun);
  const { server, flaws } = site;
  yield* statement(site, () => server.requestSuperReadOnly());
  site.at("closeStep");
  const drained = () => server.superReadOnly && !server.commitsWait;
  if (!flaws.closeReadsEarly) yield* waitFor(site, drained, limitMs);
  if (!flaws.closeReadsEarly && !drained()) {
    yield* statement(site, () => server.cancelSuperReadOnly());
    throw new ProcedureFailed("commits still wait for their acknowledgement");
  }
  site.at("closeStep");
  const held = yield* statement(site, () => heldBy(server, flaws));
  if (!server.commitsWait) server.openedFor = null;
  // The real one does not wait for it: here it comes as early as it can.
  if (!server.commitsWait) yield* statement(site, () => server.setSemiSync(false, 0));
  return { kind: "closed", held, incarnation: incarnationOf(server) };
}

export function* arrange(
  anyRun: Site,
  wanted: { readonly k: number; readonly cutOff: string | null },
): Procedure {
  const site = bound(anyRun);
  const { server, flaws } = site;
  if (flaws.arrangesNothing) return { kind: "arranged" };
  yield* statement(site, () => server.setSemiSync(wanted.k > 0, wanted.k));
  if (wanted.cutOff !== null) yield* cutOff(site, wanted.cutOff);
  const place = yield* statement(site, () => server.commitEmpty());
  yield* acknowledgement(site, place);
  return { kind: "arranged" };
}

/**
 * Locks the account of a replica, then ends its connection: its agent may be dead, and then its server
 * connects again by itself, at any time.
 */
function* cutOff(site: Site, account: string): Generator<number, void, void> {
  const { server, replication, flaws } = site;
  if (!flaws.removesWithoutLock && !server.locked.has(account)) {
    const place = yield* statement(site, () => server.commitLock(account));
    yield* acknowledgement(site, place);
  }
  yield* statement(site, () => {
    for (const found of [...server.downstream]) {
      if (found.account === account) replication.drop(found);
    }
  });
}

/** The account of one membership of a node. */
export function accountOf({ id, since }: Replica): string {
  return `${id}/${since}`;
}

/** What a receiver should read from, and how. */
export interface Wanted {
  readonly source: number;
  readonly account: string;
  readonly acknowledges: boolean;
}

/** Points the receiver somewhere; `wanted` is asked again before every step. */
export function* follow(
  site: Site,
  wanted: () => Wanted | null,
): Procedure {
  const { server, replication } = site;
  const first = wanted();
  if (server.receiver.running) yield* statement(site, () => replication.stopReceiver(server));
  if (first === null || wanted() !== first || !server.superReadOnly) return null;
  // The source half of semi-sync would make the applier wait for acknowledgements.
  if (server.semiSync.on) yield* statement(site, () => server.setSemiSync(false, 0));
  if (!site.flaws.changesBesideStopped) {
    yield* statement(site, () => replication.startApplier(server));
  }
  if (server.receiver.source !== first.source || server.receiver.account !== first.account) {
    yield* statement(site, () => server.changeSource(first.source, first.account));
  }
  yield* statement(site, () => server.acknowledges = first.acknowledges);
  if (wanted() !== first) return null;
  yield* statement(site, () => {
    replication.startReceiver(server);
    replication.startApplier(server);
  });
  return null;
}

/** A lost acknowledgement is never sent again, so a later commit has to release the waiting ones. */
export function* acknowledgement(site: Site, place: number): Generator<number, void, void> {
  const { server, clock, flaws } = site;
  const process = server.process;
  let nudgeAt = flaws.neverNudges ? Infinity : clock.now + 400;
  while (server.committed < place) {
    if (!server.alive || server.process !== process) {
      throw new ProcedureFailed("the server died");
    }
    if (clock.now >= nudgeAt) {
      nudgeAt = clock.now + 400;
      yield* statement(site, () => server.commitEmpty());
    }
    yield pollMs;
  }
}

/** A connection ends with its server; one that came back by itself would reach another run. */
function bound(site: Site): Site {
  return site.flaws.reconnects ? site : { ...site, process: site.server.process };
}

/** Sends one statement and waits for its end. It lands even when nobody waits any more. */
export function* statement<T>(
  site: Site,
  run: () => T,
  limitMs = statementMsMax,
): Generator<number, T, void> {
  const { server, clock, dice } = site;
  const process = server.process;
  const sent: { result: { readonly value: T } | null } = { result: null };
  if (!server.alive) throw new ProcedureFailed("the server is gone");
  if (site.process !== undefined && site.process !== process) {
    throw new ProcedureFailed("the server was restarted");
  }
  const land = () => {
    if (!server.alive || server.process !== process) return;
    if (server.hung) return clock.after(10, land);
    server.inFlight--;
    sent.result = { value: run() };
  };
  server.inFlight++;
  const durationMs = server.statementMs > 0 && dice.chance(0.5)
    ? dice.between(0, server.statementMs)
    : dice.between(0.2, dice.chance(0.02) ? 60 : 2);
  const giveUpAt = clock.now + limitMs;
  clock.after(durationMs, land);
  yield durationMs + 0.1;
  while (sent.result === null) {
    if (!server.alive || server.process !== process) throw new ProcedureFailed("the server died");
    if (clock.now >= giveUpAt) throw new ProcedureFailed("a statement ran out of time");
    yield pollMs;
  }
  return sent.result.value;
}

function* waitFor(
  site: Site,
  condition: () => boolean,
  limitMs: number,
): Generator<number, void, void> {
  const { server, clock } = site;
  const giveUpAt = clock.now + limitMs;
  while (!condition() && clock.now < giveUpAt) {
    if (!server.alive) throw new ProcedureFailed("the server died");
    yield pollMs;
  }
}
