/**
 * POST /rpc: who may call, then what is called. Strangers are turned away before their body is
 * read, and everything that waits has a limit in number and in time.
 */
import { InvariantError } from "../raft/invariant.ts";
import { readBody } from "./body.ts";
import { isLoopback, parseEndpoint, unmapped } from "./endpoint.ts";
import { unseal } from "./sealing.ts";
import type { Secret } from "./secret.ts";
import type { ConnectionInfo, Handler } from "./server.ts";
import { createSlots, type Slots } from "./slots.ts";
import {
  createReplayGuard,
  HEADER_BOOT,
  HEADER_MAC,
  HEADER_TIME,
  readStamp,
  type ReplayGuard,
  sameMac,
  signAnswer,
  signRequest,
  type Stamp,
} from "./signing.ts";
import {
  decodeCall,
  encodeError,
  encodeResult,
  RPC_ANSWER_BYTES_MAX,
  RPC_CALL_BYTES_MAX,
  RPC_SMALL_CALL_BYTES_MAX,
  type RpcCall,
  RpcError,
  type RpcErrorName,
  type RpcMethods,
} from "./wire_rpc.ts";
import { messageOf } from "../mysql/message_of.ts";

/** A body comes in one or two packets; a slower one is a stuck or hostile caller. */
const BODY_MS_MAX = 5_000;
/** Callers that may send their body at the same time, in all and from one address. */
const READERS_MAX = 64;
const READERS_PER_ADDRESS_MAX = 16;
/** Beside them those with a large body: 64 MiB in all, before anybody has proven who he is. */
const LARGE_READERS_MAX = 16;
const LARGE_READERS_PER_ADDRESS_MAX = 4;
/** Methods that may run at the same time; the protocol has its own share, so nobody can starve it. */
const PROTOCOL_CALLS_MAX = 64;
const OTHER_CALLS_MAX = 32;
const PROTOCOL_PREFIX = "raft.";
/** A method that needs longer must be a job that is asked about. */
const METHOD_MS_MAX = 30_000;

export interface RpcOptions {
  /** Node id: `server.endpoint`. */
  readonly self: string;
  /** Drawn at the start of this process; letters, digits and dashes. */
  readonly bootId: string;
  /** Null serves only callers on this host. */
  readonly secret: Secret | null;
  /** Monotonic milliseconds of this process. */
  readonly nowMs: () => number;
  /** Calls `then` after `afterMs` unless the returned function is called before. */
  readonly after: (afterMs: number, then: () => void) => () => void;
  /** The cluster this node is in, null while none. */
  readonly clusterId: () => string | null;
  readonly methods: RpcMethods;
  /** Told about faults of the program; an InvariantError must end the process. */
  readonly onFault: (error: unknown) => void;
}

interface Rpc {
  readonly options: RpcOptions;
  readonly guard: ReplayGuard;
  readonly readers: Slots;
  readonly largeReaders: Slots;
  readonly protocolCalls: Slots;
  readonly otherCalls: Slots;
}

/** An answer before it is signed. */
interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Answers signed calls of agents and commands; refuses replayed, unsigned and too large ones. */
export function createRpc(options: RpcOptions): Handler {
  const rpc: Rpc = {
    options,
    guard: createReplayGuard(options.bootId),
    readers: createSlots({ max: READERS_MAX, perKeyMax: READERS_PER_ADDRESS_MAX }),
    largeReaders: createSlots({ max: LARGE_READERS_MAX, perKeyMax: LARGE_READERS_PER_ADDRESS_MAX }),
    protocolCalls: createSlots({ max: PROTOCOL_CALLS_MAX, perKeyMax: PROTOCOL_CALLS_MAX }),
    otherCalls: createSlots({ max: OTHER_CALLS_MAX, perKeyMax: OTHER_CALLS_MAX }),
  };
  return async function handle(request, info) {
    const stamp = readStamp(request.headers);
    const answer = options.secret === null
      ? await serveOpen(rpc, request, info)
      : await serveSigned(rpc, request, { ...info, stamp });
    return respond(rpc, answer, stamp);
  };
}

/** Without a secret: callers on this host only, and no page in a browser on this host. */
async function serveOpen(rpc: Rpc, request: Request, info: ConnectionInfo): Promise<Answer> {
  const host = parseEndpoint(rpc.options.self)?.host;
  const local = isLoopback(info.remote) || unmapped(info.remote) === host;
  if (!local) {
    const because = `Node ${rpc.options.self} has no secret and serves only callers on its host: ` +
      `set rpc.secret-file to the same secret on every node`;
    return refusal(403, because);
  }
  if (request.headers.get("content-type") !== "application/json" || request.headers.has("origin")) {
    return refusal(403, `Node ${rpc.options.self} does not serve browsers`);
  }
  const body = await takeBody(rpc, request, info);
  return body instanceof Uint8Array ? await serveCall(rpc, body, info) : body;
}

/** With a secret: fresh stamp, then body, then signature, then the call. */
async function serveSigned(
  rpc: Rpc,
  request: Request,
  caller: ConnectionInfo & { readonly stamp: Stamp | null },
): Promise<Answer> {
  const { secret, nowMs, self } = rpc.options;
  const { stamp } = caller;
  const mac = request.headers.get(HEADER_MAC) ?? "";
  if (stamp === null || mac === "" || secret === null) {
    return refusal(401, `Node ${self} serves signed calls only: set rpc.secret-file`);
  }
  const early = rpc.guard.judge(stamp, nowMs());
  if (early !== "fresh") return staleAnswer(self, early);
  const body = await takeBody(rpc, request, caller);
  if (!(body instanceof Uint8Array)) return body;
  const path = new URL(request.url).pathname;
  const wanted = signRequest(secret, { ...stamp, method: request.method, path, body });
  if (!sameMac(mac, wanted)) {
    return refusal(403, `Node ${self} found a wrong signature: rpc.secret-file differs`);
  }
  const admitted = rpc.guard.admit(stamp, nowMs());
  if (admitted !== "fresh") return staleAnswer(self, admitted);
  return await serveCall(rpc, body, caller);
}

/** 401 tells the caller to try again: the answer's headers carry this node's boot id and time. */
function staleAnswer(self: string, freshness: "stale" | "replayed" | "full"): Answer {
  if (freshness === "stale") return refusal(401, `Node ${self} wants a call stamped with its time`);
  if (freshness === "full") return errorAnswer("busy", `Node ${self} gets too many calls`);
  return refusal(403, `Node ${self} has served this very call before`);
}

async function takeBody(
  rpc: Rpc,
  request: Request,
  info: ConnectionInfo,
): Promise<Uint8Array | Answer> {
  const { self, after } = rpc.options;
  const large = Number(request.headers.get("content-length") ?? "0") > RPC_SMALL_CALL_BYTES_MAX;
  const bytesMax = large ? RPC_CALL_BYTES_MAX : RPC_SMALL_CALL_BYTES_MAX;
  const release = (large ? rpc.largeReaders : rpc.readers).take(info.remote);
  if (release === null) return errorAnswer("busy", `Node ${self} reads too many calls at once`);
  const time = new AbortController();
  const stop = after(BODY_MS_MAX, () => time.abort());
  try {
    const body = await readBody(request, { bytesMax, signal: time.signal });
    if (body.kind === "read") return body.bytes;
    return body.kind === "tooLarge"
      ? refusal(413, `Call is larger than ${bytesMax} bytes`)
      : refusal(408, `Call did not arrive: ${body.because}`);
  } finally {
    stop();
    release();
  }
}

async function serveCall(rpc: Rpc, body: Uint8Array, info: ConnectionInfo): Promise<Answer> {
  const decoded = decodeCall(new TextDecoder().decode(body));
  if (decoded.kind === "error") return errorAnswer(decoded.name, decoded.because, decoded.id);
  const call = opened(decoded.call, rpc.options.secret);
  if (call === null) {
    const because = `Node ${rpc.options.self} cannot open sealed params: rpc.secret-file differs`;
    return errorAnswer("invalidParams", because, decoded.call.id);
  }
  const ours = rpc.options.clusterId();
  if (call.cluster !== null && ours !== null && call.cluster !== ours) {
    const because = `Caller ${call.from ?? "without a name"} is in cluster ${call.cluster}, ` +
      `node ${rpc.options.self} in ${ours}`;
    return errorAnswer("wrongCluster", because, call.id);
  }
  const slots = call.method.startsWith(PROTOCOL_PREFIX) ? rpc.protocolCalls : rpc.otherCalls;
  const release = slots.take(call.method);
  if (release === null) {
    return errorAnswer("busy", `Node ${rpc.options.self} serves too many calls`, call.id);
  }
  try {
    return await runMethod(rpc, call, info);
  } finally {
    release();
  }
}

/** The call with its params readable; null when they are sealed with another secret. */
function opened(call: RpcCall, secret: Secret | null): RpcCall | null {
  if (!call.sealed) return call;
  if (secret === null || typeof call.params !== "string") return null;
  const text = unseal(call.params, { secret, method: call.method });
  if (text === null) return null;
  return { ...call, params: JSON.parse(text), sealed: false };
}

async function runMethod(rpc: Rpc, call: RpcCall, info: ConnectionInfo): Promise<Answer> {
  const { methods, self, onFault } = rpc.options;
  if (!Object.hasOwn(methods, call.method)) {
    const because = `Node ${self} knows no method ${JSON.stringify(call.method)}`;
    return errorAnswer("methodNotFound", because, call.id);
  }
  try {
    const text = encodeResult(call.id, await withinTime(rpc, call, info));
    if (text.length <= RPC_ANSWER_BYTES_MAX / 2) return { status: 200, text };
    return largeAnswer(call, text);
  } catch (error) {
    if (error instanceof RpcError) return errorAnswer(error.kind, error.message, call.id);
    onFault(error instanceof InvariantError ? error : faultOf(call, error));
    return errorAnswer("internal", `Node ${self} has a fault, see its log`, call.id);
  }
}

/** Counts bytes only where characters leave a doubt. */
function largeAnswer(call: RpcCall, text: string): Answer {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= RPC_ANSWER_BYTES_MAX) return { status: 200, text };
  const because = `Answer has ${bytes} bytes, the most is ${RPC_ANSWER_BYTES_MAX}`;
  return errorAnswer("internal", because, call.id);
}

async function withinTime(rpc: Rpc, call: RpcCall, info: ConnectionInfo): Promise<unknown> {
  const method = rpc.options.methods[call.method];
  const time = new AbortController();
  const late = Promise.withResolvers<never>();
  const stop = rpc.options.after(METHOD_MS_MAX, () => {
    time.abort();
    const because = `Node ${rpc.options.self} did not finish within ${METHOD_MS_MAX} ms`;
    late.reject(new RpcError("timeout", because));
  });
  const { from, cluster } = call;
  const context = { from, cluster, remote: info.remote, signal: time.signal };
  try {
    return await Promise.race([method?.(call.params, context), late.promise]);
  } finally {
    stop();
  }
}

function faultOf(call: RpcCall, cause: unknown): Error {
  const because = messageOf(cause);
  return new Error(`Cannot serve ${call.method}: ${because}`, { cause });
}

function errorAnswer(name: RpcErrorName, because: string, id: number | null = null): Answer {
  return { status: name === "busy" ? 503 : 200, text: encodeError(id, name, because) };
}

function refusal(status: number, because: string): Answer {
  return { status, text: JSON.stringify({ because }) };
}

/** Signs the answer when the caller's nonce is known; an answer without one proves nothing. */
function respond({ options }: Rpc, { status, text }: Answer, stamp: Stamp | null): Response {
  const body = new TextEncoder().encode(text);
  const headers = new Headers({
    "content-type": "application/json",
    "content-length": String(body.length),
    "cache-control": "no-store",
  });
  const { secret, bootId: boot } = options;
  if (secret !== null && stamp !== null) {
    const timeMs = Math.round(options.nowMs());
    const answer = { nonce: stamp.nonce, status, boot, timeMs, body };
    headers.set(HEADER_BOOT, boot);
    headers.set(HEADER_TIME, String(timeMs));
    headers.set(HEADER_MAC, signAnswer(secret, answer));
  }
  return new Response(body, { status, headers });
}
