/**
 * The node as a function from `Request` to `Response`: no socket here, and none in its tests.
 * POST /rpc is for agents and the command line and is signed. Every GET is open and changes
 * nothing: it is for people and load balancers, and is answered from memory, so that a stuck MySQL
 * cannot stall it.
 */
import { createRpc, type RpcOptions } from "./server_rpc.ts";

/** Yes, or no with the reason that an operator reads. */
export type Verdict = { readonly ok: true } | { readonly ok: false; readonly because: string };

/** What the open pages show; all of it is in memory already. */
export interface Views {
  /** The NodeStatus of this node. */
  status(): unknown;
  /** The leader this node knows, as `host:port` of its agent and of its MySQL; null when none. */
  leader(): { readonly leader: string; readonly mysql: string; readonly term: number } | null;
  /** Is this node the leader and open for writes? */
  primary(): Verdict;
  /** Is this node a follower whose replication is healthy? */
  replica(): Verdict;
  /** Does this agent do its work? It says nothing about MySQL. */
  health(): Verdict;
}

export interface ServerOptions extends RpcOptions {
  readonly views: Views;
}

export interface ConnectionInfo {
  /** Address of the other end, without a port. */
  readonly remote: string;
}

export type Handler = (request: Request, info: ConnectionInfo) => Promise<Response>;

interface Rendered {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** Builds the handler. It never rejects: faults go to `onFault` and are answered with 500. */
export function createHandler(options: ServerOptions): Handler {
  const rpc = createRpc(options);
  const pages = pagesOf(options.views);
  return async function handle(request, info) {
    try {
      const { pathname } = new URL(request.url);
      if (pathname === "/rpc") return await answerRpc(rpc, request, info);
      const page = pages.get(pathname);
      return page === undefined ? text(404, "Not found") : answerPage(page, request);
    } catch (error) {
      options.onFault(error);
      return text(500, "Internal fault, see the log of this node");
    }
  };
}

async function answerRpc(rpc: Handler, request: Request, info: ConnectionInfo): Promise<Response> {
  if (request.method === "POST") return await rpc(request, info);
  return allowed(request.method, "POST, OPTIONS");
}

function answerPage(page: () => Rendered, request: Request): Response {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return allowed(request.method, "GET, HEAD, OPTIONS");
  }
  const rendered = page();
  const body = request.method === "HEAD" ? null : rendered.text;
  const headers = { "content-type": rendered.contentType, "cache-control": "no-store" };
  return new Response(body, { status: rendered.status, headers });
}

function pagesOf(views: Views): ReadonlyMap<string, () => Rendered> {
  return new Map([
    ["/status", () => json(200, views.status())],
    ["/leader", () => leaderPage(views)],
    ["/primary", () => verdictPage(views.primary())],
    ["/replica", () => verdictPage(views.replica())],
    ["/health", () => verdictPage(views.health())],
  ]);
}

function leaderPage(views: Views): Rendered {
  const leader = views.leader();
  return leader === null ? json(503, { because: "no leader is known" }) : json(200, leader);
}

/** Load balancers read the status only; the reason is for the person who looks. */
function verdictPage(verdict: Verdict): Rendered {
  return json(verdict.ok ? 200 : 503, verdict);
}

function json(status: number, value: unknown): Rendered {
  return { status, contentType: "application/json", text: `${JSON.stringify(value)}\n` };
}

function allowed(method: string, methods: string): Response {
  const status = method === "OPTIONS" ? 204 : 405;
  return new Response(null, { status, headers: { allow: methods } });
}

function text(status: number, sentence: string): Response {
  return new Response(`${sentence}\n`, { status, headers: { "content-type": "text/plain" } });
}
