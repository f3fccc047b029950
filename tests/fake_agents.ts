/** Three agents that answer from fixed facts over real sockets, for tests of the program as a whole. */
import { type HttpServer, serveHttp } from "../agent/real/http.ts";
import { Secret } from "../agent/secret.ts";
import { createHandler } from "../agent/server.ts";
import { RpcError } from "../agent/wire_rpc.ts";
import type { NodeStatus } from "../agent/wire_status.ts";
import { statusOf } from "../cmd/fake_cluster.ts";

/** The file that starts the program. */
export const main = new URL("../main.ts", import.meta.url).pathname;
export const secretText = "one secret for all three nodes";
/** Enough for a start from source on a busy machine, and an end for a test that hangs. */
const commandMsMax = 60_000;

export interface Agents {
  readonly members: readonly string[];
  readonly folder: string;
  /** Path of the first agent's config. */
  readonly config: string;
  /** Ends an agent; from then on its port accepts connections and says nothing. */
  freeze(member: string): Promise<void>;
}

/** Three agents that answer from fixed facts. */
export async function withAgents(
  test: (agents: Agents) => Promise<void>,
  { secrets = [secretText, secretText, secretText] }: { readonly secrets?: readonly string[] } = {},
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "xenon-cli-" });
  const members: string[] = [];
  const servers: HttpServer[] = [];
  const frozen: Deno.Listener[] = [];
  try {
    for (const secret of secrets) servers.push(await serveAgent(members, secret));
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
async function serveAgent(members: string[], secret: string): Promise<HttpServer> {
  function onFault(error: unknown): never {
    throw error;
  }
  let self = "127.0.0.1:1";
  const handler = createHandler({
    get self() {
      return self;
    },
    bootId: crypto.randomUUID(),
    secret: new Secret(secret),
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

/** A secret file as an agent takes it. */
export async function writeSecret(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(path, `${text}\n`);
  await Deno.chmod(path, 0o600);
}

/** Runs the program; the texts are all that it printed. */
export async function xenon(words: readonly string[], folder = "/") {
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
