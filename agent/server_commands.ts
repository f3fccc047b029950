/**
 * "mysql start", "shutdown", "kill" and "sysvar" as an agent serves them.
 *
 * A shutdown on the leader hands over first, and only a closed server is asked to stop: one that may
 * still acknowledge would tell waiting clients "committed" on its way down. An operator's shutdown is
 * remembered, so that neither the monitor nor the next agent starts the server again.
 */
import * as v from "valibot";
import { planSetGlobal } from "../mysql/set_global.ts";
import { decodeParams } from "./params.ts";
import type {
  Administration,
  Clock,
  Database,
  Log,
  Peers,
  Server,
  ServerIdentity,
} from "./ports.ts";
import { ServerWork } from "./server_work.ts";
import type { Store } from "./store.ts";
import { RpcError, type RpcMethods } from "./wire_rpc.ts";
import { messageOf } from "../mysql/message_of.ts";

/** What these commands see of the node around them. */
export interface Leadership {
  /** Does this node lead, in whatever stage? */
  readonly leads: () => boolean;
  /** Who could take over from this leader, or why nobody could. */
  readonly successor: () => { readonly id: string } | { readonly because: string };
  /** Is this node the only voter? */
  readonly alone: () => boolean;
  /** Gives the leadership up whatever happens, the server closed; says why nobody took over. */
  readonly leave: () => Promise<string | null>;
}

/** What these commands need of the watch over the server. */
export interface WatchedServer {
  readonly identity: ServerIdentity | null;
  /** Monotonic time of the last answered look, -Infinity before. */
  readonly answeredAt: number;
  /** The state of the server in a word or a sentence. */
  readonly condition: string;
  startNow(): Promise<void>;
}

export interface ServerCommandsOptions {
  readonly witness: boolean;
  readonly clock: Clock;
  readonly store: Store;
  readonly server: Server;
  readonly database: Database;
  readonly administration: Administration;
  readonly peers: Peers;
  readonly log: Log;
  readonly watch: WatchedServer;
  readonly leadership: Leadership;
  readonly monitored: () => boolean;
  /** Why the server is left alone, as a job has it; null while none does. */
  readonly held: () => string | null;
  readonly fenceMs: number;
}

const pollMs = 50;
const sayEveryMs = 5_000;
/** Crash recovery, and a clean stop that writes a large buffer pool, take minutes. */
const workMs = 1_800_000;
/** A process that dies at once is never seen by the watch. */
const appearMs = 3_000;
const killMs = 20_000;
const handoverMs = 25_000;
const successorMs = 3_000;
/** A follower is closed already; an old leader has no clients any more. */
const fenceMsMin = 5_000;

const shutdownSchema = v.object({ force: v.optional(v.boolean(), false) });
const textMax = 8_192;
const setSchema = v.object({ statement: v.pipe(v.string(), v.maxLength(textMax)) });

/** The commands about the server of one agent. */
export class ServerCommands {
  readonly #options: ServerCommandsOptions;
  readonly #work: ServerWork;

  constructor(options: ServerCommandsOptions) {
    this.#options = options;
    this.#work = new ServerWork(options.log);
  }

  methods(): RpcMethods {
    return {
      "mysql.start": () => this.#start(),
      "mysql.shutdown": (params) => this.#shutdown(params),
      "mysql.work": () => Promise.resolve(this.#work.page),
      "mysql.kill": () => this.#kill(),
      "mysql.setGlobal": (params) => this.#setGlobal(params),
    };
  }

  #needServer(): void {
    if (this.#options.witness) throw new RpcError("refused", "a witness has no MySQL server");
  }

  /** What a job replaces is neither started nor stopped beside it: neither would know of the other. */
  #needFreeServer(): void {
    this.#needServer();
    const held = this.#options.held();
    if (held !== null) throw new RpcError("refused", held);
  }

  #start(): Promise<unknown> {
    this.#needFreeServer();
    return Promise.resolve(this.#work.begin("start", (say) => this.#startServer(say)));
  }

  async #startServer(say: (sentence: string) => void): Promise<string> {
    const { watch, clock, store } = this.#options;
    await store.remember({ stopped: false });
    const begunAt = clock.now();
    const ran = watch.identity !== null;
    if (!ran) {
      say("Starting mysqld");
      await watch.startNow();
    }
    let pid = 0;
    const answers = await this.#until(workMs, () => {
      const { identity } = watch;
      if (identity !== null) {
        pid = identity.pid;
        return watch.answeredAt > (ran ? -Infinity : begunAt);
      }
      // Seen and gone again, or gone before anybody could see it.
      if (pid > 0 || clock.now() - begunAt >= appearMs) throw new Error(this.#ended());
      return false;
    }, (seconds) => say(`mysqld has not answered for ${seconds} s: ${watch.condition}`));
    if (!answers) throw new Error(`mysqld ${pid} does not answer: ${watch.condition}`);
    const how = ran ? "runs already" : "runs";
    return `mysqld ${how} (pid ${pid}) and answers; it opens for writes only as the elected leader`;
  }

  #ended(): string {
    const again = this.#options.monitored() ? "; the monitor tries again" : "";
    return `mysqld ended during its start${again}; ${this.#options.server.whyItDied()}`;
  }

  #shutdown(params: unknown): Promise<unknown> {
    this.#needFreeServer();
    const { force } = decodeParams(shutdownSchema, params);
    return Promise.resolve(this.#work.begin("shutdown", (say) => this.#stopServer(force, say)));
  }

  async #stopServer(force: boolean, say: (sentence: string) => void): Promise<string> {
    const { leadership, store, watch, server } = this.#options;
    const abandon = leadership.leads() && !await this.#handOver(force, say);
    await store.remember({ stopped: true });
    if (abandon) {
      say("Giving the leadership up although nobody takes over: the cluster accepts no writes");
      await leadership.leave();
    }
    await this.#refuseLeading();
    const identity = watch.identity ?? await server.identify();
    if (identity === null) return `mysqld was not running; ${staysDown}`;
    await this.#closeAndStop(identity, say);
    return `mysqld is stopped; ${staysDown}`;
  }

  /** True when another node leads; false when the operator wants to go on without one. */
  async #handOver(force: boolean, say: (sentence: string) => void): Promise<boolean> {
    const { leadership, peers } = this.#options;
    if (leadership.alone()) return false;
    // Right after a change of leadership the followers may still be on their way.
    await this.#until(successorMs, () => "id" in leadership.successor());
    const successor = leadership.successor();
    let because = "because" in successor ? successor.because : "";
    if ("id" in successor) {
      say(`Handing the leadership over to ${successor.id}`);
      const question = { method: "raft.tryToLeader", params: {} };
      const answer = await peers.call(successor.id, question, { deadlineMs: handoverMs });
      if ("ok" in answer) {
        if (await this.#until(handoverMs, () => !leadership.leads())) return true;
        because = "the hand-over did not end in time";
      } else because = answer.failed.because;
    }
    if (force) return false;
    throw new Error(
      `Nothing was changed, as this node leads and nobody takes over: ${because}; ` +
        'repair that first, or say "xenon mysql shutdown --force", which ends all writes',
    );
  }

  /** A stopped server does not stand; one that was elected before that was known goes on leading. */
  async #refuseLeading(): Promise<void> {
    if (!this.#options.leadership.leads()) return;
    await this.#options.store.remember({ stopped: false });
    throw new Error("this node was elected meanwhile: try again");
  }

  /** Only a closed server may be asked to stop. */
  async #closeAndStop(
    identity: ServerIdentity,
    say: (sentence: string) => void,
  ): Promise<void> {
    const { database, server, fenceMs } = this.#options;
    const fenced = await database.fence(Math.max(fenceMs, fenceMsMin));
    await this.#refuseLeading();
    if (fenced.kind === "mustKill") {
      say(`Killing mysqld ${identity.pid}, as it cannot be closed: ${fenced.because}`);
      server.kill(identity);
    } else {
      say(`Stopping mysqld ${identity.pid}`);
      await server.terminate(identity);
      await database.letGo();
    }
    const gone = await this.#until(
      workMs,
      () => server.glance(identity) === "dead",
      (seconds) => say(`mysqld ${identity.pid} has been stopping for ${seconds} s`),
    );
    if (gone) return;
    throw new Error(
      `mysqld ${identity.pid} does not stop: see its error log, or "xenon mysql kill"`,
    );
  }

  async #kill(): Promise<unknown> {
    this.#needFreeServer();
    const { server, watch, log, store } = this.#options;
    const identity = watch.identity ?? await server.identify();
    if (identity === null) return { sentences: ["mysqld is not running"] };
    log.write("warning", "Killing mysqld, as an operator asked for it", { pid: identity.pid });
    server.kill(identity);
    if (!await this.#until(killMs, () => server.glance(identity) === "dead")) {
      const because = `mysqld ${identity.pid} is not gone ${killMs / 1_000} s after SIGKILL: ` +
        "it waits for a device, check its disk";
      throw new RpcError("refused", because);
    }
    const next = store.current.memory.stopped
      ? staysDown
      : this.#options.monitored()
      ? "the monitor starts it again"
      : 'the monitor is OFF: start it with "xenon mysql start"';
    return { sentences: [`mysqld ${identity.pid} is killed; ${next}`] };
  }

  async #setGlobal(params: unknown): Promise<unknown> {
    this.#needServer();
    const { statement } = decodeParams(setSchema, params);
    try {
      const plan = planSetGlobal(statement, { leads: this.#options.leadership.leads() });
      if (plan.kind === "refuse") throw new Error(plan.because);
      await this.#options.administration.setGlobals(plan.statement);
      return { sentences: [`${plan.names.join(", ")} set until mysqld restarts`] };
    } catch (error) {
      const because = messageOf(error);
      throw new RpcError("refused", because, { cause: error });
    }
  }

  /** False when it does not come true in time; `wait` hears of every five seconds. */
  async #until(
    limitMs: number,
    holds: () => boolean,
    wait: (seconds: number) => void = () => {},
  ): Promise<boolean> {
    const { clock } = this.#options;
    const begunAt = clock.now();
    let said = begunAt;
    while (!holds()) {
      const now = clock.now();
      if (now - begunAt >= limitMs) return false;
      if (now - said >= sayEveryMs) {
        said = now;
        wait(Math.round((now - begunAt) / 1_000));
      }
      await new Promise<void>((resolve) => clock.after(pollMs, resolve));
    }
    return true;
  }
}

const staysDown = 'it stays down until "xenon mysql start"';
