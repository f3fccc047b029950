/**
 * Everything an operator may ask of one node's server, put together: the commands about its process and
 * its settings, its accounts, the durable switches, and the removal of binary logs.
 */
import { handoverCandidate } from "../raft/handover.ts";
import { memberOf, voters } from "../raft/quorum.ts";
import type { State } from "../raft/state.ts";
import type { Config } from "../raft/types.ts";
import { notesOf } from "./notes.ts";
import type { Administration, Clock, Database, Log, Peers, Server } from "./ports.ts";
import { PurgeRounds } from "./purge.ts";
import { ServerCommands } from "./server_commands.ts";
import { leaderOf } from "./snapshot.ts";
import type { Store } from "./store.ts";
import { switchMethods } from "./switches.ts";
import { UserCalls } from "./user_calls.ts";
import type { Watch } from "./watch.ts";
import type { RpcMethods } from "./wire_rpc.ts";

/** What the configuration says about binary logs. */
export interface PurgeSettings {
  readonly enabled: boolean;
  readonly intervalMs: number;
}

export interface OperationsOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly store: Store;
  readonly peers: Peers;
  readonly database: Database;
  readonly administration: Administration;
  readonly server: Server;
  readonly log: Log;
  readonly fenceMs: number;
  readonly requestMs: number;
  readonly purge: PurgeSettings;
  readonly watch: Watch;
  readonly state: () => State;
  readonly monitored: () => boolean;
  /** Why the server is left alone, as a job has it; null while none does. */
  readonly held: () => string | null;
  readonly open: () => boolean;
  /** Gives the leadership up whatever happens; says why nobody took over. */
  readonly leave: () => Promise<string | null>;
}

/** The operator's side of one node. */
export class Operations {
  readonly #options: OperationsOptions;
  readonly #purge: PurgeRounds;
  readonly #methods: RpcMethods;

  constructor(options: OperationsOptions) {
    const { config } = options;
    this.#options = options;
    this.#purge = this.#createPurge();
    const witness = config.witness;
    this.#methods = {
      ...new ServerCommands({
        ...options,
        witness,
        leadership: {
          leads: () => options.state().role === "leader",
          successor: () => this.#successor(),
          alone: () => this.#alone(),
          leave: options.leave,
        },
      }).methods(),
      ...new UserCalls({
        ...options,
        self: config.id,
        leader: () => leaderOf(config, options.state()),
        member: () => memberOf(options.state().durable.membership, config.id) !== undefined,
      }).methods(),
      ...switchMethods({ ...options, witness }),
    };
  }

  methods(): RpcMethods {
    return this.#methods;
  }

  start(): void {
    if (!this.#options.config.witness) this.#purge.start();
  }

  stop(): void {
    this.#purge.stop();
  }

  /** What every status must say besides the protocol's sentence. */
  notes(): readonly string[] {
    const { store, state, watch, config, monitored, held } = this.#options;
    return notesOf({
      memory: store.current.memory,
      state: state(),
      facts: watch.facts,
      purgeHeld: this.#purge.held,
      leftDown: !config.witness && watch.identity === null && !monitored() && held() === null,
    });
  }

  #createPurge(): PurgeRounds {
    const { config, store, purge, watch, state } = this.#options;
    return new PurgeRounds({
      ...this.#options,
      self: config.id,
      intervalMs: purge.intervalMs,
      enabled: () => store.current.memory.purge ?? purge.enabled,
      membership: () => state().durable.membership,
      facts: () => watch.facts,
      errant: () => store.current.memory.errant,
    });
  }

  #alone(): boolean {
    const { membership } = this.#options.state().durable;
    return membership === null || voters(membership).length <= 1;
  }

  #successor(): { readonly id: string } | { readonly because: string } {
    const { config, clock, state } = this.#options;
    const now = state();
    if (now.role !== "leader") return { because: "this node does not lead any more" };
    const found = handoverCandidate(config, now, clock.now());
    if ("because" in found || found.replicates) return found;
    return { because: `${found.id} does not replicate from this node` };
  }
}
