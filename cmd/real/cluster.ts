/** The real agents of a cluster, called with the secret that the config of this host names. */
import { describeRemark, parseConfig } from "../../agent/config.ts";
import type { Config } from "../../agent/config_shape.ts";
import { type CallFailure, createPeers, type Peers } from "../../agent/real/peers.ts";
import { readSecretFile } from "../../agent/real/secrets.ts";
import type { Secret } from "../../agent/secret.ts";
import { CommandError } from "../exit.ts";
import type { Answer, Cluster, FoundConfig } from "../ports.ts";
import { wrongConfig } from "../wrong_config.ts";

/** Where this host's agent listens, and the other members the config names. */
export interface Members {
  readonly local: string;
  readonly seeds: readonly string[];
}

/** Reads the config and the one secret a command needs; MySQL's passwords are not its business. */
export async function openCluster(found: FoundConfig): Promise<Cluster> {
  const config = readConfig(found);
  const { secretFile } = config.rpc;
  const secret = secretFile === null ? null : await readClusterSecret(secretFile);
  const peers = createPeers({ self: null, secret });
  return createCluster(peers, { local: config.server.id, seeds: [] });
}

async function readClusterSecret(path: string): Promise<Secret> {
  try {
    return await readSecretFile(path, "rpc.secret-file");
  } catch (error) {
    throw new CommandError((error as Error).message, {
      next: "run it as the owner of that file, and give every node the same file with mode 0600 " +
        "(openssl rand -hex 32 makes the first)",
    });
  }
}

/** Reads the text of a config. The error lists each problem as `path:line:column key: sentence`. */
export function readConfig({ path, text }: FoundConfig): Config {
  const result = parseConfig(text);
  if (result.kind === "config") return result.config;
  const details = result.problems.map((problem) => describeRemark(path, problem));
  throw wrongConfig(path, details.length, details);
}

/** The port of the commands over a client of the agents. */
export function createCluster(peers: Peers, { local, seeds }: Members): Cluster {
  return {
    local,
    seeds,
    async call(endpoint, { method, params, confidential, deadlineMs }): Promise<Answer> {
      const question = { method, params, ...(confidential === true ? { confidential } : {}) };
      const result = await peers.call(endpoint, question, { deadlineMs });
      if ("ok" in result) return { kind: "answered", result: result.ok };
      const { kind, because } = result.failed;
      if (heard(result.failed)) return { kind: "refused", because };
      return { kind: "silent", because, ...(kind === "timeout" ? { late: true } : {}) };
    },
  };
}

/** True when an agent was there and said no; false when nobody may have been. */
function heard({ kind }: CallFailure): boolean {
  return kind === "denied" || kind === "rpc" || kind === "decode";
}
