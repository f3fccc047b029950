import assert from "node:assert/strict";
import { createHandler, type ServerOptions, type Views } from "./server.ts";

const no = { ok: false, because: "replication stopped" } as const;
const yes = { ok: true } as const;

Deno.test("open pages show the views, and their status is what a load balancer reads", async () => {
  const leader = { leader: "10.0.0.1:8801", mysql: "10.0.0.1:3306", term: 7 };
  const cases: readonly (readonly [Partial<Views>, string, number, unknown])[] = [
    [{ status: () => ({ role: "LEADER" }) }, "/status", 200, { role: "LEADER" }],
    [{ leader: () => leader }, "/leader", 200, leader],
    [{ leader: () => null }, "/leader", 503, { because: "no leader is known" }],
    [{ primary: () => yes }, "/primary", 200, yes],
    [{ primary: () => no }, "/primary", 503, no],
    [{ replica: () => yes }, "/replica", 200, yes],
    [{ replica: () => no }, "/replica", 503, no],
    [{ health: () => no }, "/health", 503, no],
  ];
  for (const [views, path, status, body] of cases) {
    const response = await get(views, path);
    assert.equal(response.status, status, path);
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.deepEqual(await response.json(), body);
  }
});

Deno.test("HEAD gives the status without a body, OPTIONS the methods, all others are refused", async () => {
  const head = await get({ primary: () => no }, "/primary", "HEAD");
  assert.deepEqual([head.status, await head.text()], [503, ""]);
  for (const [path, allow] of [["/leader", "GET, HEAD, OPTIONS"], ["/rpc", "POST, OPTIONS"]]) {
    const asked = await get({}, path ?? "", "OPTIONS");
    assert.deepEqual([asked.status, asked.headers.get("allow")], [204, allow]);
    const refused = await get({}, path ?? "", "DELETE");
    assert.deepEqual([refused.status, refused.headers.get("allow")], [405, allow]);
  }
  assert.equal((await get({}, "/rpc", "GET")).status, 405);
  assert.equal((await get({}, "/leader", "POST")).status, 405);
});

Deno.test("unknown paths are not found", async () => {
  assert.equal((await get({}, "/other")).status, 404);
  assert.equal((await get({}, "/status/..%2f")).status, 404);
  assert.equal((await get({}, "/health?x=1")).status, 200);
});

Deno.test("a view that fails is reported and answered with 500 without its details", async () => {
  const faults: unknown[] = [];
  const fault = new Error("secret detail");
  const handler = createHandler({
    ...optionsWith({
      status() {
        throw fault;
      },
    }),
    onFault: (error) => faults.push(error),
  });
  const response = await handler(new Request("http://node/status"), { remote: "::1" });
  assert.equal(response.status, 500);
  assert.ok(!(await response.text()).includes("secret"));
  assert.deepEqual(faults, [fault]);
});

function get(views: Partial<Views>, path: string, method = "GET"): Promise<Response> {
  const handler = createHandler(optionsWith(views));
  return handler(new Request(`http://node${path}`, { method }), { remote: "192.0.2.7" });
}

function optionsWith(views: Partial<Views>): ServerOptions {
  return {
    self: "10.0.0.1:8801",
    bootId: "boot-1",
    secret: null,
    nowMs: () => 0,
    after: () => () => {},
    clusterId: () => null,
    methods: {},
    onFault: (error) => {
      throw error;
    },
    views: {
      status: () => ({}),
      leader: () => null,
      primary: () => yes,
      replica: () => yes,
      health: () => yes,
      ...views,
    },
  };
}
