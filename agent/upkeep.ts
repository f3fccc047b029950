/**
 * What is put right at every look while nothing else runs on the server: a follower replicates from
 * whom the protocol named, a leader tidies up, and commits whose acknowledgement was lost move on.
 */
import { applierMayResume, type ServerFacts } from "../mysql/facts.ts";
import { quorum, replicas } from "../raft/quorum.ts";
import type { State } from "../raft/state.ts";
import type { ServerView } from "../raft/types.ts";
import type { Interpreter } from "./interpret.ts";
import type { Clock, Database, Log } from "./ports.ts";

/** Between two nudges, and the most that one may take. */
const nudgeMs = 2_000;
/** Between two attempts of an applier that stopped for want of something. */
const resumeMs = 10_000;

export interface UpkeepOptions {
  readonly clock: Clock;
  readonly database: Database;
  readonly log: Log;
  readonly interpreter: Interpreter;
  readonly state: () => State;
  /** Are the acknowledgement settings of an open leader repaired? */
  readonly repair: () => boolean;
}

/** Keeps the server as the protocol wants it, one round at a time. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  #running = false;
  #prepared = "";
  #nudgedAt = -Infinity;
  #resumedAt = -Infinity;
  #because = "";

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  /** After a look that was answered. Never rejects; what fails is said once and tried again. */
  seen(view: ServerView, facts: ServerFacts): void {
    if (this.#running) return;
    this.#running = true;
    this.#round(view, facts).then((because) => this.#say(because ?? ""), (error) => {
      this.#say(error instanceof Error ? error.message : String(error));
    }).finally(() => {
      this.#running = false;
    });
  }

  async #round(view: ServerView, facts: ServerFacts): Promise<string | null> {
    const state = this.#options.state();
    if (state.role === "leader") return await this.#leads(state, { view, facts });
    if (this.#options.interpreter.busy || state.role !== "follower" || view.open) return null;
    const run = view.incarnation?.process ?? "";
    if (run !== this.#prepared) {
      await this.#options.database.prepare();
      this.#prepared = run;
    }
    return await this.#follows(facts);
  }

  async #follows(facts: ServerFacts): Promise<string | null> {
    const { database, interpreter } = this.#options;
    const { following } = interpreter;
    if (following === undefined) return null;
    const source = following === null
      ? null
      : { host: following.source.host, port: following.source.port };
    const acknowledge = following?.acknowledge ?? false;
    const replica = following?.replica ?? { id: "", since: 0 };
    const mayForget = this.#options.state().durable.uncertain !== null;
    const mayResume = this.#mayResume(facts);
    const wish = { source, acknowledge, replica, mayForget, mayResume };
    const { because } = await database.follow(wish, facts);
    return because;
  }

  /** A full disk that was cleared needs no hands to get the applier going again. */
  #mayResume({ replication }: ServerFacts): boolean {
    if (replication === null || !applierMayResume(replication)) return false;
    const now = this.#options.clock.now();
    if (now - this.#resumedAt < resumeMs) return false;
    this.#resumedAt = now;
    return true;
  }

  async #leads(
    state: State & { role: "leader" },
    seen: { readonly view: ServerView; readonly facts: ServerFacts },
  ): Promise<string | null> {
    const { database, interpreter } = this.#options;
    const { membership, term } = state.durable;
    if (membership === null) return null;
    // Also while a promotion waits for its marker: that acknowledgement may be the lost one.
    await this.#unblock(state, seen);
    if (interpreter.busy || state.handover !== null) return null;
    if (state.stage !== "leading" || state.change !== null) return null;
    const k = this.#options.repair() ? quorum(membership).k : null;
    const wish = { clusterUuid: membership.cluster, term, k, replicas: replicas(membership) };
    const { because } = await database.settle(wish, seen.facts);
    return because;
  }

  /** A lost acknowledgement is never sent again; only another commit releases who waits for it. */
  async #unblock(
    state: State & { role: "leader" },
    seen: { readonly view: ServerView; readonly facts: ServerFacts },
  ): Promise<void> {
    const { clock, database, log } = this.#options;
    const { membership } = state.durable;
    if (seen.view.health !== "blocked" || membership === null) return;
    if (seen.facts.semiSyncSource.clients < quorum(membership).k) return;
    if (clock.now() - this.#nudgedAt < nudgeMs) return;
    this.#nudgedAt = clock.now();
    log.write("warning", "Commits wait although enough voters are connected: committing again", {});
    await database.nudge(nudgeMs);
  }

  #say(because: string): void {
    if (because === this.#because) return;
    this.#because = because;
    if (because !== "") this.#options.log.write("warning", `The server waits: ${because}`, {});
  }
}
