/**
 * Calls other agents. Every call ends by its deadline, whatever the other end does, and ends as a
 * value: a peer that does not answer is an ordinary event, not an exception.
 */
import { readBody } from "../body.ts";
import { isLoopback, parseEndpoint } from "../endpoint.ts";
import { seal, SEAL_NONCE_BYTES } from "../sealing.ts";
import type { Secret } from "../secret.ts";
import {
  createPeerClocks,
  HEADER_BOOT,
  HEADER_MAC,
  HEADER_NONCE,
  HEADER_TIME,
  type PeerClocks,
  sameMac,
  signAnswer,
  signRequest,
  type Stamp,
} from "../signing.ts";
import {
  decodeAnswer,
  encodeCall,
  RPC_ANSWER_BYTES_MAX,
  RPC_CALL_BYTES_MAX,
  type RpcErrorName,
} from "../wire_rpc.ts";
import { createHttpTransport, type Transport } from "./transport.ts";
import { messageOf } from "../../mysql/message_of.ts";

export type CallFailure =
  /** Nothing listens there: the host answered, the process is gone. */
  | { readonly kind: "refused"; readonly because: string }
  | { readonly kind: "timeout"; readonly because: string }
  /** No way there, or the connection broke. */
  | { readonly kind: "unreachable"; readonly because: string }
  /** One of the two does not accept the other: secrets differ, or an address is not served. */
  | { readonly kind: "denied"; readonly because: string }
  /** The method answered with an error; `name` says which kind. */
  | { readonly kind: "rpc"; readonly name: RpcErrorName; readonly because: string }
  | { readonly kind: "decode"; readonly because: string }
  | { readonly kind: "canceled"; readonly because: string };

export type CallResult = { readonly ok: unknown } | { readonly failed: CallFailure };

export interface RpcQuestion {
  readonly method: string;
  readonly params: unknown;
  /** The params hold a password: they are sealed where there is a secret. */
  readonly confidential?: boolean;
}

export interface CallOptions {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

export interface Peers {
  /** Calls a method at `endpoint` (`host:port`). Never rejects. */
  call(endpoint: string, question: RpcQuestion, options: CallOptions): Promise<CallResult>;
  close(): void;
}

export interface PeersOptions {
  /** Our node id; null for the command line. */
  readonly self: string | null;
  readonly secret: Secret | null;
  /** The cluster we are in; every call carries it. */
  readonly clusterId?: () => string | null;
  readonly nowMs?: () => number;
  /** In place of real connections. */
  readonly transport?: Transport;
}

interface Caller {
  readonly options: PeersOptions;
  readonly send: Transport;
  readonly nowMs: () => number;
  readonly clocks: PeerClocks;
  nextId: number;
}

interface Attempt {
  readonly endpoint: string;
  readonly url: URL;
  readonly id: number;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

/** What came back, with a proof of its origin where we have a secret. */
interface Received {
  readonly status: number;
  readonly text: string;
  readonly proven: boolean;
}

/** Calls of other agents, signed where there is a secret; a call never rejects. */
export function createPeers(options: PeersOptions): Peers {
  const http = options.transport === undefined ? createHttpTransport() : null;
  const caller: Caller = {
    options,
    send: options.transport ?? http?.send ?? fail,
    nowMs: options.nowMs ?? (() => performance.now()),
    clocks: createPeerClocks(),
    nextId: 1,
  };
  return {
    call: (endpoint, question, callOptions) =>
      callWithin(caller, { endpoint, ...question }, callOptions),
    close: () => http?.close(),
  };
}

function fail(): never {
  throw new TypeError("Cannot call peers without a transport");
}

/** Races the call with its deadline: even a transport that ignores its signal cannot hold us. */
async function callWithin(
  caller: Caller,
  question: RpcQuestion & { readonly endpoint: string },
  { deadlineMs, signal }: CallOptions,
): Promise<CallResult> {
  const { endpoint } = question;
  if (signal?.aborted === true) return canceled(endpoint);
  const end = Promise.withResolvers<CallResult>();
  const stop = new AbortController();
  function give(result: CallResult): void {
    end.resolve(result);
    // Only an unfinished call is aborted: its connection is of no more use.
    stop.abort();
  }
  const cancel = () => give(canceled(endpoint));
  signal?.addEventListener("abort", cancel, { once: true });
  const because = `Node ${endpoint} did not answer within ${Math.round(deadlineMs)} ms`;
  const timer = setTimeout(() => give(failed("timeout", because)), deadlineMs);
  try {
    return await Promise.race([ask(caller, question, stop.signal), end.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", cancel);
  }
}

async function ask(
  caller: Caller,
  question: RpcQuestion & { readonly endpoint: string },
  signal: AbortSignal,
): Promise<CallResult> {
  const { endpoint, method } = question;
  const url = parseEndpoint(endpoint) === null ? null : new URL(`http://${endpoint}/rpc`);
  if (url === null) {
    return failed("unreachable", `Node ${JSON.stringify(endpoint)} is no host:port`);
  }
  const { self, clusterId } = caller.options;
  if (question.confidential === true && caller.options.secret === null && leaves(endpoint, self)) {
    const because = `A password is not sent to ${endpoint} without rpc.secret-file to encrypt it`;
    return failed("denied", because);
  }
  const id = caller.nextId++;
  const sent = sendable(question, caller.options.secret);
  const call = { id, method, ...sent, from: self, cluster: clusterId?.() ?? null };
  const body = new TextEncoder().encode(encodeCall(call));
  if (body.length > RPC_CALL_BYTES_MAX) {
    const because = `Call of ${method} has ${body.length} bytes, the most is ${RPC_CALL_BYTES_MAX}`;
    return failed("decode", because);
  }
  try {
    return await converse(caller, { endpoint, url, id, body, signal });
  } catch (error) {
    return connectionFailure(endpoint, error);
  }
}

/** Does a call to this endpoint leave the host? The command line calls only the agent of its own. */
function leaves(endpoint: string, self: string | null): boolean {
  const host = parseEndpoint(endpoint)?.host ?? "";
  return self !== null && host !== parseEndpoint(self)?.host && !isLoopback(host);
}

/** Without a secret nothing is sealed: such a call stays on this host. */
function sendable(
  { method, params, confidential }: RpcQuestion,
  secret: Secret | null,
): { readonly params: unknown; readonly sealed: boolean } {
  if (confidential !== true || secret === null) return { params, sealed: false };
  const nonce = crypto.getRandomValues(new Uint8Array(SEAL_NONCE_BYTES));
  return { params: seal(JSON.stringify(params), { secret, method }, nonce), sealed: true };
}

/** One call, repeated once when the receiver asks for a stamp with its own time. */
async function converse(caller: Caller, attempt: Attempt): Promise<CallResult> {
  const first = await exchange(caller, attempt);
  const signed = caller.options.secret !== null;
  const challenged = signed && first !== null && first.status === 401 && first.proven;
  const last = challenged ? await exchange(caller, attempt) : first;
  return last === null
    ? failed("decode", `Node ${attempt.endpoint} sent an answer that is too large or broke off`)
    : judge(attempt, last);
}

async function exchange(caller: Caller, attempt: Attempt): Promise<Received | null> {
  const { endpoint, url, body, signal } = attempt;
  const { secret } = caller.options;
  const stamp: Stamp = { nonce: drawNonce(), ...caller.clocks.stampFor(endpoint, caller.nowMs()) };
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (secret !== null) {
    headers[HEADER_NONCE] = stamp.nonce;
    headers[HEADER_BOOT] = stamp.boot;
    headers[HEADER_TIME] = String(stamp.timeMs);
    headers[HEADER_MAC] = signRequest(secret, { ...stamp, method: "POST", path: "/rpc", body });
  }
  const response = await caller.send(url, { method: "POST", headers, body, signal });
  const read = await readBody(response, { bytesMax: RPC_ANSWER_BYTES_MAX, signal });
  if (read.kind !== "read") return null;
  const proven = secret === null || proves(caller, { endpoint, secret, stamp }, {
    response,
    body: read.bytes,
  });
  return { status: response.status, text: new TextDecoder().decode(read.bytes), proven };
}

/** Checks the signature of an answer and, only then, believes its clock. */
function proves(
  caller: Caller,
  { endpoint, secret, stamp }: {
    readonly endpoint: string;
    readonly secret: Secret;
    readonly stamp: Stamp;
  },
  { response, body }: { readonly response: Response; readonly body: Uint8Array },
): boolean {
  const boot = response.headers.get(HEADER_BOOT) ?? "";
  const timeMs = Number(response.headers.get(HEADER_TIME) ?? "NaN");
  const answer = { nonce: stamp.nonce, status: response.status, boot, timeMs, body };
  const mac = response.headers.get(HEADER_MAC) ?? "";
  if (!Number.isSafeInteger(timeMs) || !sameMac(mac, signAnswer(secret, answer))) return false;
  caller.clocks.learn(endpoint, { boot, timeMs }, caller.nowMs());
  return true;
}

function judge({ endpoint, id }: Attempt, received: Received): CallResult {
  const { status, text, proven } = received;
  if (!proven) {
    const because = `Node ${endpoint} did not prove that it knows our secret: its ` +
      `rpc.secret-file differs or is not set, or another program uses the port`;
    return failed("denied", because);
  }
  if (status === 401 || status === 403) return failed("denied", reasonIn(text, endpoint, status));
  const decoded = decodeAnswer(text, id);
  if (decoded.kind === "result") return { ok: decoded.result };
  if (decoded.kind === "error") {
    return { failed: { kind: "rpc", name: decoded.name, because: decoded.because } };
  }
  const because = status === 200 ? decoded.because : reasonIn(text, endpoint, status);
  return failed("decode", `Cannot read the answer of node ${endpoint}: ${because}`);
}

/** The sentence in a refusal; anything else there is not for the operator's screen. */
function reasonIn(text: string, endpoint: string, status: number): string {
  const reasonCharactersMax = 500;
  try {
    const { because } = JSON.parse(text) as { readonly because?: unknown };
    if (typeof because === "string") return because.slice(0, reasonCharactersMax);
  } catch {
    // No JSON: another program answered.
  }
  return `${endpoint} answered with HTTP status ${status}`;
}

function connectionFailure(endpoint: string, error: unknown): CallResult {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ECONNREFUSED") {
    return failed("refused", `Node ${endpoint} refused the connection: no agent runs there`);
  }
  if (code.startsWith("HPE_") || /^Parse Error/.test(messageOf(error))) {
    const because =
      `Node ${endpoint} does not speak HTTP: another program uses the port, no agent ` +
      "of xenon answers there";
    return failed("unreachable", because);
  }
  const because = messageOf(error);
  return failed("unreachable", `Cannot reach node ${endpoint}: ${because}`);
}

function canceled(endpoint: string): CallResult {
  return failed("canceled", `Call to node ${endpoint} was canceled`);
}

function failed(kind: Exclude<CallFailure["kind"], "rpc">, because: string): CallResult {
  return { failed: { kind, because } };
}

/** 32 hexadecimal digits; wall clock and counters would repeat after a restart. */
function drawNonce(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
