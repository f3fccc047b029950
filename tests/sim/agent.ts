/**
 * One agent: feeds events to the core one at a time and interprets its effects in order. Writing to
 * disk takes time; whatever stands behind a `persist` waits for it, and a crash may come in between.
 */
import type { Effect, Following } from "../../raft/effect.ts";
import type { Event } from "../../raft/event.ts";
import type { Envelope, Message } from "../../raft/message.ts";
import type { State } from "../../raft/state.ts";
import type { Durable, NodeId } from "../../raft/types.ts";
import { AddressKeeper } from "./address_keeper.ts";
import { isAnswer } from "./late_answers.ts";
import {
  accountOf,
  arrange,
  close,
  fence,
  fillMarkers,
  freeze,
  type Outcome,
  promote,
  type Site,
} from "./procedures.ts";
import type { Happening, Surroundings } from "./surroundings.ts";
import { Watch } from "./watch.ts";
import { AgentGone, Work } from "./work.ts";

const lookMs = 100;
const closeLimitMs = 1000;
const answersWaitingMax = 200;
const wakeUpMs = 10;

export class SimAgent {
  readonly index: number;
  readonly #world: Surroundings;
  disk: Durable;
  state: State | null = null;
  /** Counts the lives of the agent; 0 before the first. */
  run = 0;
  alive = false;
  pausedUntil = 0;
  /** How long a durable write takes at most. */
  diskMs = 2;
  /** Requests that the core may still answer. */
  readonly #askers = new Map<number, (answer: Message) => void>();
  #request = 0;
  #effects: Effect[] = [];
  #writing = false;
  #work: Work | null = null;
  #following: Following | null = null;
  #tickAt = Infinity;
  readonly #watch: Watch;
  #keeper: AddressKeeper | null = null;
  /** When the present life began. */
  startedAt = -Infinity;
  /** The term that this agent opened its server for, until the fence. */
  #leads: number | null = null;
  readonly #clockOffset: number;

  constructor(index: number, world: Surroundings, disk: Durable) {
    this.index = index;
    this.#world = world;
    this.disk = disk;
    this.#clockOffset = Math.floor(world.dice.between(0, 1e6));
    this.#watch = new Watch(world, {
      seen: (view) => this.happens({ kind: "server", view }),
      leads: () => this.#leads,
      following: () => this.#following,
      work: () => this.#work,
      site: () => this.#site(),
    });
  }

  /** Begins a new life with what is on disk. */
  boot(): void {
    const { clock, core, config, dice } = this.#world;
    this.run++;
    this.alive = true;
    this.pausedUntil = 0;
    this.startedAt = clock.now;
    const run = this.run;
    this.#keeper = this.#newKeeper(run);
    this.#work = new Work(clock, {
      ended: (op, outcome) => this.#ended(op, outcome),
      failed: (op, because) => {
        // Later, because a fence ends other work while the core's effects are being performed.
        if (op !== null) clock.after(0, () => this.#failed(run, op, because));
      },
      frozenForMs: () => Math.max(0, this.pausedUntil - clock.now),
    });
    this.#note(() => "agent starts");
    // What an earlier life sent is ended and seen gone before anything else is sent.
    this.#work.add({ scope: "plain", op: null, begin: () => this.#takeOver() });
    const seed = 1 + dice.below(2 ** 31);
    const [state, effects] = core.start(config, this.disk, { at: this.localNow(), seed });
    this.#adopt(state, effects);
    this.#look(run);
  }

  /** Looks at the server now and then; the core hears of it when it changed. */
  #look(run: number): void {
    if (this.run !== run) return;
    this.lookNow();
    this.#world.clock.after(lookMs, () => this.#look(run));
  }

  lookNow(): void {
    if (!this.alive || this.isWitness || this.#world.clock.now < this.pausedUntil) return;
    this.#watch.look();
  }

  crash(): void {
    if (!this.alive) return;
    this.#note(() => "agent dies");
    this.alive = false;
    this.state = null;
    this.#work?.stop();
    this.#work = null;
    this.#keeper = null;
    this.#world.address.orphan();
    this.#effects = [];
    this.#writing = false;
    this.#askers.clear();
    this.#following = null;
    this.#tickAt = Infinity;
    this.#watch.forget();
    this.#leads = null;
    this.run++;
  }

  pause(forMs: number): void {
    if (!this.alive) return;
    this.#note(() => `agent is frozen for ${Math.round(forMs)} ms`);
    this.pausedUntil = Math.max(this.pausedUntil, this.#world.clock.now + forMs);
    this.#world.address.freeze(forMs);
  }

  get isWitness(): boolean {
    return this.#world.config.witness;
  }

  localNow(): number {
    return this.#world.clock.now + this.#clockOffset;
  }

  /** Something happened; a frozen agent hears of it when it goes on. */
  happens(happening: Happening): void {
    if (!this.alive || this.state === null) return;
    const { clock, core, config, dice } = this.#world;
    const run = this.run;
    if (clock.now < this.pausedUntil) {
      clock.after(this.pausedUntil - clock.now + dice.between(0, 20), () => {
        if (this.run === run) this.happens(happening);
      });
      return;
    }
    const event = { ...happening, at: this.localNow() } as Event;
    if (event.kind !== "tick") this.#note(() => `< ${core.describeEvent(event)}`);
    const [state, effects] = core.step(config, this.state, event);
    this.#adopt(state, effects);
  }

  /** A message of another agent, or of a founding; the answer is spoken to whoever waits for it. */
  hears(
    envelope: Envelope,
    answer = (message: Message) => this.#say(envelope.from, message),
  ): void {
    if (!this.alive) return;
    if (isAnswer(envelope.message)) {
      return this.happens({ kind: "received", envelope, request: null });
    }
    const request = ++this.#request;
    if (this.#askers.size >= answersWaitingMax) this.#askers.clear();
    this.#askers.set(request, answer);
    this.happens({ kind: "received", envelope, request });
  }

  #adopt(state: State, effects: readonly Effect[]): void {
    const before = this.state;
    const run = this.run;
    this.state = state;
    const moved = before?.role !== state.role;
    if (moved || before?.why !== state.why) {
      this.#note(() => `= ${this.#world.core.describeState(this.#world.config, state)}`);
    }
    for (const effect of effects) {
      this.#note(() => `  > ${this.#world.core.describeEffect(effect)}`);
    }
    this.#effects.push(...effects);
    this.#interpret();
    if (this.run !== run) return;
    if (moved) this.#world.hook("role", this.index);
    if (this.run !== run) return;
    if (state.role === "leader") this.#keeper?.renew();
    this.#world.observer.stepped(this);
    this.#arm();
  }

  #arm(): void {
    if (this.state === null) return;
    const { clock, core, config } = this.#world;
    const deadline = core.nextDeadline(config, this.state);
    if (!Number.isFinite(deadline) || deadline >= this.#tickAt) return;
    this.#tickAt = deadline;
    const run = this.run;
    clock.after(Math.max(0.5, deadline - this.localNow()), () => {
      if (this.run !== run || this.#tickAt !== deadline) return;
      this.#tickAt = Infinity;
      const due = this.state !== null && core.nextDeadline(config, this.state) <= this.localNow();
      if (due || clock.now < this.pausedUntil) this.happens({ kind: "tick" });
      this.#arm();
    });
  }

  #interpret(): void {
    const { clock, dice } = this.#world;
    const run = this.run;
    const resume = () => {
      if (this.run === run) this.#interpret();
    };
    while (this.#effects.length > 0 && !this.#writing) {
      if (clock.now < this.pausedUntil) return clock.after(this.pausedUntil - clock.now, resume);
      const effect = this.#effects.shift() as Effect;
      if (effect.kind !== "persist") {
        this.#perform(effect);
        if (this.run !== run) return;
        continue;
      }
      this.#writing = true;
      clock.after(dice.between(0.1, this.diskMs), () => {
        if (this.run === run) this.#written(effect.durable, run);
      });
    }
  }

  #written(durable: Durable, run: number): void {
    const before = this.disk;
    this.disk = durable;
    this.#world.observer.persisted(this.index, before, durable);
    this.#world.hook("persist", this.index);
    if (this.run !== run) return;
    this.#writing = false;
    this.#interpret();
  }

  #perform(effect: Exclude<Effect, { readonly kind: "persist" }>): void {
    switch (effect.kind) {
      case "send":
        return this.#say(effect.to, effect.message);
      case "reply": {
        const answer = this.#askers.get(effect.request);
        this.#askers.delete(effect.request);
        answer?.(effect.message);
        return;
      }
      case "answer":
        return this.#world.observer.answered(this.index, effect.request, effect.refused);
      case "follow":
        this.#following = effect.following;
        return this.#watch.keepFollowing();
      case "log":
        return;
      default:
        return this.#operate(effect);
    }
  }

  #operate(
    effect: Extract<
      Effect,
      { readonly kind: "freeze" | "promote" | "fence" | "close" | "arrange" }
    >,
  ): void {
    const work = this.#work;
    const site = this.#site();
    const op = effect.op;
    if (work === null) return;
    switch (effect.kind) {
      case "freeze":
        this.#following = null;
        return work.add({ scope: "plain", op, begin: () => freeze(site, effect.until) });
      case "promote":
        this.#following = null;
        this.#leads = effect.promotion.term;
        this.#keeper?.take(effect.promotion);
        this.#world.observer.leads(this.index, this.run, effect.promotion.term);
        return work.add({ scope: "leadership", op, begin: () => promote(site, effect.promotion) });
      case "fence":
        this.#leads = null;
        return work.preempt(
          { scope: "plain", op, begin: () => fence(site) },
          site.flaws.fenceKeepsScope,
        );
      case "close":
        return work.add({ scope: "leadership", op, begin: () => close(site, closeLimitMs) });
      case "arrange": {
        const cutOff = effect.cutOff === null ? null : accountOf(effect.cutOff);
        return work.add({
          scope: "leadership",
          op,
          begin: () => arrange(site, { k: effect.k, cutOff }),
        });
      }
    }
  }

  #say(to: NodeId, message: Envelope["message"]): void {
    const { config, observer, post } = this.#world;
    const envelope: Envelope = {
      cluster: this.disk.membership?.cluster ?? null,
      from: config.id,
      member: this.disk.member,
      to,
      message,
    };
    observer.said(this.index, this.disk, envelope);
    post(envelope);
  }

  #failed(run: number, op: number, because: string): void {
    if (this.run === run) this.happens({ kind: "opFailed", op, because });
  }

  #ended(op: number | null, outcome: Outcome | null): void {
    if (op === null || outcome === null) return;
    // "Fenced" and "closed" say that the address is gone as well.
    if (outcome.kind === "fenced" || outcome.kind === "closed") this.#keeper?.drop();
    this.happens({ ...outcome, op } as Happening);
    if (outcome.kind === "frozen") this.#world.hook("frozen", this.index);
    const term = this.#leads;
    if (outcome.kind === "promoted" && term !== null) {
      this.#keeper?.opened();
      const begin = () => fillMarkers(this.#site(), term);
      this.#work?.add({ scope: "leadership", op: null, begin });
    }
  }

  /** Leads, or is only just closing, or has not seen yet what a late command did. */
  get mayHoldAddress(): boolean {
    const role = this.state?.role;
    return role === "leader" || role === "fencing" || this.#keeper?.unseen === true;
  }

  get hasAddress(): boolean {
    return this.#world.address.present;
  }

  get electionMs(): number {
    return this.#world.config.electionMs;
  }

  #newKeeper(run: number): AddressKeeper {
    const { clock, config, address, addressMs, site } = this.#world;
    const later = (afterMs: number, action: () => void): void =>
      clock.after(afterMs, () => {
        if (this.run !== run) return;
        const frozenMs = this.pausedUntil - clock.now;
        if (frozenMs > 0) later(frozenMs + wakeUpMs, action);
        else action();
      });
    return new AddressKeeper({
      config,
      flaws: site.flaws,
      host: address,
      addressMs,
      now: () => this.localNow(),
      state: () => this.state,
      sent: () => this.#world.hook("address", this.index),
      later,
    });
  }

  /** A new life begins by ending what the old one left under way. */
  *#takeOver(): Generator<number, null, void> {
    const { server } = this.#world.site;
    while (server.alive && server.inFlight > 0) yield 1;
    if (server.alive) server.cancelSuperReadOnly();
    return null;
  }

  #site(): Site {
    const run = this.run;
    return {
      ...this.#world.site,
      at: (point) => {
        this.#world.hook(point, this.index);
        if (this.run !== run) throw new AgentGone();
      },
      opened: (term) => this.#world.observer.opened(this.index, term),
      stopServer: (how) => this.#world.stopServer(this.index, how),
    };
  }

  #note(line: () => string): void {
    this.#world.trace?.(this.index, line);
  }
}
