/**
 * What is put right at every look while nothing else runs on the server: a follower replicates from
 * whom the protocol named, a leader tidies up, and commits whose acknowledgement was lost move on.
 */
import { enoughNudges } from "../mysql/empty_transaction.ts";
import { applierMayResume, type ServerFacts } from "../mysql/facts.ts";
import { messageOf } from "../mysql/message_of.ts";
import { purposeUuid } from "../mysql/plan_arrange.ts";
import { quorum, replicas } from "../raft/quorum.ts";
import type { State } from "../raft/state.ts";
import type { ServerView } from "../raft/types.ts";
import type { Interpreter } from "./interpret.ts";
import type { Clock, Database, Log } from "./ports.ts";

/** Between two nudges, and the most that one may take. */
const nudgeMs = 2_000;
/** So often, in the life of an agent, may room be made for replicas that are kept out. */
const roomsMax = 8;
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
  #roomAskedAt = -Infinity;
  /** Room was made since commits began to wait, and how often in all. */
  #roomMade = false;
  #rooms = 0;
  #resumedAt = -Infinity;
  #because = "";
  #mended = "";

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  /** After a look that was answered. Never rejects; what fails is said once and tried again. */
  seen(view: ServerView, facts: ServerFacts): void {
    if (this.#running) return;
    this.#running = true;
    this.#round(view, facts).then((because) => this.#say(because ?? ""), (error) => {
      this.#say(messageOf(error));
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
    const { membership, uncertain } = this.#options.state().durable;
    const all = membership === null ? [] : replicas(membership);
    const may = { mayForget: uncertain !== null, mayResume: this.#mayResume(facts) };
    const wish = { source, acknowledge, replica, replicas: all, ...may };
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
    const { database, interpreter, log } = this.#options;
    const { membership, term } = state.durable;
    if (membership === null) return null;
    // Also while a promotion waits for its marker: that acknowledgement may be the lost one.
    await this.#unblock(state, seen);
    if (interpreter.busy || state.handover !== null) return null;
    if (state.stage !== "leading" || state.change !== null) return null;
    const k = this.#options.repair() ? quorum(membership).k : null;
    const wish = { clusterUuid: membership.cluster, term, k, replicas: replicas(membership) };
    const { because, mended = "" } = await database.settle(wish, seen.facts);
    if (mended !== "" && mended !== this.#mended) log.write("warning", mended, {});
    this.#mended = mended;
    return because;
  }

  /** A lost acknowledgement is never sent again; only another commit releases who waits for it. */
  async #unblock(
    state: State & { role: "leader" },
    seen: { readonly view: ServerView; readonly facts: ServerFacts },
  ): Promise<void> {
    const { clock, database, log } = this.#options;
    const { membership } = state.durable;
    if (seen.view.health !== "blocked" || membership === null) {
      this.#roomMade = false;
      return;
    }
    const { clients } = seen.facts.semiSyncSource;
    if (clients < quorum(membership).k) return await this.#makeRoom(replicas(membership).length);
    if (enoughNudges(seen.facts, purposeUuid(seen.facts.serverUuid))) return;
    if (clock.now() - this.#nudgedAt < nudgeMs) return;
    this.#nudgedAt = clock.now();
    log.write("warning", "Commits wait although enough voters are connected: committing again", {});
    await database.nudge(nudgeMs);
  }

  /** Clients that wait may hold all connections, and replicas log in like everybody else. */
  async #makeRoom(more: number): Promise<void> {
    const { clock, database, log } = this.#options;
    if (this.#roomMade || this.#rooms >= roomsMax) return;
    if (clock.now() - this.#roomAskedAt < nudgeMs) return;
    this.#roomAskedAt = clock.now();
    const connectionsMax = await database.makeRoom(more);
    if (connectionsMax === null) return;
    this.#roomMade = true;
    this.#rooms++;
    const sentence =
      "All connections were taken, which keeps out the replicas that commits wait for: " +
      `max_connections is ${connectionsMax} until the next start, set it higher in my.cnf`;
    log.write("warning", sentence, {});
  }

  #say(because: string): void {
    if (because === this.#because) return;
    this.#because = because;
    if (because !== "") this.#options.log.write("warning", `The server waits: ${because}`, {});
  }
}
