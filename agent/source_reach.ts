/**
 * Notices that the source cannot be reached any more, seconds before the receiver does: MySQL believes
 * in a silent connection for replica_net_timeout, and a receiver that connects again is slow to stop,
 * which the next vote would have to wait for.
 */
import type { ServerFacts } from "../mysql/facts.ts";
import type { Clock, TakesConnections } from "./ports.ts";
import { type LeaderEnd, reaches } from "./view.ts";

export interface SourceReachOptions {
  readonly clock: Clock;
  readonly takesConnections: TakesConnections;
}

/** The receiver has stood at one place of its source's binary log, short of the end, for a while. */
interface Stall {
  readonly source: { readonly host: string; readonly port: number };
  readonly place: string;
  readonly since: number;
  /** Probes in a row that found nobody. */
  readonly failed: number;
  /** Not before this is the source asked again; Infinity while it is being asked. */
  readonly askAt: number;
}

/** A receiver is often behind for a moment. */
const stalledMs = 150;
const probeMs = 300;
/** One lost packet is no cut. */
const failuresNeeded = 2;
/** A source that answers has a slow replica, or a huge event on its way, and is not asked all the time. */
const answeredPauseMs = 5_000;
/** A leader that was silent for longer tells nothing about what is to be received now. */
const heardAgoMsMax = 1_000;

/** One for each agent. Asks only while the receiver claims to run and gets nothing that it should get. */
export class SourceReach {
  readonly #options: SourceReachOptions;
  #stall: Stall | null = null;

  constructor(options: SourceReachOptions) {
    this.#options = options;
  }

  /** True when the source of the running receiver does not answer; to be called with every look. */
  lost(facts: ServerFacts, end: LeaderEnd | null): boolean {
    const now = this.#options.clock.now();
    const stall = stallOf(this.#stall, facts, { end, now });
    this.#stall = stall;
    if (stall === null) return false;
    if (now - stall.since >= stalledMs && now >= stall.askAt) this.#ask(stall);
    return stall.failed >= failuresNeeded;
  }

  #ask(stall: Stall): void {
    const { clock, takesConnections } = this.#options;
    const asking = { ...stall, askAt: Infinity };
    this.#stall = asking;
    void takesConnections(stall.source, probeMs).then((answered) => {
      // What was learned of an earlier standstill says nothing about the present one.
      if (this.#stall?.place !== asking.place || this.#stall.since !== asking.since) return;
      const failed = answered ? 0 : asking.failed + 1;
      const next = { ...asking, failed, askAt: clock.now() + (answered ? answeredPauseMs : 0) };
      this.#stall = next;
      if (failed > 0 && failed < failuresNeeded) this.#ask(next);
    });
  }
}

/** Any progress, and any change of the source, ends a standstill. */
function stallOf(
  before: Stall | null,
  { replication }: ServerFacts,
  seen: { readonly end: LeaderEnd | null; readonly now: number },
): Stall | null {
  const { end, now } = seen;
  if (replication === null || replication.receiver !== "running") return null;
  if (end === null || end.logEnd === null || now - end.heardAt > heardAgoMsMax) return null;
  const { sourceHost, sourcePort, sourceLogFile, readSourceLogPosition } = replication;
  if (reaches([sourceLogFile, readSourceLogPosition], end.logEnd)) return null;
  const place = [sourceHost, sourcePort, sourceLogFile, readSourceLogPosition].join(" ");
  if (before?.place === place) return before;
  return {
    source: { host: sourceHost, port: sourcePort },
    place,
    since: now,
    failed: 0,
    askAt: now,
  };
}
