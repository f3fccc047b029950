/**
 * The MySQL beside an agent, as operations: look, freeze, promote, fence, follow and what a leader needs.
 *
 * Decisions are the plans' (`plan*.ts`). Here they meet connections, deadlines and one another: all
 * changes go through one queue, a fence ends whatever is in it, and nothing given up is forgotten.
 */

import { Administration } from "./administration.ts";
import { Cloning, type CloningParts } from "./cloning.ts";
import { closePlanned, ClosingRequest } from "./closing.ts";
import { DatabaseError } from "./client_error.ts";
import { BinaryLogEnd } from "./binary_log_end.ts";
import { type CutOff, cutOff } from "./cut_off.ts";
import type {
  DatabaseSettings,
  Following,
  Leadership,
  LookResult,
  Promotion,
  Round,
  Upkeep,
} from "./database_types.ts";
import { emptyTransaction } from "./empty_transaction.ts";
import type { ServerFacts } from "./facts.ts";
import { type FenceResult, runFence } from "./fence_runner.ts";
import { freezeOnce, type Freezing } from "./freezing.ts";
import { lastOf, parse, union } from "./gtid.ts";
import { semiSync } from "./leader_settings.ts";
import { messageOf } from "./message_of.ts";
import { endOtherAgents, endStrays } from "./other_sessions.ts";
import type { Plan, Statement } from "./plan.ts";
import { stopReceiver } from "./plan_apply.ts";
import { arrangeLeader, purposeUuid } from "./plan_arrange.ts";
import { follow, points } from "./plan_follow.ts";
import { preparePlan } from "./plan_prepare.ts";
import { missingPrivileges } from "./privileges.ts";
import { runPromotion } from "./promotion.ts";
import { ReplicaAccounts } from "./replica_accounts.ts";
import { Sessions } from "./sessions.ts";
import { isSettled, settle } from "./settling.ts";
import { type Patience, type RunnerOptions, StatementRunner } from "./statement_runner.ts";
import { lateLook, takeLook } from "./take_look.ts";
import { within } from "./time_left.ts";
import { commitNudge, raiseConnections } from "./unblocking.ts";
import { WorkQueue } from "./work_queue.ts";

export type { DatabaseSettings } from "./database_types.ts";

/** A marker of upkeep that is not acknowledged by then goes on waiting without the queue. */
const upkeepMs = 1_000;
const settledRound: Round = { settled: true, because: null };

/** The database port over real connections. */
export function createDatabase(settings: DatabaseSettings): MysqlDatabase {
  return new MysqlDatabase(settings);
}

/** One server, as its agent sees and changes it. */
export class MysqlDatabase implements AsyncDisposable {
  /** What an operator asks of this server besides the protocol. */
  readonly administration: Administration;
  /** What others need to copy this server. */
  readonly cloning: Cloning;
  readonly #settings: DatabaseSettings;
  readonly #sessions: Sessions;
  readonly #accounts: ReplicaAccounts;
  readonly #log: BinaryLogEnd;
  readonly #queue = new WorkQueue();
  readonly #request = new ClosingRequest();
  /** How many changes the queue had seen when these facts were read. */
  readonly #readAt = new WeakMap<ServerFacts, number>();
  #facts: ServerFacts | null = null;
  #followerSysvarsApplied = false;
  #fencing: Promise<FenceResult> | null = null;
  /** Aborted by the next fence, for what goes beside the queue. */
  #unfenced = new AbortController();

  constructor(settings: DatabaseSettings) {
    this.#settings = settings;
    this.#sessions = new Sessions(settings);
    this.#log = new BinaryLogEnd(this.#sessions);
    this.#accounts = new ReplicaAccounts({ ...settings, sessions: this.#sessions });
    const parts: CloningParts = {
      sessions: this.#sessions,
      statementMs: settings.statementMs,
      unfenced: () => this.#unfenced.signal,
      queued: (name, statements) => this.#change(name, {}, (runner) => runner.run(statements)),
      facts: () => this.#lookOver("look"),
    };
    this.administration = new Administration({
      ...parts,
      agentUser: settings.endpoint.user,
      replicationUser: settings.replication.user,
    });
    this.cloning = new Cloning(parts);
  }

  /** Reads all facts; about 4 ms on an idle server. Never rejects. */
  async look(deadlineMs: number): Promise<LookResult> {
    const late = () => lateLook(deadlineMs);
    const begunAt = performance.now();
    try {
      const facts = await within(deadlineMs, this.#lookOver("look", deadlineMs), late);
      this.#sessions.warm();
      return { kind: "seen", facts, stalled: this.#sessions.stalls.since(begunAt) };
    } catch (error) {
      const kind = error instanceof DatabaseError ? error.kind : "sql";
      const stalled = kind === "timeout" && this.#sessions.stalls.since(begunAt);
      return { kind: "failed", reason: stalled ? "stalled" : kind, because: messageOf(error) };
    }
  }

  /** Stops the receiver and gives the held set, read afterwards. An open server is fenced first. */
  async freeze(wish: { readonly until: string; readonly untilMs: number }): Promise<string> {
    const endsAt = this.#settings.now() + wish.untilMs;
    const first = await this.#freezeOnce({ ...wish, endsAt });
    if (first.kind === "held") return first.set;
    const fenced = await this.fence(this.#settings.fenceMs);
    if (fenced.kind === "mustKill") {
      throw new Error(`Cannot freeze: ${first.because}; SQL cannot close it: ${fenced.because}`);
    }
    const second = await this.#freezeOnce({ ...wish, endsAt });
    if (second.kind === "held") return second.set;
    throw new Error(`Cannot freeze: ${second.because}`);
  }

  /** Opens the server for a term: the whole promotion, verified. */
  async promote(wish: Promotion, scope: Leadership): Promise<void> {
    const patience: Patience = { kind: "unbounded", progress: wish.progress };
    this.#followerSysvarsApplied = false;
    this.#accounts.forget();
    await this.#change("promote", { patience, scope }, async (runner) => {
      const work = await this.#sessions.get("work");
      await runPromotion({
        runner,
        work,
        spare: this.#sessions,
        held: wish.held,
        goal: {
          clusterUuid: wish.clusterUuid,
          term: BigInt(wish.term),
          k: wish.k,
          leaderSysvars: this.#settings.leaderSysvars,
          leaderSysvarsApplied: false,
          replicationAccounts: this.#accounts.wanted(wish.replicas),
          xaPending: 0,
        },
        accounts: this.#accounts,
        look: () =>
          runner.guarded(work, {
            what: "look at the server",
            run: () => this.#lookOver("work"),
          }),
        progress: wish.progress,
        statementMs: this.#settings.statementMs,
      });
    });
  }

  /** Closes the server at any price, within the deadline, or says that only SIGKILL can. */
  fence(deadlineMs: number): Promise<FenceResult> {
    this.#fencing ??= this.#fence(deadlineMs).finally(() => this.#fencing = null);
    return this.#fencing;
  }

  /** Closes an open server for a switchover and gives its executed set; reopens it when it cannot. */
  async close(deadlineMs: number, scope: Leadership): Promise<string> {
    const { entitled } = scope;
    const parts = { sessions: this.#sessions, request: this.#request, deadlineMs, entitled };
    const work = (_: StatementRunner, signal: AbortSignal) => closePlanned({ ...parts, signal });
    return await this.#change("close", { scope }, work);
  }

  /**
   * Switches semi-sync off behind a planned close, while the candidate still reads here: its leaving wakes
   * the thread for which that waits, and it may need this server's acknowledgements at once. Never rejects.
   */
  async release(): Promise<void> {
    try {
      await this.#change("release", {}, async (runner) => {
        const facts = await this.#lookOver("work");
        const closed = facts.superReadOnly && facts.readOnly && facts.owned === "";
        if (closed) await runner.run(semiSync(facts, 0));
      });
    } catch {
      // Nobody waits for it: whoever follows sees to it again.
    }
  }

  /** One round of following; nothing is sent when all is well. */
  async follow(wish: Following, facts: ServerFacts): Promise<Round> {
    const sysvarsDue = wish.source !== null && !this.#followerSysvarsApplied;
    const fresh = this.#isFresh(facts);
    const own = this.#accounts.nameOf(wish.replica);
    const isOwn = wish.source === null || facts.replication?.sourceUser === own;
    const isDone = () => this.#followPlan(wish, facts, own).kind === "done";
    if (!sysvarsDue && fresh && isOwn && isDone()) {
      if (wish.source !== null) await this.#accounts.tryLogins(wish.replicas ?? [], facts);
      return settledRound;
    }
    if (this.#queue.busyWith !== null) return busy(this.#queue.busyWith);
    const warnings: string[] = [];
    const warn = (sentence: string) => void warnings.push(sentence);
    return await this.#change("follow", { warn }, async (runner) => {
      const seen = fresh ? facts : await this.#lookOver("work");
      const user = isOwn ? own : await this.#accounts.login(wish.replica, seen);
      const plan = this.#followPlan(wish, seen, user);
      if (plan.kind === "refuse") return { settled: false, because: plan.because };
      if (sysvarsDue) {
        await runner.run(this.#settings.followerSysvars.statements);
        this.#followerSysvarsApplied = true;
      }
      if (plan.kind === "run") {
        await runner.run(plan.statements);
        if (wish.source !== null && points(plan)) this.#accounts.pointed({ ...wish.source, user });
      }
      for (const sentence of warnings) this.#settings.warn?.(sentence);
      return { settled: plan.kind === "done", because: warnings[0] ?? null };
    });
  }

  /**
   * One round of a leader's upkeep: its settings, accounts, the forgotten source, lower markers. A server
   * that goes on confirming commits that nobody else has is fenced.
   */
  async settle(wish: Upkeep, facts: ServerFacts): Promise<Round> {
    const fresh = this.#isFresh(facts);
    const known = this.#accounts.knows(wish.replicas);
    if (known && fresh && isSettled(facts, wish)) return settledRound;
    if (this.#queue.busyWith !== null) return busy(this.#queue.busyWith);
    let because: string | null = null;
    const warn = (sentence: string) => void (because = sentence);
    const { mustClose, ...round } = await this.#change(
      "settle",
      { warn },
      async (runner, signal) => {
        const seen = fresh ? facts : await this.#lookOver("work");
        return await settle({ runner, signal, wish, accounts: this.#accounts }, seen);
      },
    );
    if (mustClose) await this.fence(this.#settings.fenceMs);
    return { ...round, because: round.because ?? because };
  }

  /**
   * Changes how many acknowledgements commits need and cuts off a replica, then proves it by a commit.
   */
  async arrange(
    wish: { readonly k: number; readonly cutOff: CutOff | null },
    scope: Leadership,
  ): Promise<void> {
    const patience: Patience = { kind: "unbounded", progress: () => {} };
    await this.#change("arrange", { patience, scope }, async (runner) => {
      const facts = await this.#lookOver("work");
      const plan = arrangeLeader(facts, wish.k);
      if (plan.kind === "refuse") throw new Error(`Cannot arrange: ${plan.because}`);
      const work = await this.#sessions.get("work");
      const whom = wish.cutOff;
      if (whom !== null) {
        this.#accounts.forget();
        const { statementMs: deadlineMs, replication: { user } } = this.#settings;
        const run = (statements: readonly Statement[]) => runner.run(statements);
        const parts = { connection: work, user, k: wish.k, deadlineMs, run };
        const shutOut = () => cutOff(parts, whom);
        await runner.guarded(work, { what: "shut a replica out", run: shutOut });
      }
      if (plan.kind === "run") await runner.run(plan.statements);
      const purpose = purposeUuid(facts.serverUuid);
      const number = lastOf(union(parse(facts.executed), parse(facts.owned)), purpose) + 1n;
      await runner.run(emptyTransaction(purpose, number, "prove that commits are acknowledged"));
    });
  }

  /** Makes a server that does not lead ready for its work; once for each of its runs. */
  async prepare(): Promise<void> {
    this.#followerSysvarsApplied = false;
    await this.#sessions.open();
    await this.#change("prepare", {}, async (runner) => {
      await endOtherAgents(this.#sessions, this.#settings.statementMs);
      const plan = preparePlan(await this.#lookOver("work"));
      if (plan.kind === "refuse") throw new Error(`Cannot prepare: ${plan.because}`);
      if (plan.kind === "run") await runner.run(plan.statements);
    });
  }

  /**
   * Commits an empty transaction on a fresh connection. It goes beside the queue, because what it
   * releases may be the very commit that the queue waits for.
   */
  nudge(deadlineMs: number): Promise<void> {
    const runner = (signal: AbortSignal) => this.#runner({ signal });
    const parts = { sessions: this.#sessions, log: this.#log, runner };
    return commitNudge({ ...parts, unfenced: this.#unfenced.signal }, deadlineMs);
  }

  /** Lets so many more connections in where all are taken, until the server's next start. */
  makeRoom(more: number): Promise<number | null> {
    return raiseConnections(this.#sessions, { more, deadlineMs: this.#settings.statementMs });
  }

  /** Closes the connections of the moment: a server that is told to stop waits for them. */
  letGo(): Promise<void> {
    return this.#sessions.letGo();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#queue.pause(new Error("Cannot go on as the agent ends"));
    this.#sessions.abandonWork();
    await this.#sessions[Symbol.asyncDispose]();
  }

  async #fence(deadlineMs: number): Promise<FenceResult> {
    const running = this.#queue.running;
    this.#unfenced.abort();
    this.#unfenced = new AbortController();
    this.#queue.pause(new Error("Cannot go on: the server is being fenced"));
    if (running) this.#sessions.abandonWork();
    else this.#sessions.abandonFresh();
    this.#followerSysvarsApplied = false;
    try {
      return await runFence({ sessions: this.#sessions, request: this.#request, deadlineMs });
    } finally {
      this.#queue.resume();
    }
  }

  #freezeOnce(wish: { readonly until: string; readonly endsAt: number }): Promise<Freezing> {
    return this.#change("freeze", {}, async (runner) => {
      const work = await this.#sessions.get("work");
      const base = this.#facts ?? await this.#lookOver("work");
      return await freezeOnce({ ...this.#settings, runner, work, log: this.#log, base }, wish);
    });
  }

  #followPlan(wish: Following, facts: ServerFacts, user: string): Plan {
    if (wish.source === null) return stopReceiver(facts) ?? { kind: "done" };
    const source = { ...wish.source, user, password: this.#settings.replication.password };
    return follow(facts, { ...wish, source, renew: this.#accounts.renews(facts, source) });
  }

  /** Runs an operation in the queue, after the end of all abandoned statements was seen. */
  #change<T>(
    name: string,
    options: Partial<Pick<RunnerOptions, "patience" | "warn">> & { readonly scope?: Leadership },
    operation: (runner: StatementRunner, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { scope, ...rest } = options;
    return this.#queue.run(name, async (queueSignal) => {
      const signals = scope === undefined ? [queueSignal] : [queueSignal, scope.signal];
      const signal = AbortSignal.any(signals);
      const entitled = scope === undefined ? {} : { entitled: scope.entitled };
      await endStrays(this.#sessions, this.#settings.statementMs);
      await using runner = this.#runner({ ...rest, ...entitled, signal });
      return await operation(runner, signal);
    });
  }

  #runner(options: Partial<RunnerOptions> & { readonly signal: AbortSignal }): StatementRunner {
    const { statementMs, timing, warn = () => {} } = this.#settings;
    return new StatementRunner({
      sessions: this.#sessions,
      statementMs,
      patience: { kind: "bounded", deadlineMs: upkeepMs },
      warn,
      ...(timing === undefined ? {} : { timing }),
      ...options,
    });
  }

  async #lookOver(name: "look" | "work", deadlineMs?: number): Promise<ServerFacts> {
    const readAt = this.#queue.changes;
    const connection = await this.#sessions.get(name);
    const from = { connection, log: this.#log };
    const seen = await takeLook(from, deadlineMs ?? this.#settings.statementMs);
    const facts = { ...seen, privileges: missingPrivileges(this.#sessions.grants, seen.version) };
    this.#readAt.set(facts, readAt);
    this.#facts = facts;
    return facts;
  }

  /** Facts that were read before the last change may be refuted by it. */
  #isFresh(facts: ServerFacts): boolean {
    return this.#readAt.get(facts) === this.#queue.changes;
  }
}

function busy(name: string): Round {
  return { settled: false, because: `the server is busy: ${name}` };
}
