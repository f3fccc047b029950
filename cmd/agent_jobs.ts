/** Builds the jobs of an agent: their journal, their kinds, and what other agents may ask for copies. */
import type { Config as FileConfig } from "../agent/config_shape.ts";
import { type CloneAccount, cloneAccount, createCopyCalls } from "../agent/copy_calls.ts";
import { JobJournal } from "../agent/job_journal.ts";
import { Jobs } from "../agent/jobs.ts";
import type { Node } from "../agent/node.ts";
import type { Clock, Log, Peers } from "../agent/ports.ts";
import { list, read, remove, writeDurably } from "../agent/real/files.ts";
import { createRebuildTools } from "../agent/real/rebuild_tools.ts";
import type { LoadedSecrets } from "../agent/real/secrets.ts";
import { createRebuildHost } from "../agent/rebuild_host.ts";
import { rebuildKind } from "../agent/rebuild_job.ts";
import { watchRejoin } from "../agent/rejoin.ts";
import { createClone } from "../backup/clone.ts";
import { realFolders } from "../backup/real_folders.ts";
import type { CopyMethod } from "../backup/copy_method.ts";
import type { Ticker } from "../backup/ports.ts";
import type { RebuildOptions } from "../backup/rebuild.ts";
import type { Endpoint } from "../mysql/client.ts";
import type { MysqlServer } from "../mysql/server.ts";
import { backupKinds, createXtrabackup } from "./agent_copies.ts";
import type { ServerPlace } from "./real/server.ts";

export interface JobParts {
  readonly config: FileConfig;
  readonly secrets: LoadedSecrets;
  readonly clock: Clock;
  readonly log: Log;
  readonly peers: Peers;
  readonly server: MysqlServer;
  readonly place: ServerPlace;
  /** The agent's account on the server of this host. */
  readonly endpoint: Endpoint;
  /** The node that the jobs belong to; null until it is built. */
  readonly node: () => Node | null;
}

/** The packaged place, which a configuration without the key has too. */
const packagedFolder = "/var/lib/mysql";

/** Opens the journal and knows every kind of job. Nothing runs before `resume`. */
export async function openJobs(parts: JobParts): Promise<Jobs> {
  return await Jobs.open({
    journal: new JobJournal({ read, writeDurably, list, remove }, parts.config.raft.metaFolder),
    clock: parts.clock,
    log: parts.log,
    date: localTime,
    kinds: {
      rebuild: rebuildKind(() => rebuildOptions(parts)),
      ...backupKinds(parts.config, parts.place, () => rebuildOptions(parts)),
    },
  });
}

/** Lets an INVALID node rebuild itself where the configuration wants that; the result ends it. */
export function startRejoin(parts: JobParts, jobs: Jobs): () => void {
  const { config, clock, log } = parts;
  if (config.raft.rejoin !== "rebuild" || config.raft.witness) return () => {};
  return watchRejoin({
    clock,
    log,
    look: () => {
      const status = parts.node()?.status();
      return {
        role: status?.role ?? "",
        leader: status?.leader ?? "",
        jobRuns: jobs.current !== null,
      };
    },
    begin: () => jobs.submit("rebuild", { from: null, automatic: true }),
  });
}

/** The account for copies: from the secret of the cluster, else from the replicas' password. */
export function copyAccount({ rpcSecret, replicationPassword }: LoadedSecrets): CloneAccount {
  return cloneAccount(rpcSecret ?? replicationPassword);
}

function rebuildOptions(parts: JobParts): RebuildOptions {
  const { config, clock, peers, server, place, endpoint } = parts;
  const { backup, mysql } = config;
  const tools = createRebuildTools({
    ...place,
    server,
    basedir: mysql.basedir,
    endpoint,
    savedFolder: config.raft.metaFolder,
  });
  const node = nodeOf(parts);
  return {
    host: createRebuildHost({
      status: () => node.status(),
      inStep: () => node.inStep(),
      hurry: () => node.hurry(),
      peers,
      calls: createCopyCalls(peers),
      tools,
    }),
    folders: realFolders,
    ticker: tickerOf(clock),
    methods: copyMethods(parts),
    limits: {
      parallel: backup.parallel,
      iopsMax: backup.iopsMax,
      useMemory: backup.useMemory,
    },
    localTransactionsMax: backup.localTransactionsMax,
    configuredFolder: backup.dataFolder === packagedFolder ? null : backup.dataFolder,
    keepOld: backup.keepOld,
    date: () => Date.now(),
  };
}

/** The methods of this host, the preferred one first. */
function copyMethods(parts: JobParts): readonly CopyMethod[] {
  const { config, secrets, peers, place } = parts;
  const calls = createCopyCalls(peers);
  return [
    createClone({
      mysqld: place.mysqld,
      folders: realFolders,
      ownFolder: config.raft.metaFolder,
      account: copyAccount(secrets),
      offer: (donor) => calls.offer(donor),
      admit: (member) => calls.admit(member),
    }),
    createXtrabackup(parts),
  ];
}

function nodeOf({ node }: JobParts): Node {
  const built = node();
  if (built === null) throw new Error("Cannot run a job before the node is built");
  return built;
}

function tickerOf(clock: Clock): Ticker {
  return {
    now: () => clock.now(),
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        const end = clock.after(ms, () => {
          signal.removeEventListener("abort", abort);
          resolve();
        });
        const abort = () => {
          end();
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", abort, { once: true });
        if (signal.aborted) abort();
      }),
  };
}

/** "2026-11-23 15:58:33" in the zone of this host, for people. */
function localTime(): string {
  const now = new Date();
  const two = (number: number) => String(number).padStart(2, "0");
  const day = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("-");
  return `${day} ${[now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(":")}`;
}
