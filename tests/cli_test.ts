/** The program as a black box: a child process that talks to agents over real sockets. */
import assert from "node:assert/strict";
import { type HttpServer, serveHttp } from "../agent/real/http.ts";
import { Secret } from "../agent/secret.ts";
import { createHandler } from "../agent/server.ts";
import { RpcError } from "../agent/wire_rpc.ts";
import type { NodeStatus } from "../agent/wire_status.ts";
import { statusOf } from "../cmd/fake_cluster.ts";

const main = new URL("../main.ts", import.meta.url).pathname;
const secretText = "one secret for all three nodes";
/** Enough for a start from source on a busy machine, and an end for a test that hangs. */
const commandMsMax = 60_000;

Deno.test("xenon cluster status prints the table of three agents and ends with 0", async () => {
  await withAgents(async ({ members, config }) => {
    const { code, stdout, stderr } = await xenon(["cluster", "status", "--config", config]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /\(3 rows\)\nn=3 q=2 k=1/);
    for (const member of members) assert.ok(stdout.includes(`\n${member}: `), stdout);
  });
});

Deno.test("xenon cluster status does not hang on a host that accepts and never answers", async () => {
  await withAgents(async ({ members, config, freeze }) => {
    const [, second = ""] = members;
    await freeze(second);
    const startedAt = performance.now();
    const words = ["cluster", "status", "--config", config, "--timeout", "0.5"];
    const { code, stdout } = await xenon(words);
    assert.equal(code, 3);
    assert.match(stdout, /\| UNKNOW /);
    assert.match(stdout, new RegExp(`\n${second}: no facts: .*did not answer within 500 ms\n`));
    assert.ok(performance.now() - startedAt < 20_000, "far less than any network gives up after");
  });
});

Deno.test("xenon shows in one line that its secret is not the agents'", async () => {
  await withAgents(async ({ config, folder }) => {
    await writeSecret(`${folder}/secret`, "quite another secret");
    const { code, stdout, stderr } = await xenon(["raft", "nodes", "--config", config]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^xenon: Cannot go on as the agent at .* refused: .*\n$/);
    assert.ok(!stderr.includes("another secret"), "a secret is never printed");
  });
});

Deno.test("xenon raft trytoleader shows the agent's own reason for a refusal", async () => {
  await withAgents(async ({ config }) => {
    const { code, stderr } = await xenon(["raft", "trytoleader", "--config", config]);
    assert.equal(code, 1);
    assert.match(stderr, /Cannot make "127\.0\.0\.1:\d+" the leader: .*not today/);
  });
});

Deno.test("xenon finds its config by config.path in the working folder", async () => {
  await withAgents(async ({ members, config, folder }) => {
    await Deno.writeTextFile(`${folder}/config.path`, `${config}\n`);
    const { code, stdout } = await xenon(["raft", "status"], folder);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout).nodes, members);
  });
});

interface Agents {
  readonly members: readonly string[];
  readonly folder: string;
  /** Path of the first agent's config. */
  readonly config: string;
  /** Ends an agent; from then on its port accepts connections and says nothing. */
  freeze(member: string): Promise<void>;
}

/** Three agents that answer from fixed facts. */
async function withAgents(test: (agents: Agents) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "xenon-cli-" });
  const members: string[] = [];
  const servers: HttpServer[] = [];
  const frozen: Deno.Listener[] = [];
  try {
    for (let count = 0; count < 3; count++) servers.push(await serveAgent(members));
    const config = `${folder}/xenon.toml`;
    await writeSecret(`${folder}/secret`, secretText);
    const text = `[server]\nendpoint = "${
      members[0]
    }"\n\n[rpc]\nsecret-file = "${folder}/secret"\n`;
    await Deno.writeTextFile(config, text);
    await test({
      members,
      folder,
      config,
      async freeze(member) {
        const { port } = new URL(`http://${member}`);
        await servers[members.indexOf(member)]?.close(0);
        frozen.push(Deno.listen({ hostname: "127.0.0.1", port: Number(port) }));
      },
    });
  } finally {
    for (const listener of frozen) listener.close();
    for (const server of servers) await server.close(0);
    await Deno.remove(folder, { recursive: true });
  }
}

/** Starts one agent and adds its endpoint to the members. */
async function serveAgent(members: string[]): Promise<HttpServer> {
  function onFault(error: unknown): never {
    throw error;
  }
  let self = "127.0.0.1:1";
  const handler = createHandler({
    get self() {
      return self;
    },
    bootId: crypto.randomUUID(),
    secret: new Secret(secretText),
    nowMs: () => performance.now(),
    after(afterMs, then) {
      const timer = setTimeout(then, afterMs);
      return () => clearTimeout(timer);
    },
    clusterId: () => null,
    methods: {
      "node.status": () => Promise.resolve(factsOf(self, members)),
      "raft.tryToLeader": () => Promise.reject(new RpcError("refused", "not today")),
    },
    onFault,
    views: {
      status: () => ({}),
      leader: () => null,
      primary: () => ({ ok: false, because: "it follows" }),
      replica: () => ({ ok: true }),
      health: () => ({ ok: true }),
    },
  });
  const server = await serveHttp({ host: "127.0.0.1", port: 0, handler, onFault });
  self = `127.0.0.1:${server.endpoint.port}`;
  members.push(self);
  return server;
}

function factsOf(id: string, members: readonly string[]): NodeStatus {
  const leads = id === members.at(-1);
  const role = leads ? "LEADER" : "FOLLOWER";
  return statusOf(id, { role, members, voters: members, leader: members.at(-1) ?? "" });
}

async function writeSecret(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(path, `${text}\n`);
  await Deno.chmod(path, 0o600);
}

async function xenon(words: readonly string[], folder = "/") {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", main, ...words],
    cwd: folder,
    env: { NO_COLOR: "1", XENON_CONFIG: "" },
    signal: AbortSignal.timeout(commandMsMax),
  }).output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}
