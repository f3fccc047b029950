/** Server and client over real loopback sockets: what only a socket can show. */
import assert from "node:assert/strict";
import { type HttpServer, serveHttp } from "../agent/real/http.ts";
import { createPeers, type Peers } from "../agent/real/peers.ts";
import { Secret } from "../agent/secret.ts";
import { createHandler } from "../agent/server.ts";

const secret = new Secret("the same on every node");

Deno.test("a thousand signed calls over one kept connection", async () => {
  await withNode(async ({ at, peers }) => {
    const timesMs: number[] = [];
    for (let n = 0; n < 1100; n++) {
      const startedAt = performance.now();
      const result = await peers.call(at, { method: "echo", params: { n } }, {
        deadlineMs: 20_000,
      });
      timesMs.push(performance.now() - startedAt);
      assert.deepEqual(result, { ok: { n } });
    }
    const warm = timesMs.slice(100).sort((a, b) => a - b);
    // What a call costs, not what the machine does beside it: a connection that waits for delayed
    // acknowledgements has not even one call in twenty below this.
    const quickMs = warm[50] ?? Infinity;
    assert.ok(quickMs < 10, `one call in twenty takes up to ${quickMs} ms`);
  });
});

Deno.test("calls at the same time do not mix their answers", async () => {
  await withNode(async ({ at, peers }) => {
    const calls = Array.from(
      { length: 60 },
      (_, n) =>
        peers.call(at, { method: "echo", params: "x".repeat(n * 1000) + n }, {
          deadlineMs: 20_000,
        }),
    );
    const results = await Promise.all(calls);
    results.forEach((result, n) => {
      assert.ok("ok" in result, JSON.stringify(result).slice(0, 200));
      assert.equal(result.ok, "x".repeat(n * 1000) + n);
    });
  });
});

Deno.test("a large body and a large answer pass, IPv6 works", async () => {
  await withNode(async ({ at, peers }) => {
    assert.match(at, /^\[::1\]:/);
    const params = "y".repeat(200_000);
    const options = { deadlineMs: 20_000 };
    assert.deepEqual(await peers.call(at, { method: "echo", params }, options), { ok: params });
    const large = await peers.call(at, { method: "large", params: null }, options);
    assert.ok("ok" in large);
    assert.equal(String(large.ok).length, 500_000);
    // A GTID set with 20,000 gaps, both ways.
    const huge = "y".repeat(900_000);
    const echoed = await peers.call(at, { method: "echo", params: huge }, options);
    assert.deepEqual(echoed, { ok: huge });
  }, "::1");
});

Deno.test("a process that is gone refuses, and is found again when it is back", async () => {
  await withNode(async ({ at, peers, server, restart }) => {
    const options = { deadlineMs: 20_000 };
    assert.ok("ok" in await peers.call(at, { method: "echo", params: 1 }, options));
    await server.close(1000);
    const gone = await peers.call(at, { method: "echo", params: 1 }, options);
    assert.ok("failed" in gone);
    assert.equal(gone.failed.kind, "refused", JSON.stringify(gone));
    const again = await restart();
    try {
      assert.deepEqual(await peers.call(at, { method: "echo", params: 2 }, options), { ok: 2 });
    } finally {
      await again.close(1000);
    }
  });
});

Deno.test("a kept connection that died unseen does not fail the next call", async () => {
  await withNode(async ({ at, peers, server, restart }) => {
    const options = { deadlineMs: 20_000 };
    for (let round = 0; round < 5; round++) {
      const calls = Array.from(
        { length: 5 },
        () => peers.call(at, { method: "echo", params: round }, options),
      );
      await Promise.all(calls);
    }
    await server.close(0);
    const again = await restart();
    try {
      const calls = Array.from(
        { length: 8 },
        () => peers.call(at, { method: "echo", params: 1 }, options),
      );
      for (const result of await Promise.all(calls)) assert.deepEqual(result, { ok: 1 });
    } finally {
      await again.close(1000);
    }
  });
});

Deno.test("a peer that accepts and never answers costs the deadline, no more", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const peers = createPeers({ self: null, secret });
  const connections: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const connection of listener) connections.push(connection);
  })();
  try {
    for (let n = 0; n < 3; n++) {
      const startedAt = performance.now();
      const call = peers.call(`127.0.0.1:${port}`, { method: "echo", params: 1 }, {
        deadlineMs: 100,
      });
      const result = await call;
      assert.ok("failed" in result && result.failed.kind === "timeout", JSON.stringify(result));
      assert.ok(performance.now() - startedAt < 10_000);
    }
  } finally {
    peers.close();
    listener.close();
    await accepting;
    for (const connection of connections) connection.close();
  }
});

Deno.test("a peer that sends headers and no body, or nonsense, fails in time", async () => {
  const cases = [
    ["HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", ["timeout"], 300],
    ["SSH-2.0-OpenSSH_9.9\r\n", ["unreachable", "timeout"], 300],
    ["HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n{", ["decode"], 20_000],
    ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", ["denied"], 20_000],
  ] as const;
  for (const [text, kinds, deadlineMs] of cases) {
    const result = await callRaw(text, deadlineMs);
    assert.ok("failed" in result);
    assert.ok((kinds as readonly string[]).includes(result.failed.kind), JSON.stringify(result));
  }
});

Deno.test("a second agent on the same port is told so, a foreign address too", async () => {
  await withNode(async ({ at }) => {
    const port = Number(at.split(":").at(-1));
    await assert.rejects(
      serve({ host: "127.0.0.1", port }),
      /^Error: Cannot listen on 127\.0\.0\.1:\d+: another program listens there/,
    );
    await assert.rejects(
      serve({ host: "192.0.2.1", port: 0 }),
      /this host does not have the address/,
    );
  });
});

Deno.test("headers that are too large or too slow do not hold a connection", async () => {
  await withNode(async ({ at }) => {
    const port = Number(at.split(":").at(-1));
    const large = `GET /health HTTP/1.1\r\nhost: x\r\nx-a: ${"a".repeat(40_000)}\r\n\r\n`;
    assert.match(await talk(port, large), /^HTTP\/1\.1 431 |^reset$/);
    const startedAt = performance.now();
    const slow = await talk(port, "GET /health HTTP/1.1\r\nhost: x\r\n");
    assert.match(slow, /^HTTP\/1\.1 408 /);
    assert.ok(performance.now() - startedAt < 60_000);
  });
});

Deno.test("callers that break off or talk nonsense leave the server as it was", async () => {
  await withNode(async ({ at, peers }) => {
    const port = Number(at.split(":").at(-1));
    const head = "POST /rpc HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    const texts = [
      "",
      "\0\x16\x03\x01 hello",
      "GET / HTTP/9.9\r\n\r\n",
      `${head}content-length: 100\r\n\r\nonly a part`,
      `${head}transfer-encoding: chunked\r\n\r\nzz\r\n`,
      `${head}content-length: 5\r\n\r\n`,
      "TRACE /rpc HTTP/1.1\r\nhost: x\r\n\r\n",
      "GET http://[ HTTP/1.1\r\nhost: x\r\n\r\n",
      "GET /leader HTTP/1.1\r\nhost: x\r\n\r\n".repeat(50),
    ];
    for (const text of texts) {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(new TextEncoder().encode(text));
    }
    const result = await peers.call(at, { method: "echo", params: 1 }, { deadlineMs: 20_000 });
    assert.deepEqual(result, { ok: 1 });
  });
});

Deno.test("open pages are served over the socket, and a refused body does not spoil the next call", async () => {
  await withNode(async ({ at }) => {
    const page = await fetch(`http://${at}/leader`);
    assert.deepEqual(await page.json(), { leader: at, mysql: "127.0.0.1:3306", term: 7 });
    const head = await fetch(`http://${at}/primary`, { method: "HEAD" });
    assert.equal(head.status, 503);
    const refused = await fetch(`http://${at}/rpc`, { method: "POST", body: "x".repeat(100_000) });
    assert.equal(refused.status, 401);
    await refused.body?.cancel();
    const again = await fetch(`http://${at}/health`);
    assert.equal(again.status, 200);
    await again.body?.cancel();
  });
});

interface TestNode {
  readonly at: string;
  readonly peers: Peers;
  readonly server: HttpServer;
  readonly restart: () => Promise<HttpServer>;
}

async function withNode(
  test: (node: TestNode) => Promise<void>,
  host = "127.0.0.1",
): Promise<void> {
  const server = await serve({ host, port: 0 });
  const { port } = server.endpoint;
  const at = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const peers = createPeers({ self: "127.0.0.1:1", secret });
  try {
    await test({ at, peers, server, restart: () => serve({ host, port }) });
  } finally {
    peers.close();
    await server.close(1000);
  }
}

function serve({ host, port }: { readonly host: string; readonly port: number }) {
  const onFault = (error: unknown) => {
    throw error;
  };
  let self = `${host}:${port}`;
  const handler = createHandler({
    self,
    bootId: crypto.randomUUID(),
    secret,
    nowMs: () => performance.now(),
    after(afterMs, then) {
      const timer = setTimeout(then, afterMs);
      return () => clearTimeout(timer);
    },
    clusterId: () => null,
    methods: {
      echo: (params) => Promise.resolve(params),
      large: () => Promise.resolve("z".repeat(500_000)),
    },
    onFault,
    views: {
      status: () => ({}),
      leader: () => ({ leader: self, mysql: "127.0.0.1:3306", term: 7 }),
      primary: () => ({ ok: false, because: "it follows" }),
      replica: () => ({ ok: true }),
      health: () => ({ ok: true }),
    },
  });
  return serveHttp({ host, port, handler, onFault }).then((server) => {
    self = `${host}:${server.endpoint.port}`;
    return server;
  });
}

/** Sends raw text and returns what comes until the server closes, or "reset". */
async function talk(port: number, text: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    await connection.write(new TextEncoder().encode(text));
    return await new Response(connection.readable).text();
  } catch (error) {
    // A way to say no: what was sent before it may be lost.
    const { ConnectionReset, BrokenPipe } = Deno.errors;
    if (error instanceof ConnectionReset || error instanceof BrokenPipe) return "reset";
    throw error;
  }
}

/** Calls a server that answers every connection with `text` and stays silent then. */
async function callRaw(text: string, deadlineMs: number) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const connection of listener) {
      connections.push(connection);
      await connection.read(new Uint8Array(65_536));
      await connection.write(new TextEncoder().encode(text));
    }
  })();
  const peers = createPeers({ self: null, secret });
  try {
    const { port } = listener.addr as Deno.NetAddr;
    const question = { method: "echo", params: 1 };
    return await peers.call(`127.0.0.1:${port}`, question, { deadlineMs });
  } finally {
    peers.close();
    listener.close();
    await accepting;
    for (const connection of connections) connection.close();
  }
}
