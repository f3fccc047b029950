/** A founding that one of the nodes does not go along with. */
import assert from "node:assert/strict";
import { type HttpServer, serveHttp } from "../../agent/real/http.ts";
import { readSecretFile } from "../../agent/real/secrets.ts";
import { createHandler } from "../../agent/server.ts";
import { RpcError } from "../../agent/wire_rpc.ts";
import { describeResult, succeeded } from "../../mysql/process.ts";
import { Ward, type WardNode } from "./bad_input_lab.ts";

Deno.test("a founding that one node does not promise itself to binds nobody", async () => {
  await using ward = new Ward();
  const [founder, fresh] = await Promise.all([ward.start(), ward.start({ witness: true })]);
  await founder.until((status) => status !== null && !status.sentence.includes("; MySQL is "));
  const before = [founder.state(), fresh.state()].map(foundingOf);
  const unwilling = await startUnwilling(ward.folder);
  const id = `127.0.0.1:${unwilling.endpoint.port}`;
  try {
    const result = await founder.xenon("cluster", "add", `${fresh.id},${id}`);
    assert.deepEqual(result.ended, { how: "exit", code: 1 }, describeResult(result));
    assert.match(result.stderrTail, new RegExp(`Nothing was changed: ${id}: not today`));
  } finally {
    await unwilling.close(0);
  }
  assert.deepEqual([founder.state(), fresh.state()].map(foundingOf), before);
  await foundWithout(founder, fresh);
});

Deno.test("three nodes that are told the same at the same time become one cluster", async () => {
  await using ward = new Ward();
  const nodes = await Promise.all([ward.start(), ward.start(), ward.start({ witness: true })]);
  for (const node of nodes) {
    await node.until((status) => status !== null && !status.sentence.includes("; MySQL is "));
  }
  const list = nodes.map(({ id }) => id).join(",");
  const results = await Promise.all(nodes.map((node) => node.xenon("cluster", "add", list)));
  for (const result of results) assert.ok(succeeded(result), describeResult(result));
  const clusters = nodes.map((node) => JSON.parse(node.state()).payload.durable.membership.cluster);
  assert.equal(new Set(clusters).size, 1, clusters.join());
});

async function foundWithout(founder: WardNode, fresh: WardNode): Promise<void> {
  const result = await founder.xenon("cluster", "add", fresh.id);
  assert.match(result.stdoutTail, /^Founded cluster /, describeResult(result));
  await founder.until((status) => status?.role === "LEADER");
  await fresh.until((status) => status?.leader === founder.id);
}

function foundingOf(state: string): unknown {
  const { payload: { durable } } = JSON.parse(state);
  return [durable.founding, durable.membership];
}

/** An agent that introduces itself as a witness and then refuses every step of the protocol. */
async function startUnwilling(folder: string): Promise<HttpServer> {
  let self = "127.0.0.1:1";
  const onFault = (error: unknown): never => {
    throw error;
  };
  const no = { ok: false, because: "it is a stand-in" } as const;
  const handler = createHandler({
    get self() {
      return self;
    },
    bootId: crypto.randomUUID(),
    secret: await readSecretFile(`${folder}/secret`, "rpc.secret-file"),
    nowMs: () => performance.now(),
    after(afterMs, then) {
      const timer = setTimeout(then, afterMs);
      return () => clearTimeout(timer);
    },
    clusterId: () => null,
    methods: {
      "node.introduce": () => Promise.resolve(introductionOf(self)),
      "raft.message": () => Promise.reject(new RpcError("refused", "not today")),
    },
    onFault,
    views: {
      status: () => ({}),
      leader: () => null,
      primary: () => no,
      replica: () => no,
      health: () => no,
    },
  });
  const server = await serveHttp({ host: "127.0.0.1", port: 0, handler, onFault });
  self = `127.0.0.1:${server.endpoint.port}`;
  return server;
}

function introductionOf(id: string) {
  return {
    id,
    member: crypto.randomUUID(),
    cluster: null,
    members: [],
    founding: false,
    // Two witnesses are refused before anything begins, so it says that it has a server.
    witness: false,
    held: "",
    purged: "",
    problems: [],
  };
}
