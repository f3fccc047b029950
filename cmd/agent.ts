/** `xenon agent`: reads the configuration, builds the real ports, and runs the node until it is told to stop. */
import { describeRemark, parseConfig } from "../agent/config.ts";
import type { Config as FileConfig } from "../agent/config_shape.ts";
import { linesOf, logMethods, LogRing } from "../agent/log_ring.ts";
import { Node, type NodeOptions } from "../agent/node.ts";
import type { Log } from "../agent/ports.ts";
import { gtidPositions } from "../agent/positions.ts";
import { VirtualAddress } from "../agent/real/address.ts";
import { createClock, type RealClock } from "../agent/real/clock.ts";
import { read, writeDurably } from "../agent/real/files.ts";
import { createHooks } from "../agent/real/hooks.ts";
import { type HttpServer, serveHttp } from "../agent/real/http.ts";
import { lockFolder } from "../agent/real/lock.ts";
import {
  createLogger,
  type Logger,
  openLogFile,
  openStderr,
  readLogEnd,
} from "../agent/real/log.ts";
import { createPeers } from "../agent/real/peers.ts";
import { judgeConfigMode, type LoadedSecrets, loadSecrets } from "../agent/real/secrets.ts";
import { copyCallMethods, createCopyCalls } from "../agent/copy_calls.ts";
import { jobMethods } from "../agent/job_calls.ts";
import type { Jobs } from "../agent/jobs.ts";
import { createHandler } from "../agent/server.ts";
import type { RpcMethods } from "../agent/wire_rpc.ts";
import { shownSettings } from "../agent/settings.ts";
import { Store } from "../agent/store.ts";
import { settingsForget } from "../agent/view.ts";
import { noVirtualIp, type VirtualIp } from "../agent/vip.ts";
import { createDatabase } from "../mysql/database.ts";
import { holdsNoData, isFull } from "../mysql/data_folder.ts";
import { messageOf } from "../mysql/message_of.ts";
import { takesConnections } from "../mysql/reach.ts";
import { look, type MysqlServer } from "../mysql/server.ts";
import { InvariantError } from "../raft/invariant.ts";
import type { Config, NodeId } from "../raft/types.ts";
import type { FoundConfig, World } from "./ports.ts";
import { CommandError } from "./exit.ts";
import { readConfig } from "./real/cluster.ts";
import { openServer, readServerPlace } from "./real/server.ts";
import { createSender } from "./agent_copies.ts";
import { copyAccount, type JobParts, openJobs, startRejoin } from "./agent_jobs.ts";

/** A hand-over that is not ready by then is given up. */
const handoverMs = 5_000;
const flushMs = 500;
const closeMs = 200;
/** A node that is told to stop waits this long at most for its successor. */
const leaveMsMax = 15_000;

/** Runs the agent of this host; the number is the exit code. Prints for itself. */
export async function runAgent(found: FoundConfig, world: World): Promise<number> {
  try {
    return await runFound(found, world);
  } catch (error) {
    throw error instanceof InvariantError ? error : withNextStep(error);
  }
}

/** What keeps an agent from running is named by the error itself, with the fix. */
function withNextStep(error: unknown): unknown {
  if (error instanceof CommandError || !(error instanceof Error)) return error;
  const next = "correct that, then start the agent again";
  const several = error instanceof AggregateError ? error.errors.map(String) : [];
  if (several.length < 2) return new CommandError(error.message, { next, cause: error.cause });
  const message = `Cannot start the agent as ${several.length} of its files cannot be used`;
  const details = several.map((one) => one.replace(/^Error: /, ""));
  return new CommandError(message, { next, details });
}

async function runFound(found: FoundConfig, world: World): Promise<number> {
  const config = readConfig(found);
  const secrets = await loadSecrets(config);
  const clock = createClock();
  using lock = await lockFolder(config.raft.metaFolder);
  void lock;
  let node: Node | null = null;
  const ring = await openRing(config);
  using logger = openLog(config, { node: () => node, ring });
  await warn(found, config, logger);
  try {
    await using resources = new AsyncDisposableStack();
    const parts = { config, secrets, clock, logger, world, node: () => node };
    const built = await build(parts, resources);
    node = new Node(built.options);
    const { jobs } = built;
    // Before the connections that it uses are closed.
    resources.defer(() => jobs.stop());
    const methods = { ...node.methods(), ...jobMethods(jobs), ...built.methods };
    const server = await listen({ node, methods, config, secrets, clock, logger, ring });
    resources.defer(() => server.close(closeMs));
    logger.write("info", `xenon ${world.version} serves ${config.server.id}`, { pid: Deno.pid });
    jobs.resume();
    resources.defer(startRejoin(built.jobParts, jobs));
    return await runUntilSignal(node, logger);
  } catch (error) {
    logger.write("error", messageOf(error), {});
    throw error;
  } finally {
    await logger.flush(flushMs);
  }
}

/** What the log file still holds of the last run belongs to the story too. */
async function openRing(config: FileConfig): Promise<LogRing> {
  const ring = new LogRing();
  const { file } = config.log;
  if (file !== null) linesOf(await readLogEnd(file)).forEach((line) => ring.keep(line));
  return ring;
}

function openLog(
  config: FileConfig,
  { node, ring }: { readonly node: () => Node | null; readonly ring: LogRing },
): Logger {
  const { file, level, format } = config.log;
  return createLogger({
    level,
    format,
    keep: (line) => ring.keep(line),
    identity: () => {
      const status = node()?.status();
      return {
        role: status?.role ?? "STOPPED",
        id: config.server.id,
        view: status?.term ?? 0,
        epoch: status?.epoch ?? 0,
      };
    },
    open: () => file === null ? openStderr() : openLogFile(file),
  });
}

async function warn({ path, text }: FoundConfig, config: FileConfig, log: Log): Promise<void> {
  const result = parseConfig(text);
  const remarks = result.kind === "config" ? result.warnings : [];
  for (const remark of remarks) log.write("warning", describeRemark(path, remark), {});
  const mode = await judgeConfigMode(path, config);
  if (mode !== null) log.write("warning", mode, {});
}

interface Parts {
  readonly config: FileConfig;
  readonly secrets: LoadedSecrets;
  readonly clock: RealClock;
  readonly logger: Logger;
  readonly world: World;
  /** The node that is being built of these parts; null until it is. */
  readonly node: () => Node | null;
}

interface Built {
  readonly options: NodeOptions;
  readonly jobs: Jobs;
  readonly jobParts: JobParts;
  /** What other agents may ask beside the node's own methods. */
  readonly methods: RpcMethods;
}

/** The real ports. What must be closed again is put on `resources`. */
async function build(parts: Parts, resources: AsyncDisposableStack): Promise<Built> {
  const { config, secrets, clock, logger, world } = parts;
  const store = await Store.open({ read, writeDurably }, `${config.raft.metaFolder}/state.json`, {
    member: crypto.randomUUID(),
  });
  const peers = createPeers({
    self: config.server.id,
    secret: secrets.rpcSecret,
    clusterId: () => store.current.durable.membership?.cluster ?? null,
    nowMs: clock.now,
  });
  resources.defer(() => peers.close());
  const settings = databaseSettings(parts);
  const database = resources.use(createDatabase(settings));
  const place = await readServerPlace(config);
  const server = openServer(config, place);
  const { endpoint: account } = settings;
  const jobParts = { ...parts, log: logger, peers, server, place, endpoint: account };
  const jobs = await openJobs(jobParts);
  const sender = resources.use(await createSender({ ...parts, log: logger }));
  const vip = createAddress(parts);
  await vip.removeAtBoot();
  resources.defer(() => vip.drop());
  const { endpoint } = config.server;
  const methods = copyCallMethods({
    server: database.cloning,
    account: copyAccount(secrets),
    self: config.server.id,
    leader: () => parts.node()?.status().leader ?? "",
    calls: createCopyCalls(peers),
  });
  const options: NodeOptions = {
    config: protocolConfig(config),
    clock,
    store,
    peers,
    database,
    administration: database.administration,
    purge: {
      enabled: config.raft.purgeBinlog,
      intervalMs: config.raft.purgeBinlogIntervalMs,
    },
    hungMs: config.mysql.hungMs,
    takesConnections,
    followerForgets: settingsForget(config.mysql.followerSysvars.statements),
    server: serverPort(server, place.dataFolder),
    hooks: createHooks({
      start: config.raft.leaderStartCommand,
      stop: config.raft.leaderStopCommand,
      limitMs: config.raft.leaderCommandMs,
    }),
    vip,
    log: logger,
    jobs: () => ({ ...jobs.view, ...sender.busy ? { word: "BACKUPING" } : {} }),
    seed: crypto.getRandomValues(new Uint32Array(1))[0] ?? 1,
    newUuid: () => crypto.randomUUID(),
    fenceMs: config.raft.fenceMs,
    requestMs: config.rpc.requestMs,
    mysqlEndpoint: `${endpoint.host}:${config.mysql.port}`,
    monitored: config.mysql.monitored,
    superIdle: config.raft.superIdle,
    agentVersion: world.version,
    settings: shownSettings(config),
    trace: config.log.level === "DEBUG",
  };
  return { options, jobs, jobParts, methods: { ...methods, ...sender.methods() } };
}

function serverPort(server: MysqlServer, dataFolder: string | null): NodeOptions["server"] {
  return {
    identify: () => server.identify(),
    glance: (identity) => look(identity),
    start: () => server.start(),
    kill: (identity) => server.kill(identity),
    terminate: (identity) => server.terminate(identity),
    whyItDied: () => server.whyItDied(),
    emptyDataFolder: async () => {
      return dataFolder !== null && await holdsNoData(dataFolder) ? dataFolder : null;
    },
    fullDataFolder: async () => {
      return dataFolder !== null && await isFull(dataFolder) ? dataFolder : null;
    },
  };
}

function createAddress({ config, clock, logger, node }: Parts): VirtualIp {
  if (config.vip === null || config.raft.witness) return noVirtualIp;
  return new VirtualAddress({
    vip: config.vip,
    clock,
    log: logger,
    leadershipMs: config.raft.leaseMs,
    confirmedAt: () => node()?.confirmedAt() ?? -Infinity,
  });
}

function protocolConfig(config: FileConfig): Config {
  const id = config.server.id as NodeId;
  const { heartbeatMs, electionMs, leaseMs, witness } = config.raft;
  return {
    id,
    source: { id, host: config.server.endpoint.host, port: config.mysql.port },
    heartbeatMs,
    electionMs,
    leaseMs,
    handoverMs,
    witness,
    positions: gtidPositions,
  };
}

function databaseSettings(
  { config, secrets, clock, node }: Parts,
): Parameters<typeof createDatabase>[0] {
  const { mysql, replication, rpc } = config;
  return {
    endpoint: {
      user: mysql.admin,
      password: secrets.mysqlPassword.reveal(),
      ...(mysql.socket === null
        ? { host: mysql.host, port: mysql.port }
        : { socketPath: mysql.socket }),
    },
    replication: { user: replication.user, password: secrets.replicationPassword.reveal() },
    leaderSysvars: mysql.leaderSysvars,
    followerSysvars: mysql.followerSysvars,
    connectMs: rpc.requestMs,
    statementMs: mysql.statementMs,
    fenceMs: config.raft.fenceMs,
    now: clock.now,
    // A server that closes a connection may be going down.
    lost: () => node()?.hurry(),
  };
}

interface Listening extends Omit<Parts, "world" | "node"> {
  readonly node: Node;
  readonly ring: LogRing;
  readonly methods: RpcMethods;
}

async function listen(
  parts: Listening,
): Promise<HttpServer> {
  const { node, methods, config, secrets, clock, logger, ring } = parts;
  const onFault = (error: unknown) => {
    // A broken promise inside the program: a dead agent is only a failover.
    if (error instanceof InvariantError) fatal(logger, error);
    logger.write("error", messageOf(error), {});
  };
  const handler = createHandler({
    self: config.server.id,
    bootId: crypto.randomUUID(),
    secret: secrets.rpcSecret,
    nowMs: clock.now,
    after: clock.after,
    clusterId: () => node.status().cluster,
    methods: { ...methods, ...logMethods(ring, () => new Date().toISOString()) },
    views: {
      status: () => node.status(),
      leader: () => node.leader(),
      primary: () =>
        node.open() ? { ok: true } : { ok: false, because: "this node is not the open leader" },
      replica: () => replicaVerdict(node),
      health: () => ({ ok: true }),
    },
    onFault,
  });
  const { bindHost } = config.rpc;
  return await serveHttp({ host: bindHost, port: config.server.endpoint.port, handler, onFault });
}

function replicaVerdict(node: Node) {
  const { role, mysql } = node.status();
  const healthy = role === "FOLLOWER" && mysql.receiverRunning && mysql.applierRunning;
  return healthy
    ? { ok: true } as const
    : { ok: false, because: `this node is ${role} and no healthy replica` } as const;
}

function fatal(logger: Logger, error: Error): void {
  logger.write("error", error.message, {});
  logger.flush(flushMs).finally(() => Deno.kill(Deno.pid, "SIGKILL"));
}

/** Ends on SIGTERM or SIGINT, after a hand-over, or when the protocol broke. */
async function runUntilSignal(node: Node, logger: Logger): Promise<number> {
  const asked = Promise.withResolvers<Deno.Signal>();
  const signals = ["SIGTERM", "SIGINT"] as const;
  const listeners = signals.map((signal) => [signal, () => asked.resolve(signal)] as const);
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  const reopen = () => logger.reopen();
  Deno.addSignalListener("SIGHUP", reopen);
  try {
    const running = node.run();
    const signal = await Promise.race([asked.promise, running.then(() => null)]);
    if (signal !== null) await leave(node, { signal, logger });
    node.stop();
    await running;
    return 0;
  } finally {
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    Deno.removeSignalListener("SIGHUP", reopen);
  }
}

async function leave(
  node: Node,
  told: { readonly signal: Deno.Signal; readonly logger: Logger },
): Promise<void> {
  told.logger.write("info", `Stopping, as ${told.signal} asked for it`, {});
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve("it took too long"), leaveMsMax);
  const refused = await Promise.race([node.leave().catch(String), promise]);
  clearTimeout(timer);
  if (refused !== null) told.logger.write("warning", `Stopping: ${refused}`, {});
}
