/**
 * Reads the files that hold passwords and the cluster's secret. A file that others can read is
 * refused, as the mode is the only thing that keeps it secret.
 */
import type { Config, SecretSource } from "../config_shape.ts";
import { Secret } from "../secret.ts";

/** A password or a secret is one line. */
const FILE_BYTES_MAX = 4096;
/** Shorter ones can be guessed from one recorded call. */
const RPC_SECRET_CHARACTERS_MIN = 16;
const GROUP_OR_OTHERS = 0o077;

export interface LoadedSecrets {
  readonly mysqlPassword: Secret;
  readonly replicationPassword: Secret;
  /** Null when the configuration names no file: only callers on this host are served. */
  readonly rpcSecret: Secret | null;
}

/** Loads all of them, or throws one error that names every file that is wrong. */
export async function loadSecrets(config: Config): Promise<LoadedSecrets> {
  const { rpc, mysql, replication } = config;
  const [mysqlPassword, replicationPassword, rpcSecret] = await Promise.allSettled([
    loadSource(mysql.password, "mysql.passwd-file"),
    loadSource(replication.password, "replication.passwd-file"),
    rpc.secretFile === null ? null : loadRpcSecret(rpc.secretFile),
  ]);
  const results = [mysqlPassword, replicationPassword, rpcSecret];
  const errors = results.flatMap((result) => result.status === "rejected" ? [result.reason] : []);
  if (errors.length > 0) {
    throw new AggregateError(errors, errors.map((error) => (error as Error).message).join("\n"));
  }
  return {
    mysqlPassword: valueOf(mysqlPassword),
    replicationPassword: valueOf(replicationPassword),
    rpcSecret: valueOf(rpcSecret),
  };
}

/** First line of a secret file. `key` is the setting that names it. */
export async function readSecretFile(path: string, key: string): Promise<Secret> {
  const subject = `Cannot use ${key} ${JSON.stringify(path)}`;
  using file = await Deno.open(path).catch((cause: Error) => {
    throw new Error(`${subject}: ${whyNotOpened(cause)}`, { cause });
  });
  // The open file is looked at, not the path, which could be another file by now.
  const { mode, size, isFile } = await file.stat();
  if (!isFile) throw new Error(`${subject}: it is no file`);
  if (mode !== null && (mode & GROUP_OR_OTHERS) !== 0) {
    const present = (mode & 0o777).toString(8).padStart(4, "0");
    throw new Error(`${subject}: others can read it (mode ${present}), run chmod 600 ${path}`);
  }
  if (size > FILE_BYTES_MAX) {
    throw new Error(`${subject}: it has ${size} bytes, the most is ${FILE_BYTES_MAX}`);
  }
  const buffer = new Uint8Array(FILE_BYTES_MAX);
  const length = await file.read(buffer) ?? 0;
  const line = new TextDecoder().decode(buffer.subarray(0, length)).split(/\r?\n/)[0] ?? "";
  if (line === "") throw new Error(`${subject}: its first line is empty`);
  return new Secret(line);
}

function whyNotOpened(cause: Error): string {
  if (cause instanceof Deno.errors.NotFound) return "it does not exist";
  if (cause instanceof Deno.errors.PermissionDenied) return "this user may not read it";
  return cause.message;
}

/** A warning when a configuration with passwords in it can be read by others; null when fine. */
export async function judgeConfigMode(path: string, config: Config): Promise<string | null> {
  const sources = [config.mysql.password, config.replication.password];
  if (!sources.some((source) => source.kind === "inline" && !source.secret.empty)) return null;
  const { mode } = await Deno.stat(path);
  if (mode === null || (mode & GROUP_OR_OTHERS) === 0) return null;
  return `${path} holds passwords and others can read it, run chmod 600 ${path} or use passwd-file`;
}

async function loadSource(source: SecretSource, key: string): Promise<Secret> {
  return source.kind === "inline" ? source.secret : await readSecretFile(source.path, key);
}

async function loadRpcSecret(path: string): Promise<Secret> {
  const secret = await readSecretFile(path, "rpc.secret-file");
  const { length } = secret.reveal();
  if (length >= RPC_SECRET_CHARACTERS_MIN) return secret;
  throw new Error(
    `Cannot use rpc.secret-file ${JSON.stringify(path)}: the secret has ${length} characters, ` +
      `the least is ${RPC_SECRET_CHARACTERS_MIN}; make one with openssl rand -hex 32`,
  );
}

function valueOf<T>(result: PromiseSettledResult<T>): T {
  if (result.status === "fulfilled") return result.value;
  throw result.reason;
}
