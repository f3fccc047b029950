/** Server and client meet in memory: no socket, a clock that the test moves. */
import assert from "node:assert/strict";
import { createPeers, type Peers, type PeersOptions } from "../agent/real/peers.ts";
import type { Transport, TransportInit } from "../agent/real/transport.ts";
import { Secret } from "../agent/secret.ts";
import { createHandler, type Handler, type ServerOptions } from "../agent/server.ts";
import { HEADER_MAC } from "../agent/signing.ts";
import { RPC_CALL_BYTES_MAX, RpcError, type RpcMethods } from "../agent/wire_rpc.ts";
import { InvariantError } from "../raft/invariant.ts";

const endpoint = "10.0.0.2:8801";
const secret = new Secret("the same on every node");
const options = { deadlineMs: 2000 };

Deno.test("a signed call reaches its method, after one challenge for the first call", async () => {
  const world = createWorld();
  const first = await world.peers.call(endpoint, { method: "echo", params: { a: 1 } }, options);
  assert.deepEqual(first, { ok: { params: { a: 1 }, from: "10.0.0.1:8801", cluster: "c" } });
  assert.deepEqual(world.statuses, [401, 200]);
  for (let n = 0; n < 3; n++) {
    await world.peers.call(endpoint, { method: "echo", params: n }, options);
  }
  assert.deepEqual(world.statuses, [401, 200, 200, 200, 200]);
});

Deno.test("confidential params are read by their method and by nobody on the wire", async () => {
  const world = createWorld();
  const question = { method: "echo", params: { password: "geheim" }, confidential: true };
  const result = await world.peers.call(endpoint, question, options);
  assert.deepEqual(result, {
    ok: { params: { password: "geheim" }, from: "10.0.0.1:8801", cluster: "c" },
  });
  for (const { body } of world.sent) {
    assert.doesNotMatch(new TextDecoder().decode(body as Uint8Array<ArrayBuffer>), /geheim/);
  }
  const kept = await world.peersWith(null).call(endpoint, question, options);
  assert.match(failureOf(kept, "denied"), /A password is not sent to .* without rpc.secret-file/);
});

Deno.test("a call costs one more challenge after the receiver restarted or our host slept", async () => {
  const world = createWorld();
  await world.peers.call(endpoint, { method: "echo", params: 1 }, options);
  world.restart("boot-2");
  assert.ok("ok" in await world.peers.call(endpoint, { method: "echo", params: 1 }, options));
  assert.deepEqual(world.statuses.slice(2), [401, 200]);
  world.receiverMs += 3_600_000;
  assert.ok("ok" in await world.peers.call(endpoint, { method: "echo", params: 1 }, options));
  assert.deepEqual(world.statuses.slice(4), [401, 200]);
});

Deno.test("no jump of either wall clock decides whether a call is served", async () => {
  const realNow = Date.now;
  try {
    const world = createWorld();
    for (const jumpMs of [0, 86_400_000, -86_400_000 * 365]) {
      Date.now = () => realNow() + jumpMs;
      assert.ok("ok" in await world.peers.call(endpoint, { method: "echo", params: 1 }, options));
    }
    assert.deepEqual(world.statuses, [401, 200, 200, 200]);
  } finally {
    Date.now = realNow;
  }
});

Deno.test("a recorded call is never served again", async () => {
  const world = createWorld();
  await world.peers.call(endpoint, { method: "count", params: null }, options);
  const recorded = world.sent.at(-1);
  assert.ok(recorded !== undefined);
  for (const laterMs of [0, 10_000, 20_000, 60_000]) {
    world.receiverMs += laterMs;
    const response = await world.deliver(recorded);
    assert.ok(response.status === 403 || response.status === 401);
  }
  world.restart("boot-2");
  assert.equal((await world.deliver(recorded)).status, 401);
  assert.equal(world.counted(), 1);
});

Deno.test("a call that was changed on its way is refused", async () => {
  const world = createWorld();
  await world.peers.call(endpoint, { method: "count", params: null }, options);
  world.tamper = (init) => ({ ...init, body: changed(init.body) });
  const result = await world.peers.call(endpoint, { method: "count", params: "aaaa" }, options);
  assert.match(failureOf(result, "denied"), /wrong signature/);
  assert.equal(world.counted(), 1);
});

Deno.test("an answer that was changed on its way is not believed", async () => {
  const world = createWorld();
  world.forge = async (response) => {
    const text = (await response.text()).replace('"a":1', '"a":2');
    return new Response(text, { status: response.status, headers: without(response.headers) });
  };
  const result = await world.peers.call(endpoint, { method: "echo", params: { a: 1 } }, options);
  assert.match(failureOf(result, "denied"), /did not prove that it knows our secret/);
});

Deno.test("an old answer does not pass for the answer to a new call", async () => {
  const world = createWorld();
  await world.peers.call(endpoint, { method: "echo", params: 1 }, options);
  let kept: Response | null = null;
  world.forge = (response) => {
    kept ??= response.clone();
    return Promise.resolve(kept.clone());
  };
  assert.ok("ok" in await world.peers.call(endpoint, { method: "echo", params: 1 }, options));
  const second = await world.peers.call(endpoint, { method: "echo", params: 1 }, options);
  assert.match(failureOf(second, "denied"), /did not prove/);
});

Deno.test("another secret is denied with a sentence of its own, on both sides", async () => {
  const world = createWorld();
  const strangers: readonly (readonly [PeersOptions["secret"], RegExp])[] = [
    [
      new Secret("another one"),
      /did not prove that it knows our secret: its rpc.secret-file differs/,
    ],
    [null, /serves signed calls only: set rpc.secret-file/],
  ];
  for (const [wrong, because] of strangers) {
    const stranger = world.peersWith(wrong);
    const result = await stranger.call(endpoint, { method: "count", params: 1 }, options);
    assert.match(failureOf(result, "denied"), because);
  }
  assert.equal(world.counted(), 0);
});

Deno.test("a stranger who learned the time still needs the secret", async () => {
  const world = createWorld();
  await world.peers.call(endpoint, { method: "count", params: 1 }, options);
  const last = world.sent.at(-1);
  assert.ok(last !== undefined);
  const headers = { ...last.headers, "xenon-nonce": "f".repeat(32) };
  const response = await world.deliver({ ...last, headers });
  assert.equal(response.status, 403);
  const unsigned = Object.fromEntries(
    Object.entries(headers).filter(([name]) => name !== HEADER_MAC),
  );
  assert.equal((await world.deliver({ ...last, headers: unsigned })).status, 401);
  assert.equal(world.counted(), 1);
});

Deno.test("without a secret only callers on the same host are served, and no browser", async () => {
  const world = createWorld({ secret: null });
  const peers = world.peersWith(null);
  for (const remote of ["127.0.0.1", "::1", "10.0.0.2"]) {
    world.remote = remote;
    assert.ok("ok" in await peers.call(endpoint, { method: "echo", params: 1 }, options), remote);
  }
  world.remote = "10.0.0.1";
  const result = await peers.call(endpoint, { method: "echo", params: 1 }, options);
  assert.match(failureOf(result, "denied"), /has no secret and serves only callers on its host/);
  world.remote = "127.0.0.1";
  const call = world.sent.at(-1);
  assert.ok(call !== undefined);
  for (const headers of [{ origin: "http://evil.example" }, { "content-type": "text/plain" }]) {
    const response = await world.deliver({ ...call, headers: { ...call.headers, ...headers } });
    assert.equal(response.status, 403);
  }
});

Deno.test("a node with a secret does not talk to one without", async () => {
  const world = createWorld({ secret: null });
  world.remote = "127.0.0.1";
  const result = await world.peersWith(secret).call(
    endpoint,
    { method: "echo", params: 1 },
    options,
  );
  assert.match(failureOf(result, "denied"), /did not prove/);
});

Deno.test("a method's refusal, an unknown method, and a fault are told apart", async () => {
  const faults: unknown[] = [];
  const world = createWorld({ onFault: (error) => faults.push(error) });
  const cases = [
    ["refuse", "refused", /Cannot remove node as it leads/],
    ["nothing", "methodNotFound", /knows no method "nothing"/],
    ["toString", "methodNotFound", /knows no method "toString"/],
    ["crash", "internal", /has a fault, see its log/],
    ["lie", "internal", /has a fault, see its log/],
    ["huge", "internal", /the most is/],
  ] as const;
  for (const [method, name, because] of cases) {
    const result = await world.peers.call(endpoint, { method, params: null }, options);
    assert.ok("failed" in result && result.failed.kind === "rpc", method);
    assert.equal(result.failed.name, name);
    assert.match(result.failed.because, because);
  }
  assert.equal(faults.length, 2);
  assert.match(String(faults[0]), /Cannot serve crash: secret detail/);
  assert.ok(faults[1] instanceof InvariantError);
});

Deno.test("nodes of different clusters do not serve each other, fresh nodes are served", async () => {
  const world = createWorld({ clusterId: () => "d" });
  const result = await world.peers.call(endpoint, { method: "echo", params: 1 }, options);
  assert.ok("failed" in result && result.failed.kind === "rpc");
  assert.equal(result.failed.name, "wrongCluster");
  const fresh = createWorld({ clusterId: () => null });
  assert.ok("ok" in await fresh.peers.call(endpoint, { method: "echo", params: 1 }, options));
});

Deno.test("a body that is too large is refused at either end", async () => {
  const world = createWorld();
  const large = "x".repeat(RPC_CALL_BYTES_MAX);
  const result = await world.peers.call(endpoint, { method: "echo", params: large }, options);
  assert.match(failureOf(result, "decode"), /the most is/);
  await world.peers.call(endpoint, { method: "echo", params: 1 }, options);
  const last = world.sent.at(-1);
  assert.ok(last !== undefined);
  const headers = { ...last.headers, "xenon-nonce": "e".repeat(32) };
  const body = new TextEncoder().encode(large + "x");
  assert.equal((await world.deliver({ ...last, headers, body })).status, 413);
});

Deno.test("a body that never ends is given up, and its place is free again", async () => {
  const world = createWorld();
  await world.peers.call(endpoint, { method: "echo", params: 1 }, options);
  const last = world.sent.at(-1);
  assert.ok(last !== undefined);
  const headers = { ...last.headers, "xenon-nonce": "d".repeat(32) };
  const endless = () =>
    world.handler(
      new Request("http://node/rpc", {
        method: "POST",
        headers,
        body: new ReadableStream<Uint8Array>({ start: (c) => c.enqueue(new Uint8Array(3)) }),
      }),
      { remote: "10.0.0.9" },
    );
  const stuck = Array.from({ length: 16 }, endless);
  assert.equal((await endless()).status, 503);
  assert.ok("ok" in await world.peers.call(endpoint, { method: "echo", params: 1 }, options));
  world.passTime();
  for (const response of await Promise.all(stuck)) assert.equal(response.status, 408);
  const again = endless();
  await Promise.resolve();
  world.passTime();
  assert.equal((await again).status, 408);
});

Deno.test("a method that never ends is given up with an error", async () => {
  const world = createWorld();
  await world.peers.call(endpoint, { method: "echo", params: 1 }, options);
  const call = world.peers.call(endpoint, { method: "hang", params: 1 }, options);
  await world.methodStarted;
  world.passTime();
  const result = await call;
  assert.ok("failed" in result && result.failed.kind === "rpc");
  assert.equal(result.failed.name, "timeout");
});

Deno.test("a call ends by its deadline or its signal, whatever the transport does", async () => {
  const stuck: Transport = () => new Promise(() => {});
  const peers = createPeers({ self: null, secret, transport: stuck });
  const late = await peers.call(endpoint, { method: "echo", params: 1 }, { deadlineMs: 30 });
  assert.match(failureOf(late, "timeout"), /did not answer within 30 ms/);
  const abort = new AbortController();
  const call = peers.call(endpoint, { method: "echo", params: 1 }, {
    deadlineMs: 60_000,
    signal: abort.signal,
  });
  abort.abort();
  assert.match(failureOf(await call, "canceled"), /was canceled/);
});

Deno.test("answers of other programs are not taken for a node's", async () => {
  const answers = [
    new Response("<html>"),
    new Response("{}", { status: 404 }),
    new Response("null"),
  ];
  for (const answer of answers) {
    const peers = createPeers({
      self: null,
      secret: null,
      transport: () => Promise.resolve(answer),
    });
    const result = await peers.call(endpoint, { method: "echo", params: 1 }, options);
    assert.match(failureOf(result, "decode"), /Cannot read the answer of node/);
  }
});

interface World {
  readonly peers: Peers;
  readonly handler: Handler;
  /** Status of every answer so far, and every request as it left the caller. */
  readonly statuses: number[];
  readonly sent: TransportInit[];
  readonly methodStarted: Promise<void>;
  receiverMs: number;
  remote: string;
  tamper: (init: TransportInit) => TransportInit;
  forge: (response: Response) => Promise<Response>;
  counted(): number;
  /** Every timer of the server goes off. */
  passTime(): void;
  restart(bootId: string): void;
  deliver(init: TransportInit): Promise<Response>;
  peersWith(secret: Secret | null): Peers;
}

function createWorld(given: Partial<ServerOptions> = {}): World {
  const timers = new Set<() => void>();
  const started = Promise.withResolvers<void>();
  let counted = 0;
  const methods: RpcMethods = {
    ...echoMethods,
    count: () => Promise.resolve(++counted),
    hang: () => {
      started.resolve();
      return new Promise(() => {});
    },
  };
  const handlerOf = (bootId: string) =>
    createHandler({
      self: endpoint,
      bootId,
      secret,
      nowMs: () => world.receiverMs,
      after(_afterMs, then) {
        timers.add(then);
        return () => timers.delete(then);
      },
      clusterId: () => "c",
      methods,
      views,
      onFault: (error) => {
        throw error;
      },
      ...given,
    });
  let handler = handlerOf("boot-1");
  async function transport(_url: URL, init: TransportInit): Promise<Response> {
    world.sent.push(init);
    const response = await world.deliver(world.tamper(init));
    world.statuses.push(response.status);
    return await world.forge(response);
  }
  const peersWith = (own: Secret | null) =>
    createPeers({ self: "10.0.0.1:8801", secret: own, clusterId: () => "c", transport });
  const world: World = {
    peers: peersWith(secret),
    handler: (request, info) => handler(request, info),
    statuses: [],
    sent: [],
    methodStarted: started.promise,
    receiverMs: 123_456,
    remote: "10.0.0.1",
    tamper: (init) => init,
    forge: (response) => Promise.resolve(response),
    counted: () => counted,
    passTime: () => [...timers].forEach((then) => then()),
    restart: (bootId) => handler = handlerOf(bootId),
    deliver(init) {
      const { method, headers, body } = init;
      const request = new Request("http://node/rpc", { method, headers, body: body.slice() });
      return handler(request, { remote: world.remote });
    },
    peersWith,
  };
  return world;
}

const echoMethods: RpcMethods = {
  echo: (params, { from, cluster }) => Promise.resolve({ params, from, cluster }),
  refuse: () => Promise.reject(new RpcError("refused", "Cannot remove node as it leads")),
  crash: () => Promise.reject(new Error("secret detail")),
  lie: () => Promise.reject(new InvariantError("two leaders")),
  huge: () => Promise.resolve("x".repeat(5_000_000)),
};

const views: ServerOptions["views"] = {
  status: () => ({}),
  leader: () => null,
  primary: () => ({ ok: true }),
  replica: () => ({ ok: true }),
  health: () => ({ ok: true }),
};

function failureOf(result: unknown, kind: string): string {
  const { failed } = result as { readonly failed?: { kind: string; because: string } };
  assert.equal(failed?.kind, kind, JSON.stringify(result));
  return failed?.because ?? "";
}

function changed(body: Uint8Array): Uint8Array {
  return new TextEncoder().encode(new TextDecoder().decode(body).replace("aaaa", "bbbb"));
}

function without(headers: Headers): Headers {
  const rest = new Headers(headers);
  rest.delete("content-length");
  return rest;
}
