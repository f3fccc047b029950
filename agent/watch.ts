/**
 * Watches the server beside the agent: a glance at its process every 20 ms, a look inside it a few
 * times a second, and a restart when it died. Reports views; decides nothing.
 */
import type { ServerFacts } from "../mysql/facts.ts";
import { messageOf } from "../mysql/message_of.ts";
import { noRestarts, noteStart, type RestartHistory, restartWaitMs } from "../mysql/restart.ts";
import { type Position, type ServerView, UNSEEN_SERVER } from "../raft/types.ts";
import { isStuck, type LogMemory, lookedSince, watchLog } from "./log_watch.ts";
import { noData, noProcess, noSpace } from "./not_started.ts";
import type {
  Clock,
  Database,
  Log,
  Look,
  Server,
  ServerIdentity,
  TakesConnections,
} from "./ports.ts";
import { SourceReach } from "./source_reach.ts";
import {
  incarnationOf,
  type LeaderEnd,
  silentView,
  type StepMemory,
  viewOf,
  type WaitMemory,
  watchErrant,
  watchStep,
  watchWaiting,
} from "./view.ts";

/** A killed server's sockets stay open for a tenth of a second and more; its process tells at once. */
const glanceEveryMs = 20;
/** A process that somebody stopped is hung at once; this much is forgiven. */
const stoppedMaxMs = 300;
/** A dead server is started again after the hand-over, not beside it: both want the processor. */
const restartAfterMs = 500;
/** The most that a slow machine can stretch the patience with a server that does not answer. */
const hungMaxMs = 10_000;
/** How often the files of a running server are looked for. */
const dataEveryMs = 1_000;

export interface WatchOptions {
  readonly lookEveryMs: number;
  /** Without an answer for this long the server counts as hung, unless it was slow before. */
  readonly hungMs: number;
  /** Why this node never leads, whatever its server says; null when it may. */
  readonly neverLeads: string | null;
  readonly clock: Clock;
  readonly database: Database;
  readonly server: Server;
  readonly log: Log;
  readonly monitor: () => boolean;
  /** A reason of the operator's against leading; null when there is none. */
  readonly unwanted: () => string | null;
  /** Why the server is left to a job: it is neither started nor looked at meanwhile. Else null. */
  readonly apart: () => string | null;
  /** Transactions known to be errant, and where new ones are written down. */
  readonly errant: { readonly get: () => string; readonly set: (gtids: string) => void };
  readonly takesConnections: TakesConnections;
  /** Does this node follow now (neither lead nor close)? */
  readonly following: () => boolean;
  readonly leaderEnd: () => LeaderEnd | null;
  /** A new view; `facts` is null when the server did not answer. */
  readonly report: (view: ServerView, facts: ServerFacts | null) => void;
}

/** The watch over one server. Everything it starts ends with `stop`. */
export class Watch {
  readonly #options: WatchOptions;
  #identity: ServerIdentity | null = null;
  #view: ServerView = UNSEEN_SERVER;
  #facts: ServerFacts | null = null;
  #factsAt = -Infinity;
  readonly #reach: SourceReach;
  #step: StepMemory = { runningSince: null, source: "" };
  #log: LogMemory | null = null;
  #waiting: WaitMemory = { since: null, executed: "" };
  #baseline: Position | null = null;
  /** Looks that began before the last change of the server are not believed. */
  #generation = 0;
  /** Did this run of the server answer before? Then a closed door means that it is going down. */
  #answered = false;
  #stoppedSince: number | null = null;
  #slowestLookMs = 0;
  #restarts: RestartHistory = noRestarts;
  #restartAt = -Infinity;
  #stopped = false;
  readonly #cancel = new Set<() => void>();
  #unfit = { because: "", until: -Infinity };
  /** It was started here and has not answered since. */
  #starting = false;
  /** Somebody waits for a start that he asked for, whatever the monitor thinks. */
  #startWish: PromiseWithResolvers<void> | null = null;
  #findNow: () => void = () => {};
  /** Runs the next look at once. */
  #lookNow: () => void = () => {};

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#reach = new SourceReach(options);
  }

  get facts(): ServerFacts | null {
    return this.#facts;
  }

  get identity(): ServerIdentity | null {
    return this.#identity;
  }

  /** Monotonic time of the last look that was answered. */
  get factsAt(): number {
    return this.#factsAt;
  }

  /** Monotonic time of the last look, -Infinity while the server does not answer. */
  get answeredAt(): number {
    return this.#facts === null ? -Infinity : this.#factsAt;
  }

  /** The state of the server in few words. */
  get condition(): string {
    const { health, unfit } = this.#view;
    return unfit === null ? health : `${health}: ${unfit}`;
  }

  start(): void {
    this.#factsAt = this.#options.clock.now();
    this.#every(glanceEveryMs, () => Promise.resolve(this.#glance()));
    this.#lookNow = this.#every(this.#options.lookEveryMs, () => this.#look());
    this.#findNow = this.#every(5 * glanceEveryMs, () => this.#findProcess());
    this.#every(dataEveryMs, () => this.#checkData());
  }

  stop(): void {
    this.#stopped = true;
    this.#startWish?.reject(new Error("Cannot start the server as the agent ends"));
    for (const cancel of this.#cancel) cancel();
  }

  /** Starts the server unless it runs, at once; rejects with the reason when that cannot be done. */
  startNow(): Promise<void> {
    if (this.#identity !== null) return Promise.resolve();
    this.#startWish ??= Promise.withResolvers<void>();
    this.#findNow();
    return this.#startWish.promise;
  }

  /** A promotion failed here: for a while somebody else should try. */
  unfitFor(ms: number, because: string): void {
    this.#unfit = { because, until: this.#options.clock.now() + ms };
  }

  /** The server was changed on purpose: what was read before says nothing any more. */
  changed(): void {
    this.#generation++;
    this.#baseline = null;
  }

  /** Something waits for the next look: it is taken at once. */
  hurry(): void {
    this.#lookNow();
  }

  /** Repeats `work`, never twice at once, until the watch stops; the result makes it run at once. */
  #every(ms: number, work: () => Promise<void>): () => void {
    const { clock, log } = this.#options;
    let waiting: (() => void) | null = null;
    let hurried = false;
    const run = () => {
      waiting?.();
      waiting = null;
      hurried = false;
      work().catch((error) => {
        log.write("error", `Cannot watch the server: ${messageOf(error)}`, {});
      }).finally(() => again(hurried ? 0 : ms));
    };
    const again = (afterMs: number) => {
      if (this.#stopped) return;
      const cancel = clock.after(afterMs, () => {
        this.#cancel.delete(cancel);
        waiting = null;
        run();
      });
      waiting = () => {
        cancel();
        this.#cancel.delete(cancel);
      };
      this.#cancel.add(cancel);
    };
    again(ms);
    return () => {
      if (waiting === null) hurried = true;
      else run();
    };
  }

  #glance(): void {
    const identity = this.#identity;
    if (identity === null) return;
    const { clock, server } = this.#options;
    const life = server.glance(identity);
    if (life === "dead") return this.#died();
    if (life !== "stopped") {
      this.#stoppedSince = null;
      return;
    }
    this.#stoppedSince ??= clock.now();
    if (clock.now() - this.#stoppedSince >= stoppedMaxMs && this.#view.health !== "hung") {
      this.#silent("hung", "the server process is stopped (SIGSTOP)");
    }
  }

  #died(): void {
    this.#identity = null;
    this.#answered = false;
    this.#restartAt = this.#options.clock.now() + restartAfterMs;
    this.#stoppedSince = null;
    this.changed();
    this.#silent("dead", this.#startFailed() ?? "the server process is gone");
  }

  /** Says once why a start came to nothing; null when it was no start that failed. */
  #startFailed(): string | null {
    if (!this.#starting) return null;
    this.#starting = false;
    const { log, server } = this.#options;
    const lines = server.whyItDied().split("\n").join(" | ");
    log.write("warning", `The server ended during its start; ${lines}`, {});
    return "it ended during its start: its error log says why";
  }

  /** Without its files a server goes on from memory, and what it acknowledges dies with it. */
  async #checkData(): Promise<void> {
    const { server, log, apart } = this.#options;
    const identity = this.#identity;
    if (identity === null || !this.#answered || apart() !== null) return;
    const folder = await server.emptyDataFolder();
    if (folder === null || identity !== this.#identity || apart() !== null) return;
    const why = `its data folder ${JSON.stringify(folder)} holds no data any more`;
    log.write("error", `Killing the server, as ${why}: it must not acknowledge anything`, {});
    server.kill(identity);
  }

  #silent(health: "dead" | "hung" | "unknown", because: string): void {
    this.#view = silentView(this.#view, health, because);
    this.#facts = null;
    this.#log = null;
    this.#options.report(this.#view, null);
  }

  /** Knows the process by pid and start time; starts it when it should run and does not. */
  async #findProcess(): Promise<void> {
    const wish = this.#startWish;
    try {
      await this.#findOrStart(wish !== null);
    } catch (error) {
      if (wish === null) throw error;
      wish.reject(error);
    }
    if (wish === null) return;
    wish.resolve();
    this.#startWish = null;
  }

  async #findOrStart(wished: boolean): Promise<void> {
    if (this.#identity !== null) return;
    const { clock, server, log, monitor } = this.#options;
    this.#identity = await server.identify();
    if (this.#identity !== null) return;
    const folder = await server.emptyDataFolder();
    const failed = this.#startFailed();
    if (failed !== null || this.#view.health !== "dead") {
      this.#silent("dead", failed ?? "the server is not running");
    }
    const apart = this.#options.apart();
    if (apart !== null) {
      if (wished) throw new Error(`Cannot start the server: ${apart}`);
      return;
    }
    if (folder !== null) return this.#notStarted(noData(folder), wished);
    if (wished) {
      this.#restarts = noRestarts;
    } else {
      if (clock.now() < this.#restartAt || !monitor()) return;
      if (restartWaitMs(this.#restarts, clock.now()) > 0) return;
    }
    const full = await server.fullDataFolder();
    if (full !== null) return this.#notStarted(noSpace(full), wished);
    this.#restarts = noteStart(this.#restarts, clock.now());
    const why = wished ? "as an operator asked for it" : "as it is not running";
    log.write("warning", `Starting the server, ${why}`, {});
    this.#starting = true;
    try {
      await server.start();
    } catch (error) {
      this.#starting = false;
      this.#silent("dead", noProcess(error));
      throw error;
    }
  }

  #notStarted(because: string, wished: boolean): void {
    if (this.#view.unfit !== because) this.#silent("dead", because);
    if (wished) throw new Error(because);
  }

  async #look(): Promise<void> {
    const { clock, database, hungMs, apart } = this.#options;
    if (this.#leftToJob(apart())) return;
    const generation = this.#generation;
    const begun = clock.now();
    const patienceMs = Math.min(hungMaxMs, Math.max(hungMs, 20 * this.#slowestLookMs));
    const look = await database.look(patienceMs);
    if (this.#stopped || generation !== this.#generation || apart() !== null) return;
    if (look.kind === "failed") return this.#lookFailed(look, patienceMs);
    const held = this.#log;
    const log = watchLog(held, look.facts, begun);
    const stuck = isStuck(log, clock.now(), patienceMs);
    if (stuck) this.#fail("hung", "its binary log does not move: look at its disk");
    this.#log = log;
    if (stuck) return;
    // Slow is not dead: how long a look takes here stretches the patience, and is forgotten slowly. What
    // was hung before this look was not slow, nor what this agent itself stalled.
    const tookMs = look.stalled ? 0 : clock.now() - lookedSince(log, this.#facts && held, begun);
    this.#slowestLookMs = Math.max(tookMs, this.#slowestLookMs * 0.98);
    this.#seen(look.facts, begun);
  }

  /** What a job does to the server is none of the protocol's business: for it there is no server. */
  #leftToJob(apart: string | null): boolean {
    if (apart === null) return false;
    if (this.#view.health !== "dead" || this.#view.unfit !== apart) this.#silent("dead", apart);
    // Its looks begin anew afterwards: a closed door is no sign of a server that goes down.
    this.#answered = false;
    this.#factsAt = this.#options.clock.now();
    return true;
  }

  #seen(facts: ServerFacts, at: number): void {
    const { clock, errant, following, leaderEnd, report } = this.#options;
    this.#factsAt = clock.now();
    this.#facts = facts;
    this.#answered = this.#identity !== null;
    this.#starting = false;
    const before = errant.get();
    const found = watchErrant({ baseline: this.#baseline, errant: before }, facts, following());
    this.#baseline = found.baseline;
    if (found.errant !== before) errant.set(found.errant);
    const seen = { at: this.#factsAt, end: leaderEnd() };
    const { memory, inStep } = watchStep(this.#step, facts, seen);
    this.#step = memory;
    const waiting = watchWaiting(this.#waiting, facts, this.#factsAt);
    this.#waiting = waiting.memory;
    this.#view = viewOf(facts, {
      at,
      incarnation: incarnationOf(this.#identity),
      errant: found.errant,
      inStep,
      sourceLost: this.#reach.lost(facts, leaderEnd()),
      blocked: waiting.blocked,
      unfit: this.#options.unwanted() ??
        (this.#factsAt < this.#unfit.until ? this.#unfit.because : this.#options.neverLeads),
    });
    report(this.#view, facts);
  }

  #lookFailed(look: Look & { readonly kind: "failed" }, patienceMs: number): void {
    if (this.#identity === null) return;
    const silentMs = this.#options.clock.now() - this.#factsAt;
    if (look.reason === "denied") {
      // It answers, so patience would not help.
      return this.#fail("unknown", `${look.because}: check mysql.admin and mysql.passwd`);
    }
    if (this.#view.health === "dead") return;
    if (look.reason === "refused" && this.#answered) {
      // A clean stop closes the door first and then tells waiting clients "committed".
      return this.#fail("hung", "it takes no connections any more: somebody is stopping it");
    }
    if (silentMs < patienceMs || look.reason === "stalled") return;
    if (look.reason !== "timeout") return this.#fail("unknown", look.because);
    this.#fail("hung", `the server has not answered for ${Math.round(silentMs)} ms`);
  }

  /** Says it once; a growing silence is not news. */
  #fail(health: "hung" | "unknown", because: string): void {
    if (this.#view.health === "hung" && health === "hung") return;
    if (this.#view.health === health && this.#view.unfit === because) return;
    this.#silent(health, because);
  }
}
