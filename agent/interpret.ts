/**
 * One effect, one call to the outside world, at most one event back. Effects that must be done before
 * the next begins (records) are awaited; operations are only started and end as events.
 */
import type { Effect, Following, Promotion } from "../raft/effect.ts";
import type { Event, OperationDone } from "../raft/event.ts";
import { DEAF } from "../raft/leader.ts";
import type { Message } from "../raft/message.ts";
import { ackers, replicaOf, replicas } from "../raft/quorum.ts";
import { addressOf, type Config, type Millis, type Position, type Replica } from "../raft/types.ts";
import { LeaderHooks } from "./leader_hooks.ts";
import type { Clock, Database, Hooks, Log, Peers, Scope, Server, ServerIdentity } from "./ports.ts";
import { position } from "./positions.ts";
import type { OperatorAnswer, Requests } from "./requests.ts";
import { Speaker } from "./speaker.ts";
import type { Store } from "./store.ts";
import { kernelLateMs, type VirtualIp } from "./vip.ts";
import { incarnationOf, takesWrites } from "./view.ts";
import type { Watch } from "./watch.ts";
import { messageOf } from "../mysql/message_of.ts";

export interface InterpreterOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly store: Store;
  readonly peers: Peers;
  readonly database: Database;
  readonly server: Server;
  readonly watch: Watch;
  readonly hooks: Hooks;
  readonly vip: VirtualIp;
  readonly log: Log;
  readonly replies: Requests<Message>;
  readonly answers: Requests<OperatorAnswer>;
  readonly fenceMs: Millis;
  /** Longest wait for one answer of a peer to a heartbeat. */
  readonly requestMs: Millis;
  /** Why the server is left to a job; null while it is not. */
  readonly apart: () => string | null;
  readonly post: (event: Event) => void;
}

/** At the start a server gets this long to be closed by SQL before it is killed. */
const bootFenceMs = 5_000;
/** A node whose promotion failed leaves so many election timeouts to the others. */
const unfitElections = 5;
/** A server that is killed gets this long to end before its address is removed. */
const killedMs = 100;
/** How soon a fence is tried again that failed. */
const fenceAgainMs = 200;

/** Carries out effects. One for each node. */
export class Interpreter {
  readonly #options: InterpreterOptions;
  readonly #hooks: LeaderHooks;
  readonly #speaker: Speaker;
  #leadership = new AbortController();
  /** The run of the server that was elected. */
  #elected: ServerIdentity | null = null;
  /** What to replicate from; undefined until the protocol has said something about it. */
  #following: Following | null | undefined = undefined;
  #operations = 0;
  #hasLed = false;
  /** Of the last promotion here. */
  #term = 0;

  constructor(options: InterpreterOptions) {
    this.#options = options;
    this.#speaker = new Speaker(options);
    this.#hooks = new LeaderHooks({
      ...options,
      environment: (role) => this.#environment(role),
      isOpen: () => this.#isOpen(),
    });
  }

  get following(): Following | null | undefined {
    return this.#following;
  }

  /** An operation runs on the server: upkeep stays away meanwhile. */
  get busy(): boolean {
    return this.#operations > 0;
  }

  interpret(effect: Effect): Promise<void> | void {
    switch (effect.kind) {
      case "persist":
        return this.#options.store.saveDurable(effect.durable);
      case "send":
        return void this.#speaker.send(effect.to, effect.message);
      case "reply":
        return this.#options.replies.answer(effect.request, effect.message);
      case "answer":
        return this.#options.answers.answer(effect.request, {
          refused: effect.refused,
          passing: effect.passing ?? false,
        });
      case "follow":
        this.#following = effect.following;
        return this.#options.watch.hurry();
      case "log":
        return this.#options.log.write("info", effect.sentence, {});
      case "freeze":
        this.#following = undefined;
        return this.#operate(effect.op, () => this.#freeze(effect.op, effect.until));
      case "promote":
        return this.#operate(effect.op, () => this.#promote(effect.op, effect.promotion));
      case "fence":
        this.#following = undefined;
        return this.#operate(effect.op, () => this.#fence(effect.op, effect.why));
      case "close":
        return this.#operate(effect.op, () => this.#close(effect.op));
      case "arrange":
        return this.#operate(effect.op, () => this.#arrange(effect));
    }
  }

  /** Starts an operation; its failure is an event too. */
  #operate(op: number, work: () => Promise<OperationDone>): void {
    const { watch, post, clock } = this.#options;
    this.#operations++;
    watch.changed();
    work().catch((error): OperationDone => {
      return { kind: "opFailed", at: clock.now(), op, because: messageOf(error) };
    }).then((event) => {
      this.#operations--;
      // Looks that began before the end of the operation are not believed.
      watch.changed();
      post(event);
    });
  }

  async #freeze(op: number, until: Position): Promise<OperationDone> {
    const { database, clock, config, watch, store } = this.#options;
    const apart = this.#options.apart();
    if (apart !== null) throw new Error(`Cannot freeze: ${apart}`);
    const incarnation = incarnationOf(watch.identity);
    const all = await database.freeze({ until, untilMs: config.electionMs });
    const { errant } = store.current.memory;
    const held = config.positions.subtract(position(all), position(errant));
    return { kind: "frozen", at: clock.now(), op, held, incarnation };
  }

  async #promote(op: number, promotion: Promotion): Promise<OperationDone> {
    const { database, clock, log, watch, config, vip, store } = this.#options;
    this.#leadership = new AbortController();
    this.#hooks.begin();
    this.#elected = watch.identity;
    const scope = this.#scope();
    this.#hasLed = true;
    this.#term = promotion.term;
    const { incarnation } = promotion;
    const now = incarnationOf(this.#elected);
    if (incarnation?.boot !== now?.boot || incarnation?.process !== now?.process) {
      throw new Error("Cannot promote as the server was restarted after the vote");
    }
    const progress = (sentence: string) => log.write("info", sentence, { term: promotion.term });
    const wish = {
      clusterUuid: promotion.cluster,
      term: promotion.term,
      k: promotion.k,
      held: promotion.held,
      replicas: this.#replicas(),
      progress,
    };
    try {
      // The waiting for the old leader's address and the probe run beside the SQL.
      await vip.take({
        oldLeaderSilentMs: promotion.oldLeaderSilentMs,
        released: promotion.released,
        opened: database.promote(wish, scope),
        signal: scope.signal,
      });
      await this.#hooks.start(scope.signal);
    } catch (error) {
      const because = `its last promotion failed: ${messageOf(error)}`;
      // A promotion that was interrupted says nothing about the server.
      if (!scope.signal.aborted) watch.unfitFor(unfitElections * config.electionMs, because);
      throw error;
    }
    // What was born here before went to the others in front of the marker: it is ordinary now. Left
    // out any longer, this node would seem to lack what its followers hold, and never win again.
    if (store.current.memory.errant !== "") await store.remember({ errant: "" });
    return { kind: "promoted", at: clock.now(), op };
  }

  /**
   * Ends when nobody can commit. The address goes after the sessions: without it their ends would not
   * reach the clients, which would wait for answers for ever. The time for that is limited, as a
   * server may hang; the lease ends meanwhile all the same, as nobody renews it any more.
   */
  async #fence(op: number, why: string): Promise<OperationDone> {
    const { clock, fenceMs, vip, watch, config } = this.#options;
    this.#leadership.abort(new Error(why));
    // Its unacknowledged rest makes it look like the best candidate, and it would only wait again.
    if (why === DEAF) watch.unfitFor(unfitElections * config.electionMs, DEAF);
    this.#hooks.stop();
    const shut = this.#shut();
    if (vip.holds()) await this.#within(shut, fenceMs + killedMs);
    await Promise.all([this.#dropAddress(op), shut]);
    return { kind: "fenced", at: clock.now(), op };
  }

  /**
   * The protocol cannot go on, for instance as its record cannot be written. Then nobody steps down by
   * the rules, so what can serve clients here is closed at once; the silence lets others elect.
   */
  async abandon(why: string): Promise<void> {
    if (!this.#hasLed) return;
    const { vip, log, fenceMs } = this.#options;
    log.write("error", `Closing my server, as this agent cannot go on: ${why}`, {});
    this.#leadership.abort(new Error(why));
    this.#hooks.stop();
    await this.#within(Promise.allSettled([vip.drop(), this.#shut()]), 2 * fenceMs + killedMs);
  }

  /** The protocol asks again at once for a fence that failed, and each try may start processes. */
  async #shut(): Promise<void> {
    try {
      await this.#shutOnce();
    } catch (error) {
      await new Promise<void>((resolve) => this.#options.clock.after(fenceAgainMs, resolve));
      throw error;
    }
  }

  /** Closes the server by SQL, or by SIGKILL, or because it does not run. */
  async #shutOnce(): Promise<void> {
    const { server, watch, clock, log } = this.#options;
    const identity = watch.identity ?? await server.identify();
    const gone = () => identity === null || server.glance(identity) === "dead";
    if (gone()) return;
    const fenced = await this.#closeBySql(gone);
    if (fenced.kind === "mustKill" && identity !== null && !gone()) {
      if (!this.#hasLed && await this.#isHarmless()) throw new Error(fenced.because);
      log.write("warning", `Killing the server: ${fenced.because}`, { pid: identity.pid });
      server.kill(identity);
      while (!gone()) await new Promise<void>((resolve) => clock.after(5, resolve));
    }
    this.#hasLed = false;
  }

  /**
   * A leader's server gets one chance. One that an agent finds at its start may still be busy with what
   * its last agent asked of it, and is tried for some seconds.
   */
  async #closeBySql(gone: () => boolean): Promise<Awaited<ReturnType<Database["fence"]>>> {
    const { database, clock, fenceMs } = this.#options;
    if (this.#hasLed) return await database.fence(fenceMs);
    const endsAt = clock.now() + bootFenceMs;
    let fenced = await database.fence(bootFenceMs);
    while (fenced.kind === "mustKill" && clock.now() < endsAt && !gone()) {
      await new Promise<void>((resolve) => clock.after(fenceAgainMs, resolve));
      fenced = await database.fence(Math.max(fenceMs, endsAt - clock.now()));
    }
    return fenced;
  }

  /** Ends with the work, however that ends, and after `limitMs` at the latest. */
  #within(work: Promise<unknown>, limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(limitMs, resolve);
      const end = () => {
        cancel();
        resolve();
      };
      work.then(end, end);
    });
  }

  /**
   * A server that an agent finds at its start and cannot get into serves nobody yet (it recovers), or
   * the agent's account is wrong: neither is a reason to kill it.
   */
  async #isHarmless(): Promise<boolean> {
    const look = await this.#options.database.look(this.#options.requestMs);
    return look.kind === "failed" && (look.reason === "refused" || look.reason === "denied");
  }

  /** Told as soon as it is so: a successor need not wait for the lease of the address then. */
  async #dropAddress(op: number): Promise<void> {
    const { vip, post, clock, log } = this.#options;
    try {
      await vip.drop();
    } catch (error) {
      log.write("error", `Cannot remove the virtual address: ${messageOf(error)}`, {});
      // The kernel does, when the lease ends that nobody renews any more; it is not free before that.
      await new Promise<void>((resolve) => clock.after(vip.leaseMs + kernelLateMs, resolve));
    }
    post({ kind: "released", at: clock.now(), op });
  }

  async #close(op: number): Promise<OperationDone> {
    const { database, clock, config, watch, store, vip } = this.#options;
    const scope = this.#scope();
    this.#hooks.stop();
    const closed = await database.close(config.electionMs, scope).catch((error) => {
      if (!scope.signal.aborted) this.#hooks.resume(scope.signal);
      throw error;
    });
    // Last, so that clients hear how their sessions ended. "Closed" says that the address is free:
    // without that only a fence will do.
    await vip.drop();
    const { errant } = store.current.memory;
    const held = config.positions.subtract(position(closed), position(errant));
    const incarnation = incarnationOf(watch.identity);
    // Whatever still runs in this leadership ends here; the server itself stays closed.
    this.#leadership.abort(new Error("handed over"));
    this.#hasLed = false;
    // Following cannot begin beside it, and should not wait for the next look.
    void database.release().then(() => watch.hurry());
    return { kind: "closed", at: clock.now(), op, held, incarnation };
  }

  async #arrange(effect: Effect & { readonly kind: "arrange" }): Promise<OperationDone> {
    const { database, clock } = this.#options;
    const scope = this.#scope();
    const cutOff = effect.cutOff === null
      ? null
      : { replica: effect.cutOff, staying: this.#staying() };
    await database.arrange({ k: effect.k, cutOff }, scope);
    return { kind: "arranged", at: clock.now(), op: effect.op };
  }

  /** The other voters that acknowledge. */
  #staying(): readonly Replica[] {
    const { config, store } = this.#options;
    const { membership } = store.current.durable;
    if (membership === null) return [];
    return ackers(membership).filter(({ id }) => id !== config.id).map(replicaOf);
  }

  #replicas(): readonly Replica[] {
    const { membership } = this.#options.store.current.durable;
    return membership === null ? [] : replicas(membership);
  }

  async #isOpen(): Promise<boolean> {
    const look = await this.#options.database.look(this.#options.requestMs);
    return look.kind === "seen" && takesWrites(look.facts);
  }

  /** What belongs to this leadership: it ends with it, and with the run of the server it began on. */
  #scope(): Scope {
    const { server } = this.#options;
    const identity = this.#elected;
    const entitled = () => identity !== null && server.glance(identity) !== "dead";
    return { signal: this.#leadership.signal, entitled };
  }

  /** For the operator's commands. Whoever stops to lead does not know who will lead next. */
  #environment(role: "leader" | "follower"): Readonly<Record<string, string>> {
    const { config, vip } = this.#options;
    return {
      XENON_ROLE: role,
      XENON_TERM: String(this.#term),
      XENON_NODE: config.id,
      XENON_LEADER: role === "leader" ? config.id : "",
      XENON_MYSQL: addressOf(config.source),
      XENON_ADDRESS: vip.address,
    };
  }
}
