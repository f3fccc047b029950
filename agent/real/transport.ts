/**
 * Sends one HTTP request over a kept connection, with node:http: its errors carry names like
 * ECONNREFUSED, which is evidence that the process at the other end is gone.
 */
import { Agent, type IncomingMessage, request as startRequest } from "node:http";
import { streamOf } from "./stream.ts";

/** Idle connections are closed before the server would do it. */
const IDLE_MS_MAX = 30_000;
const SOCKETS_PER_PEER_MAX = 16;

export interface TransportInit {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

/** Like `fetch`, which a test may put in its place. Rejects with an error that may have a `code`. */
export type Transport = (url: URL, init: TransportInit) => Promise<Response>;

export interface HttpTransport {
  readonly send: Transport;
  /** Closes idle connections. Calls under way end by their own signals. */
  close(): void;
}

/** HTTP with connections that are kept for the next call. */
export function createHttpTransport(): HttpTransport {
  const agent = new Agent({
    keepAlive: true,
    timeout: IDLE_MS_MAX,
    maxSockets: SOCKETS_PER_PEER_MAX,
    noDelay: true,
  });
  return {
    send: (url, init) => sendAgain(agent, url, init),
    close: () => agent.destroy(),
  };
}

/**
 * A kept connection may have died unseen: the peer restarted. Then the same bytes go over a new
 * one. They carry the same nonce, so one process never serves them twice.
 */
async function sendAgain(agent: Agent, url: URL, init: TransportInit): Promise<Response> {
  const first = await send(agent, url, init);
  if (first.kind === "response") return first.response;
  if (!first.reused || init.signal.aborted) throw first.error;
  const second = await send(undefined, url, init);
  if (second.kind === "response") return second.response;
  throw second.error;
}

type Sent =
  | { readonly kind: "response"; readonly response: Response }
  | { readonly kind: "failed"; readonly error: Error; readonly reused: boolean };

function send(agent: Agent | undefined, url: URL, init: TransportInit): Promise<Sent> {
  const { promise, resolve } = Promise.withResolvers<Sent>();
  const outgoing = startRequest({
    agent: agent ?? false,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port,
    path: url.pathname,
    method: init.method,
    headers: { ...init.headers, "content-length": String(init.body.length) },
  });
  const abort = () => outgoing.destroy(new Error("the call ran out of time"));
  outgoing.on("response", (incoming) => {
    resolve({ kind: "response", response: toResponse(incoming) });
  });
  outgoing.on("error", (error) => {
    resolve({ kind: "failed", error, reused: outgoing.reusedSocket });
  });
  outgoing.on("close", () => init.signal.removeEventListener("abort", abort));
  init.signal.addEventListener("abort", abort, { once: true });
  if (init.signal.aborted) abort();
  outgoing.end(init.body);
  return promise;
}

function toResponse(incoming: IncomingMessage): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    headers.set(name, Array.isArray(value) ? value.join(", ") : value ?? "");
  }
  const status = incoming.statusCode ?? 500;
  const empty = status === 204 || status === 304;
  return new Response(empty ? null : streamOf(incoming, () => incoming.destroy()), {
    status,
    headers,
  });
}
