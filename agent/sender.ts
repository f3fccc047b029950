/**
 * The donor's part of a copy over ssh: on request of a joiner's agent it checks its tools and its
 * login, and sends one copy at a time. A joiner that no longer asks is gone, and its copy is ended.
 */
import type { Clock, Log } from "./ports.ts";
import { RpcError, type RpcMethods } from "./wire_rpc.ts";
import {
  type Checked,
  decodeCheckCall,
  decodeNameCall,
  decodeSendCall,
  type Destination,
  type SendRequest,
  type Sent,
} from "./wire_sender.ts";

/** What the sender needs of this host. */
export interface SenderTools {
  /** What speaks against a copy to there: tools of this host, and the login. */
  check(destination: Destination): Promise<Checked>;
  /** Sends a copy; never rejects. */
  send(
    request: SendRequest,
    control: { readonly signal: AbortSignal; readonly onBytes: (bytes: number) => void },
  ): Promise<{ readonly because: string | null; readonly bytes: number }>;
}

export interface SenderOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly tools: SenderTools;
}

/** A joiner asks every half second; one that is silent for so long has gone. */
const unaskedMsMax = 30_000;

interface Sending {
  readonly id: string;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
  readonly state: Sent;
  readonly forget: () => void;
}

/** Sends copies to other nodes, one at a time. */
export class Sender implements AsyncDisposable {
  readonly #options: SenderOptions;
  /** The copy that is under way, or the last one. */
  #sending: Sending | null = null;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Does a copy of this server go to another host now? */
  get busy(): boolean {
    return this.#sending?.state.state === "running";
  }

  methods(): RpcMethods {
    return {
      "backup.check": (params) => this.#check(decodeCheckCall(params)),
      "backup.send": (params) => Promise.resolve(this.#send(decodeSendCall(params))),
      "backup.sent": (params) => Promise.resolve(this.#sent(decodeNameCall(params))),
      "backup.stop": (params) => this.#stop(decodeNameCall(params)),
    };
  }

  /** The agent ends, and what it sends too. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#sending?.abort.abort();
    await this.#sending?.ended;
  }

  async #check(destination: Destination): Promise<Checked> {
    const checked = await this.#options.tools.check(destination);
    const busy = this.busy ? ["the donor sends a copy to another host: wait until it is done"] : [];
    return { ...checked, problems: [...busy, ...checked.problems] };
  }

  #send(request: SendRequest): unknown {
    if (this.busy) throw new RpcError("refused", "A copy goes to another host already");
    const { log, tools } = this.#options;
    const { id, destination } = request;
    const abort = new AbortController();
    log.write("info", `Sending a copy to ${destination.host}`, { copy: id });
    const work = tools.send(request, {
      signal: abort.signal,
      onBytes: (bytes) => this.#change(id, { state: "running", bytes }),
    });
    const ended = work.then(({ because, bytes }) => {
      const said = because === null ? "arrived" : `failed: ${because}`;
      log.write(because === null ? "info" : "warning", `The copy ${said}`, { copy: id, bytes });
      this.#sending?.forget();
      this.#change(id, because === null ? { state: "done", bytes } : { state: "failed", because });
    });
    const state = { state: "running", bytes: 0 } as const;
    this.#sending = { id, abort, ended, state, forget: this.#watch(abort) };
    return {};
  }

  #sent(id: string): Sent {
    const sending = this.#find(id);
    sending.forget();
    const running = sending.state.state === "running";
    this.#sending = { ...sending, forget: running ? this.#watch(sending.abort) : () => {} };
    return sending.state;
  }

  async #stop(id: string): Promise<unknown> {
    const { abort, ended } = this.#find(id);
    abort.abort();
    await ended;
    return {};
  }

  /** Ends a copy that nobody asks about; the result calls that off. */
  #watch(abort: AbortController): () => void {
    return this.#options.clock.after(unaskedMsMax, () => abort.abort());
  }

  #change(id: string, state: Sent): void {
    if (this.#sending?.id === id) this.#sending = { ...this.#sending, state };
  }

  #find(id: string): Sending {
    if (this.#sending?.id === id) return this.#sending;
    throw new RpcError("refused", "This agent knows nothing of that copy: it was started anew");
  }
}
