/**
 * What is put right at every look while nothing else runs on the server: a follower replicates from
 * whom the protocol named, a leader tidies up, and commits whose acknowledgement was lost move on.
 */
import type { ServerFacts } from "../mysql/facts.ts";
import { quorum } from "../raft/quorum.ts";
import type { State } from "../raft/state.ts";
import type { ServerView } from "../raft/types.ts";
import type { Interpreter } from "./interpret.ts";
import type { Clock, Database, Log } from "./ports.ts";

/** Commits that wait longer than this although enough voters are connected get a nudge. */
const blockedMaxMs = 1_000;
const nudgeMs = 2_000;

export interface UpkeepOptions {
  readonly clock: Clock;
  readonly database: Database;
  readonly log: Log;
  readonly interpreter: Interpreter;
  readonly state: () => State;
}

/** Keeps the server as the protocol wants it, one round at a time. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  #running = false;
  #prepared = "";
  #blockedSince: number | null = null;
  #because = "";

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  /** After a look that was answered. Never rejects; what fails is said once and tried again. */
  seen(view: ServerView, facts: ServerFacts): void {
    if (this.#running || this.#options.interpreter.busy) return;
    this.#running = true;
    this.#round(view, facts).then((because) => this.#say(because ?? ""), (error) => {
      this.#say(error instanceof Error ? error.message : String(error));
    }).finally(() => {
      this.#running = false;
    });
  }

  async #round(view: ServerView, facts: ServerFacts): Promise<string | null> {
    const state = this.#options.state();
    if (state.role === "leader") return await this.#leads(state, facts);
    this.#blockedSince = null;
    if (state.role !== "follower" || view.open) return null;
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
    const { because } = await database.follow({ source, acknowledge }, facts);
    return because;
  }

  async #leads(state: State & { role: "leader" }, facts: ServerFacts): Promise<string | null> {
    const { database } = this.#options;
    const { membership, term } = state.durable;
    if (membership === null || state.handover !== null) return null;
    await this.#unblock(state, facts);
    if (state.stage !== "leading" || state.change !== null) return null;
    const { k } = quorum(membership);
    const { because } = await database.settle({ clusterUuid: membership.cluster, term, k }, facts);
    return because;
  }

  /** A lost acknowledgement is never sent again; only another commit releases who waits for it. */
  async #unblock(state: State & { role: "leader" }, facts: ServerFacts): Promise<void> {
    const { clock, database, log } = this.#options;
    if (facts.semiSyncSource.waitSessions === 0 || state.durable.membership === null) {
      this.#blockedSince = null;
      return;
    }
    this.#blockedSince ??= clock.now();
    const { k } = quorum(state.durable.membership);
    const enough = facts.semiSyncSource.clients >= k;
    if (!enough || clock.now() - this.#blockedSince < blockedMaxMs) return;
    this.#blockedSince = clock.now();
    log.write("warning", "Commits wait although enough voters are connected: committing again", {});
    await database.nudge(nudgeMs);
  }

  #say(because: string): void {
    if (because === this.#because) return;
    this.#because = because;
    if (because !== "") this.#options.log.write("warning", `The server waits: ${because}`, {});
  }
}
