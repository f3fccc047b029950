/**
 * Puts a handler on a socket. node:http rather than Deno's own server, as client certificates can
 * be verified there, and its error codes are names; its round trip costs a tenth of a millisecond
 * more.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type Endpoint, formatEndpoint, unmapped } from "../endpoint.ts";
import type { Handler } from "../server.ts";
import { streamOf } from "./stream.ts";

const HEADER_BYTES_MAX = 16 * 1024;
/** A caller that does not finish its headers or its whole request in time is cut off. */
const HEADERS_MS_MAX = 5_000;
const REQUEST_MS_MAX = 15_000;
/** Longer than callers keep an idle connection, so that they close it and not we. */
const IDLE_MS_MAX = 60_000;
const CONNECTIONS_MAX = 512;
/** How often the two limits above are looked at. */
const CHECK_MS = 1_000;

export interface HttpServer {
  /** Where it listens, with the port that the system chose for port 0. */
  readonly endpoint: Endpoint;
  /** Takes no new calls, waits for those under way, and cuts them off after `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

export interface HttpOptions extends Endpoint {
  readonly handler: Handler;
  readonly onFault: (error: unknown) => void;
}

/** Listens on one address. A taken port or a foreign address is an error with its fix. */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const server = createServer({
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: HEADERS_MS_MAX,
    requestTimeout: REQUEST_MS_MAX,
    keepAliveTimeout: IDLE_MS_MAX,
    connectionsCheckingInterval: CHECK_MS,
    noDelay: true,
  }, (request, response) => {
    answer(options, request, response).catch((error) => {
      options.onFault(error);
      response.destroy();
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, options);
  server.on("error", options.onFault);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  return {
    endpoint: { host: options.host, port },
    close: (deadlineMs) => close(server, deadlineMs),
  };
}

function listen(server: Server, endpoint: Endpoint): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (error: Error) => reject(listenError(endpoint, error));
  server.once("error", fail);
  server.listen({ host: endpoint.host, port: endpoint.port }, () => {
    server.off("error", fail);
    resolve();
  });
  return promise;
}

function listenError(endpoint: Endpoint, cause: Error & { readonly code?: string }): Error {
  const foreign = "this host does not have the address: correct server.endpoint or set rpc.bind";
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: "another program listens there, perhaps a second agent: stop it or change the port",
    EADDRNOTAVAIL: foreign,
    // Deno reports a foreign address by this code.
    EINVAL: foreign,
    ENOTFOUND: "the name is unknown: correct server.endpoint or set rpc.bind",
    EACCES: "this account may not listen on the port: use a port above 1023",
  };
  const because = reasons[cause.code ?? ""] ?? cause.message;
  return new Error(`Cannot listen on ${formatEndpoint(endpoint)}: ${because}`, { cause });
}

async function close(server: Server, deadlineMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), deadlineMs);
  await promise;
  clearTimeout(timer);
}

async function answer(
  { handler }: HttpOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const request = toRequest(incoming);
  if (request === null) {
    outgoing.writeHead(400).end();
    return;
  }
  const response = await handler(request, {
    remote: unmapped(incoming.socket.remoteAddress ?? ""),
  });
  const body = response.body === null ? null : new Uint8Array(await response.arrayBuffer());
  for (const [name, value] of response.headers) outgoing.setHeader(name, value);
  if (body !== null) outgoing.setHeader("content-length", body.length);
  // What is left of a body that nobody wanted would be taken for the next request.
  if (!incoming.complete) outgoing.setHeader("connection", "close");
  outgoing.writeHead(response.status);
  outgoing.end(body ?? undefined);
}

/** Null for requests that the web's Request type does not allow, such as TRACE or a bad Host. */
function toRequest(incoming: IncomingMessage): Request | null {
  const method = incoming.method ?? "GET";
  const headers = new Headers();
  try {
    for (const [name, value] of Object.entries(incoming.headers)) {
      headers.set(name, Array.isArray(value) ? value.join(", ") : value ?? "");
    }
    const url = new URL(incoming.url ?? "/", "http://agent");
    if (method === "GET" || method === "HEAD") return new Request(url, { method, headers });
    return new Request(url, { method, headers, body: streamOf(incoming, () => incoming.pause()) });
  } catch {
    // The caller's mistake; 400 tells it so.
    return null;
  }
}
