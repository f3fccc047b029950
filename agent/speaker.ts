/** Says the protocol's messages to other nodes and hands their answers back as events. */
import type { Event } from "../raft/event.ts";
import type { Envelope, Message } from "../raft/message.ts";
import type { Config, Millis, NodeId } from "../raft/types.ts";
import type { Clock, Log, PeerAnswer, Peers } from "./ports.ts";
import type { Store } from "./store.ts";
import { decodeEnvelope, encodeEnvelope } from "./wire_raft.ts";

export interface SpeakerOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly store: Store;
  readonly peers: Peers;
  readonly log: Log;
  /** Longest wait for one answer of a peer to a heartbeat. */
  readonly requestMs: Millis;
  readonly post: (event: Event) => void;
}

/** Heartbeats to one peer that may be on their way at once; a dead host must not pile them up. */
const heartbeatsMax = 4;
/** A peer with a trouble for each kind of message is far below; more are forgotten all together. */
const troublesMax = 1_000;
/** Nobody answers there just now: the protocol lives with that, and its sentences say so. */
const silences = new Set(["refused", "timeout", "unreachable", "canceled"]);
/** The peer has too much to do, or something else to decide. */
const passing = new Set(["refused", "timeout", "busy"]);

type Failure = Extract<PeerAnswer, { readonly failed: unknown }>["failed"];

/** One for each node. */
export class Speaker {
  readonly #options: SpeakerOptions;
  readonly #beating = new Map<NodeId, number>();
  /** What was said about a peer and a kind of message that do not work. */
  readonly #troubles = new Map<string, string>();

  constructor(options: SpeakerOptions) {
    this.#options = options;
  }

  async send(to: NodeId, message: Message): Promise<void> {
    const { peers, post, clock, config, store } = this.#options;
    const beat = message.kind === "heartbeat";
    const underWay = this.#beating.get(to) ?? 0;
    if (beat && underWay >= heartbeatsMax) return;
    if (beat) this.#beating.set(to, underWay + 1);
    const { durable } = store.current;
    const envelope: Envelope = {
      cluster: durable.membership?.cluster ?? null,
      from: config.id,
      member: durable.member,
      to,
      message,
    };
    const question = { method: "raft.message", params: encodeEnvelope(envelope) };
    const answer = await peers.call(to, question, { deadlineMs: this.#patience(message) });
    if (beat) this.#beating.set(to, (this.#beating.get(to) ?? 1) - 1);
    const place = { to, kind: message.kind };
    if ("failed" in answer) {
      if (answer.failed.kind === "refused") post({ kind: "peerGone", at: clock.now(), peer: to });
      if (!isSilence(answer.failed)) this.#complain(place, answer.failed);
      return;
    }
    const decoded = decodeEnvelope(answer.ok);
    if (decoded.kind === "refused") {
      return this.#complain(place, { kind: "answer", because: decoded.because });
    }
    this.#troubles.delete(`${to} ${message.kind}`);
    post({ kind: "received", at: clock.now(), envelope: decoded.envelope, request: null });
  }

  /** Once for each peer and kind of trouble, until the same message gets through again. */
  #complain({ to, kind }: { readonly to: NodeId; readonly kind: string }, failure: Failure): void {
    const key = `${to} ${kind}`;
    const trouble = "name" in failure ? `${failure.kind} ${String(failure.name)}` : failure.kind;
    if (this.#troubles.get(key) === trouble) return;
    if (this.#troubles.size >= troublesMax) this.#troubles.clear();
    this.#troubles.set(key, trouble);
    const sentence = `Cannot say "${kind}" to ${to}: ${failure.because}`;
    this.#options.log.write("warning", sentence, {});
  }

  #patience(message: Message): Millis {
    const { config, requestMs } = this.#options;
    if (message.kind === "heartbeat" || message.kind === "preVote") return requestMs;
    return message.kind === "takeover" ? config.handoverMs + requestMs : config.electionMs;
  }
}

function isSilence(failure: Failure): boolean {
  if (silences.has(failure.kind)) return true;
  return failure.kind === "rpc" && "name" in failure && passing.has(String(failure.name));
}
