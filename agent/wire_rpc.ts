/**
 * The envelope of every call between agents and from the command line: JSON-RPC 2.0
 * (https://www.jsonrpc.org/specification) with four members of our own: `xenon` is the version of
 * the envelope, `from` the node that calls, `cluster` the cluster it believes to be in, `sealed` says
 * that the params are encrypted. What is in
 * `params` and `result` is opaque here and decoded by the method.
 */
import { isRecord } from "./is_record.ts";
import { parseJson } from "./json.ts";

/** Version of the envelope. A node refuses calls of a later one and says both numbers. */
export const RPC_VERSION = 1;

/**
 * Longest GTID set or sentence in a call or an answer. Mostly it is some kilobytes; a history full of
 * gaps or tags, with 20,000 intervals, is half of this.
 */
export const RPC_TEXT_CHARACTERS_MAX = 1024 * 1024;

/** No call is larger: the largest carry two or three GTID sets. */
export const RPC_CALL_BYTES_MAX = 4 * RPC_TEXT_CHARACTERS_MAX;

/** Ordinary calls; the larger ones are read a few at a time, so that strangers cannot fill the memory. */
export const RPC_SMALL_CALL_BYTES_MAX = 256 * 1024;

/** An answer may carry the status of a node, with its sets and errors. */
export const RPC_ANSWER_BYTES_MAX = 4 * RPC_TEXT_CHARACTERS_MAX;

const TEXT_CHARACTERS_MAX = 256;

/** Every way a call can fail at its receiver, by name. The numbers below -32099 are JSON-RPC's. */
export const RPC_ERROR_CODES = {
  /** The body is not JSON. */
  parse: -32700,
  /** JSON, but no call. */
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  /** The receiver has a fault; details are in its log only. */
  internal: -32603,
  /** Understood and declined, with a reason for the operator. */
  refused: -32000,
  /** The caller is in another cluster. */
  wrongCluster: -32001,
  /** Too many calls at once. */
  busy: -32002,
  /** The receiver gave up waiting for itself. */
  timeout: -32003,
  /** The envelope is of a later version. */
  version: -32004,
} as const;

export type RpcErrorName = keyof typeof RPC_ERROR_CODES;

/** Thrown by a method to answer with an error of its choice. The sentence reaches the caller. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly kind: RpcErrorName;

  constructor(kind: RpcErrorName, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.kind = kind;
  }
}

export interface RpcCall {
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
  /** Are the params a sealed text? See sealing.ts. */
  readonly sealed: boolean;
  /** Node id of the caller; null for the command line. Authenticated only with a secret. */
  readonly from: string | null;
  readonly cluster: string | null;
}

/** What a method learns about its caller besides the params. */
export interface RpcContext {
  readonly from: string | null;
  readonly cluster: string | null;
  /** Address of the connection, without a port. */
  readonly remote: string;
  /** Aborted when the call ran out of time. */
  readonly signal: AbortSignal;
}

export type RpcMethod = (params: unknown, context: RpcContext) => Promise<unknown>;
/** The methods of a node, by full name: `raft.heartbeat`, `node.status`. */
export type RpcMethods = Readonly<Record<string, RpcMethod>>;

export type DecodedCall =
  | { readonly kind: "call"; readonly call: RpcCall }
  | {
    readonly kind: "error";
    readonly name: RpcErrorName;
    readonly because: string;
    readonly id: number | null;
  };

export type DecodedAnswer =
  | { readonly kind: "result"; readonly result: unknown }
  | { readonly kind: "error"; readonly name: RpcErrorName; readonly because: string }
  | { readonly kind: "undecodable"; readonly because: string };

/** One call as text. */
export function encodeCall(call: RpcCall): string {
  const { id, method, params, from, cluster } = call;
  const sealed = call.sealed ? { sealed: true } : {};
  return JSON.stringify({
    jsonrpc: "2.0",
    xenon: RPC_VERSION,
    id,
    method,
    ...sealed,
    params,
    from,
    cluster,
  });
}

/** Reads a call; what is wrong with it is said with the code that answers it. */
export function decodeCall(text: string): DecodedCall {
  const document = parseJson(text);
  if (document === undefined) return wrong("parse", "Body is not JSON", null);
  if (!isRecord(document)) return wrong("invalidRequest", "Body is not one call", null);
  const { xenon, method, params, from, cluster } = document;
  const id = typeof document.id === "number" && Number.isSafeInteger(document.id)
    ? document.id
    : null;
  if (typeof xenon === "number" && xenon > RPC_VERSION) {
    const because = `Caller speaks version ${xenon}, this node up to ${RPC_VERSION}: upgrade it`;
    return wrong("version", because, id);
  }
  if (document.jsonrpc !== "2.0" || xenon !== RPC_VERSION) {
    return wrong("invalidRequest", "Body is not a call of a known version", id);
  }
  if (id === null) return wrong("invalidRequest", "Call has no number", null);
  if (!isShortText(method)) return wrong("invalidRequest", "Call names no method", id);
  if (!isShortTextOrNull(from) || !isShortTextOrNull(cluster)) {
    return wrong("invalidRequest", "Members from and cluster must be texts or null", id);
  }
  const sealed = document.sealed === true;
  return { kind: "call", call: { id, method, params, sealed, from, cluster } };
}

/** An absent result (a method that returns nothing) is sent as null. */
export function encodeResult(id: number, result: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", id, result: result ?? null });
}

/** The answer to a call that failed; `id` is null where the call could not be read. */
export function encodeError(id: number | null, name: RpcErrorName, because: string): string {
  const error = { code: RPC_ERROR_CODES[name], message: because, data: { name } };
  return JSON.stringify({ jsonrpc: "2.0", id, error });
}

/** Reads the answer to call `id`. */
export function decodeAnswer(text: string, id: number): DecodedAnswer {
  const document = parseJson(text);
  if (!isRecord(document) || document.jsonrpc !== "2.0") {
    return { kind: "undecodable", because: "the answer is not JSON-RPC" };
  }
  if (isRecord(document.error)) return decodeError(document.error);
  if (document.id !== id) {
    return { kind: "undecodable", because: `the answer is to another call than ${id}` };
  }
  if (!("result" in document)) {
    return { kind: "undecodable", because: "the answer has neither result nor error" };
  }
  return { kind: "result", result: document.result };
}

function decodeError(error: Readonly<Record<string, unknown>>): DecodedAnswer {
  const found = Object.entries(RPC_ERROR_CODES).find(([, code]) => code === error.code);
  if (found === undefined || typeof error.message !== "string") {
    return { kind: "undecodable", because: "the answer is an error of an unknown kind" };
  }
  return { kind: "error", name: found[0] as RpcErrorName, because: error.message };
}

function wrong(name: RpcErrorName, because: string, id: number | null): DecodedCall {
  return { kind: "error", name, because, id };
}

function isShortText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= TEXT_CHARACTERS_MAX;
}

function isShortTextOrNull(value: unknown): value is string | null {
  return value === null || isShortText(value);
}
