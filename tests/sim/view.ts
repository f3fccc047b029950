/** What an agent sees of its server when it looks. */
import type { ServerView } from "../../raft/types.ts";
import type { FakeServer } from "./fake_mysql.ts";
import type { Flaws } from "./flaws.ts";
import { heldBy, incarnationOf } from "./procedures.ts";

export const mysqlPort = 3306;

/** Hosts are named by letters: 0 is `a`. */
export function nameOf(index: number): string {
  return String.fromCharCode("a".charCodeAt(0) + index);
}

export function viewOf(
  server: FakeServer,
  seen: { readonly flaws: Flaws; readonly blocked: boolean; readonly hung: boolean },
): ServerView {
  const upstream = server.upstream;
  return {
    health: healthOf(server, seen),
    incarnation: server.alive ? incarnationOf(server) : null,
    held: heldBy(server, seen.flaws),
    errant: server.errant > 0,
    origin: server.origin,
    open: server.alive && !server.superReadOnly,
    writable: server.alive && !server.superReadOnly,
    unfit: server.alive ? null : "the server is dead",
    receivingFrom: upstream === null ? null : `${nameOf(upstream.source.index)}:${mysqlPort}`,
    logEnd: server.alive ? String(server.binlog.length) : null,
    // In the model the end that counts is that at the start of the receiver.
    logEndAt: Infinity,
    inStep: upstream !== null && upstream.cursor >= upstream.endAtStart,
    unapplied: server.relay.length - server.applied,
    ...forgets(server),
  };
}

function healthOf(
  server: FakeServer,
  seen: { readonly blocked: boolean; readonly hung: boolean },
): ServerView["health"] {
  if (!server.alive) return "dead";
  if (seen.hung) return "hung";
  return seen.blocked ? "blocked" : "alive";
}

function forgets(
  server: FakeServer,
): Pick<ServerView, "startForgot" | "processRestartForgets" | "hostRestartForgets"> {
  return {
    startForgot: server.settings.relayLogRecovery ? "relay_log_recovery is ON" : null,
    processRestartForgets: null,
    hostRestartForgets: server.syncsRelayLog ? null : "sync_relay_log is not 1",
  };
}

/** Would the core learn anything new? */
export function sameView(left: ServerView, right: ServerView): boolean {
  return left.health === right.health && left.held === right.held &&
    left.errant === right.errant && left.open === right.open &&
    left.receivingFrom === right.receivingFrom && left.inStep === right.inStep &&
    left.origin === right.origin && left.incarnation?.process === right.incarnation?.process &&
    left.incarnation?.boot === right.incarnation?.boot &&
    left.hostRestartForgets === right.hostRestartForgets;
}
