/**
 * What a restart may have cost: judged by how the run that ended was set, not by how the next one is. Most
 * settings can be changed while a server runs, and a restart brings those of its option file back.
 */
import type { OperationDone } from "./event.ts";
import type { State } from "./state.ts";
import type { Config, Durable, Forgets, Incarnation, ServerView } from "./types.ts";

/** The durable state once this view is taken in; the same object when nothing of it is new. */
export function runSeen(config: Config, durable: Durable, view: ServerView): Durable {
  const { incarnation, origin } = view;
  const replaced = durable.origin !== "" && origin !== "" && origin !== durable.origin;
  if (!replaced && sameRun(durable.incarnation, incarnation) && durable.origin === origin) {
    return looseSeen(durable, view);
  }
  const because = replaced ? "its server was replaced by another one" : forgotten(durable, view);
  return {
    ...durable,
    incarnation,
    origin: origin === "" ? durable.origin : origin,
    // Another server did not lead: it need not have what this node acknowledged as leader.
    lastLeader: replaced && durable.lastLeader?.id === config.id ? null : durable.lastLeader,
    uncertain: durable.uncertain ?? because,
    forgets: replaced ? seenNow(view) : seenSoFar(durable, view),
  };
}

/** Remembers a setting that would cost something at the end of this run; others change nothing. */
export function looseSeen(durable: Durable, view: ServerView): Durable {
  if (!sameRun(durable.incarnation, view.incarnation)) return durable;
  const { forgets } = durable;
  const next = seenSoFar(durable, view);
  return next.process === forgets.process && next.host === forgets.host
    ? durable
    : { ...durable, forgets: next };
}

/**
 * Was the server frozen in the run that was looked at? Of another one nobody knows yet what its start may
 * have forgotten, and a vote on it would be certain.
 */
export function isFrozen(
  { durable }: State,
  event: OperationDone,
): event is Extract<OperationDone, { readonly kind: "frozen" }> {
  return event.kind === "frozen" && sameRun(durable.incarnation, event.incarnation);
}

/** Are both the same run of a server? Two that are not known count as the same. */
export function sameRun(left: Incarnation | null, right: Incarnation | null): boolean {
  return left?.boot === right?.boot && left?.process === right?.process;
}

/** Why this restart may have cost received transactions; null when it kept them. */
function forgotten({ incarnation: before, forgets }: Durable, view: ServerView): string | null {
  const { incarnation, startForgot, processRestartForgets, hostRestartForgets } = view;
  if (before === null || incarnation === null || sameRun(before, incarnation)) return null;
  if (startForgot !== null) return startForgot;
  // What the new run says stands in for what was not seen: by an older agent, or by none.
  return before.boot === incarnation.boot
    ? forgets.process ?? processRestartForgets
    : forgets.host ?? hostRestartForgets;
}

/**
 * The first reason of this process and of this boot. It stays when the setting is mended: what was received
 * before may still be in no file, or only in the memory of the host, which outlives the process.
 */
function seenSoFar({ incarnation: before, forgets }: Durable, view: ServerView): Forgets {
  const now = seenNow(view);
  return {
    process: sameRun(before, view.incarnation) ? forgets.process ?? now.process : now.process,
    host: before?.boot === view.incarnation?.boot ? forgets.host ?? now.host : now.host,
  };
}

function seenNow(view: ServerView): Forgets {
  return { process: view.processRestartForgets, host: view.hostRestartForgets };
}
