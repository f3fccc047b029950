/**
 * One running node: the loop, the interpreter, the watch over the server, and the methods that others
 * call. It is built of ports, so the tests run it in memory and `cmd/agent.ts` on a host.
 */
import type { ServerFacts } from "../mysql/facts.ts";
import { messageOf } from "../mysql/message_of.ts";
import { describeEffect, describeEvent } from "../raft/describe.ts";
import type { Event } from "../raft/event.ts";
import type { Envelope, Message } from "../raft/message.ts";
import type { State } from "../raft/state.ts";
import { memberOf } from "../raft/quorum.ts";
import { leaseEnd } from "../raft/timing.ts";
import type { Config, Forgets, NodeId, ServerView } from "../raft/types.ts";
import { Counters } from "./counters.ts";
import { introduce, type Introduction } from "./introduction.ts";
import { Interpreter } from "./interpret.ts";
import { listSpread } from "./list_spread.ts";
import { Loop } from "./loop.ts";
import { Operations, type PurgeSettings } from "./operations.ts";
import type {
  Administration,
  Clock,
  Database,
  Hooks,
  JobView,
  Log,
  Peers,
  Server,
  TakesConnections,
} from "./ports.ts";
import { MembershipCalls } from "./membership_calls.ts";
import { removalMeans } from "./removal_means.ts";
import { type OperatorAnswer, Requests } from "./requests.ts";
import { leaderOf, roleOf, sentenceOf, snapshot } from "./snapshot.ts";
import { SilenceProbe } from "./silence.ts";
import type { Store } from "./store.ts";
import { disabledSentences } from "./switched_off.ts";
import { Upkeep } from "./upkeep.ts";
import { type LeaderEnd, withSettings } from "./view.ts";
import { confirmedAt, type VirtualIp } from "./vip.ts";
import { Watch } from "./watch.ts";
import { decodeEnvelope, encodeEnvelope } from "./wire_raft.ts";
import type { NodeStatus } from "./wire_status.ts";
import { RpcError, type RpcMethods } from "./wire_rpc.ts";

export interface NodeOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly store: Store;
  readonly peers: Peers;
  readonly database: Database;
  readonly server: Server;
  readonly hooks: Hooks;
  readonly vip: VirtualIp;
  readonly log: Log;
  readonly jobs: () => JobView;
  readonly seed: number;
  readonly newUuid: () => string;
  readonly fenceMs: number;
  readonly requestMs: number;
  readonly mysqlEndpoint: string;
  /** Start the server again when it dies, unless an operator decided otherwise? */
  readonly monitored: boolean;
  /** `[raft] super-idle`: never a voter, never a leader. */
  readonly superIdle: boolean;
  readonly administration: Administration;
  readonly purge: PurgeSettings;
  /** A server that gives no answer for so long counts as hung, unless it was slow before. */
  readonly hungMs: number;
  readonly takesConnections: TakesConnections;
  /** What restarts of a server cost that has the settings of a follower. */
  readonly followerForgets: Forgets;
  readonly agentVersion: string;
  /** What `cluster xenon` shows of the configuration. */
  readonly settings: NodeStatus["settings"];
  /** Log every event and effect of the protocol, for developers. */
  readonly trace: boolean;
}

/** Looks at the server: as often as heartbeats, but at least four times a second. */
const lookEveryMsMax = 250;
/** An operator's request may take as long as a hand-over, and a little. */
const operatorExtraMs = 5_000;

const enabled = "Enabled: this node votes and acknowledges again where it is a voter";

/** A node from its start to its end. */
export class Node {
  readonly #options: NodeOptions;
  readonly #loop: Loop;
  readonly #interpreter: Interpreter;
  readonly #watch: Watch;
  readonly #upkeep: Upkeep;
  readonly #silence: SilenceProbe;
  readonly #membership: MembershipCalls;
  readonly #operations: Operations;
  readonly #replies: Requests<Message>;
  readonly #answers: Requests<OperatorAnswer>;
  readonly #counters = new Counters();
  readonly #startedAt: number;
  #roleSince: number;
  #sentence = "";
  #leaderEnd: LeaderEnd | null = null;

  constructor(options: NodeOptions) {
    const { clock, config, store } = options;
    this.#options = options;
    this.#startedAt = clock.now();
    this.#roleSince = this.#startedAt;
    this.#replies = new Requests(clock);
    this.#answers = new Requests(clock);
    this.#watch = this.#createWatch();
    const post = (event: Event) => this.#post(event);
    this.#interpreter = new Interpreter({
      ...options,
      watch: this.#watch,
      replies: this.#replies,
      answers: this.#answers,
      apart: () => options.jobs().apart,
      post,
    });
    this.#upkeep = new Upkeep({
      ...options,
      interpreter: this.#interpreter,
      state: () => this.#loop.state,
      repair: () => store.current.memory.semiSyncCheck,
    });
    this.#operations = new Operations({
      ...options,
      watch: this.#watch,
      state: () => this.#loop.state,
      monitored: () => this.#monitored(),
      held: () => options.jobs().holds,
      open: () => this.open(),
      leave: () => this.leave(),
    });
    this.#membership = new MembershipCalls({
      ...options,
      self: config.id,
      introduce: () => this.#introduce(),
      own: (envelope) => this.#ask(envelope),
      leader: () => leaderOf(config, this.#loop.state),
      change: (change) =>
        this.#operator((request, at) => ({ kind: "changeMember", at, request, change })),
      spread: () => listSpread(config, this.#loop.state),
      means: (change) => removalMeans(this.#loop.state.durable.membership, change),
      member: () => memberOf(this.#loop.state.durable.membership, config.id) !== undefined,
      deadlineMs: config.handoverMs,
    });
    this.#silence = new SilenceProbe({
      ...options,
      heartbeatMs: config.heartbeatMs,
      state: () => this.#loop.state,
      gone: (peer) => post({ kind: "peerGone", at: clock.now(), peer }),
    });
    this.#loop = new Loop({
      config,
      durable: store.current.durable,
      seed: options.seed,
      clock,
      interpret: (effect) => {
        if (options.trace) options.log.write("debug", describeEffect(effect), {});
        return this.#interpreter.interpret(effect);
      },
      changed: (state) => this.#changed(state),
      dropped: (event) => options.log.write("error", `Dropped an event: ${event.kind}`, {}),
    });
  }

  get state(): State {
    return this.#loop.state;
  }

  /** Runs until `stop`; rejects when the protocol's promises or the disk broke. */
  async run(): Promise<void> {
    if (!this.#options.config.witness) this.#watch.start();
    this.#silence.start();
    this.#operations.start();
    try {
      await this.#loop.run();
    } catch (error) {
      await this.#interpreter.abandon(messageOf(error));
      throw error;
    } finally {
      this.#operations.stop();
      this.#watch.stop();
      this.#silence.stop();
    }
  }

  stop(): void {
    this.#loop.stop();
  }

  /** When the newest round was sent that a quorum answered; -Infinity while this node does not lead. */
  confirmedAt(): number {
    const { clock, config } = this.#options;
    const { state } = this.#loop;
    if (state.role !== "leader") return -Infinity;
    const endAt = leaseEnd(config, state.durable.membership, state.acks);
    return confirmedAt({ endAt, leaseMs: config.leaseMs }, clock.now());
  }

  /** Has the server everything that the leader had, so that it counts as a voter's? */
  inStep(): boolean {
    const { state } = this.#loop;
    return state.role === "follower" && state.server.inStep && state.durable.uncertain === null;
  }

  /** Something about the server may have changed: it is looked at now. */
  hurry(): void {
    this.#watch.hurry();
  }

  /** Told to stop: hands over first when it leads. Null: done; else why the server was closed instead. */
  async leave(): Promise<string | null> {
    const { refused } = await this.#operator((request, at) => ({ kind: "leave", at, request }));
    return refused;
  }

  /** What the GET pages and `node.status` show. */
  status(): NodeStatus {
    const { clock, config, mysqlEndpoint, agentVersion, settings } = this.#options;
    const now = clock.now();
    return snapshot({
      config,
      state: this.#loop.state,
      facts: this.#watch.facts,
      factsAgeMs: Math.round(now - this.#watch.factsAt),
      mysqlEndpoint,
      serverRuns: this.#watch.identity !== null,
      monitor: this.#monitored(),
      notes: this.#operations.notes(),
      jobs: this.#options.jobs(),
      uptimeSeconds: Math.floor((now - this.#startedAt) / 1_000),
      stateUptimeSeconds: Math.floor((now - this.#roleSince) / 1_000),
      agentVersion,
      settings,
      counters: this.#counters.current,
    });
  }

  /** The leader that this node knows, and where its server is; null when none. */
  leader(): { readonly leader: string; readonly mysql: string; readonly term: number } | null {
    const { config, store } = this.#options;
    const id = leaderOf(config, this.#loop.state);
    const source = this.#sourceOf(id as NodeId);
    return id === "" || source === null
      ? null
      : { leader: id, mysql: `${source.host}:${source.port}`, term: store.current.durable.term };
  }

  /** Is this node the leader and open for writes? */
  open(): boolean {
    const { state } = this.#loop;
    return state.role === "leader" && state.stage === "leading" && state.handover === null;
  }

  /** What other agents and the command line may call. */
  methods(): RpcMethods {
    return {
      "raft.message": (params) => this.#message(params),
      "raft.tryToLeader": () =>
        this.#wish((request, at) => ({ kind: "stand", at, request }), "This node leads now"),
      "raft.enable": () => this.#wish((request, at) => ({ kind: "enable", at, request }), enabled),
      "raft.disable": () => this.#disable(),
      "node.ping": () => Promise.resolve({}),
      "node.status": () => Promise.resolve(this.status()),
      "node.introduce": () => Promise.resolve(this.#introduce()),
      ...this.#membership.methods(),
      ...this.#operations.methods(),
    };
  }

  #post(event: Event): void {
    if (this.#options.trace) this.#options.log.write("debug", describeEvent(event), {});
    this.#loop.post(event);
  }

  #createWatch(): Watch {
    const { config, store, log, superIdle } = this.#options;
    const setErrant = (errant: string) => {
      log.write("warning", `Transactions of its own appeared on this server: ${errant}`, {});
      store.remember({ errant }).catch((error) => {
        log.write("error", `Cannot remember errant transactions: ${String(error)}`, {});
      });
    };
    return new Watch({
      ...this.#options,
      lookEveryMs: Math.min(config.heartbeatMs, lookEveryMsMax),
      neverLeads: superIdle ? "it is set to stay idle by [raft] super-idle" : null,
      monitor: () => this.#monitored() && !store.current.memory.stopped,
      unwanted: () => store.current.memory.stopped ? "an operator stopped it" : null,
      apart: () => this.#options.jobs().apart,
      errant: { get: () => store.current.memory.errant, set: setErrant },
      following: () => this.#loop.state.role === "follower" && !this.#interpreter.busy,
      leaderEnd: () => this.#leaderEnd,
      report: (view, facts) => this.#seen(view, facts),
    });
  }

  /** An operator's durable word goes before the configuration. */
  #monitored(): boolean {
    return this.#options.store.current.memory.monitor ?? this.#options.monitored;
  }

  #seen(view: ServerView, facts: ServerFacts | null): void {
    const { clock, followerForgets } = this.#options;
    this.#post({ kind: "server", at: clock.now(), view: withSettings(view, followerForgets) });
    if (facts !== null) this.#upkeep.seen(view, facts);
  }

  /** After every event: role changes are counted, and a new sentence is logged. */
  #changed(state: State): void {
    const { clock, config, log, vip } = this.#options;
    if (state.role === "leader") vip.renew();
    const role = roleOf(config, state);
    if (this.#counters.enter(role)) this.#roleSince = clock.now();
    if (state.role === "follower" && state.leader !== null) {
      const heardAt = state.leaderHeardAt ?? clock.now();
      this.#leaderEnd = { logEnd: state.leader.logEnd, heardAt };
    } else {
      this.#leaderEnd = null;
    }
    const sentence = sentenceOf(config, state);
    if (sentence === this.#sentence) return;
    this.#sentence = sentence;
    log.write("info", sentence, {});
  }

  async #message(params: unknown): Promise<unknown> {
    const decoded = decodeEnvelope(params);
    if (decoded.kind === "refused") throw new RpcError("invalidParams", decoded.because);
    const { envelope } = decoded;
    this.#counters.heard(envelope.message.kind, this.#loop.state.role);
    return encodeEnvelope(this.#envelope(envelope.from, await this.#ask(envelope)));
  }

  /** A message of a peer, or of this node to itself, and the protocol's answer to it. */
  async #ask(envelope: Envelope): Promise<Message> {
    const { clock, config } = this.#options;
    const limitMs = envelope.message.kind === "takeover"
      ? config.handoverMs + operatorExtraMs
      : config.electionMs;
    try {
      return await this.#replies.wait(limitMs, (request) => {
        this.#post({ kind: "received", at: clock.now(), envelope, request });
      });
    } catch (error) {
      throw new RpcError("refused", (error as Error).message, { cause: error });
    }
  }

  #envelope(to: NodeId, message: Message): Envelope {
    const { config, store } = this.#options;
    const { membership, member } = store.current.durable;
    return { cluster: membership?.cluster ?? null, from: config.id, member, to, message };
  }

  #operator(wish: (request: number, at: number) => Event): Promise<OperatorAnswer> {
    const { clock, config } = this.#options;
    const limitMs = 2 * config.handoverMs + operatorExtraMs;
    return this.#answers.wait(limitMs, (request) => this.#post(wish(request, clock.now())));
  }

  async #wish(wish: (request: number, at: number) => Event, done: string): Promise<unknown> {
    const { refused } = await this.#operator(wish);
    if (refused !== null) throw new RpcError("refused", refused);
    return { sentences: [done] };
  }

  async #disable(): Promise<unknown> {
    await this.#wish((request, at) => ({ kind: "disable", at, request }), "");
    const { state } = this.#loop;
    return { sentences: await disabledSentences({ ...this.#options, state }) };
  }

  #introduce(): Introduction {
    const { config, store, superIdle } = this.#options;
    const { durable, memory } = store.current;
    const seen = { facts: this.#watch.facts, view: this.#loop.state.server, errant: memory.errant };
    return introduce({ config, superIdle, durable }, seen);
  }

  /** Where the MySQL of a member can be reached, as far as this node knows. */
  #sourceOf(id: NodeId): { readonly host: string; readonly port: number } | null {
    const { config } = this.#options;
    const { state } = this.#loop;
    if (id === config.id) return config.source;
    if (state.role === "leader") return state.replies[id]?.source ?? null;
    return state.role === "follower" && state.leader?.id === id ? state.leader.source : null;
  }
}
