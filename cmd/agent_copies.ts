/** Builds what an agent has of copies over ssh, both sides of them, and of backups. */
import { backupKind, restoreKind } from "../agent/backup_jobs.ts";
import type { Config as FileConfig } from "../agent/config_shape.ts";
import type { JobKind } from "../agent/jobs.ts";
import type { Clock, Log, Peers } from "../agent/ports.ts";
import type { LoadedSecrets } from "../agent/real/secrets.ts";
import { Sender } from "../agent/sender.ts";
import { createXtrabackupMethod } from "../agent/xtrabackup_method.ts";
import type { CopyMethod } from "../backup/copy_method.ts";
import { Receiving } from "../backup/receiving.ts";
import type { RebuildOptions } from "../backup/rebuild.ts";
import { restore } from "../backup/restore.ts";
import { removeOldSends } from "../backup/old_sends.ts";
import { Sending } from "../backup/sending.ts";
import { startOnce } from "../backup/start_once.ts";
import { takeBackup } from "../backup/take_backup.ts";
import { versionOf } from "../mysql/server.ts";
import type { ServerPlace } from "./real/server.ts";

/** Enough to recover a prepared copy, and no burden for the server beside it. */
const checkMemoryBytes = 128 * 1024 ** 2;

/** The donor's side. What an earlier agent left of a copy is ended and removed. */
export async function createSender(
  { config, secrets, clock, log }: {
    readonly config: FileConfig;
    readonly secrets: LoadedSecrets;
    readonly clock: Clock;
    readonly log: Log;
  },
): Promise<Sender> {
  const { backup, mysql, raft } = config;
  for (const problem of await removeOldSends(raft.metaFolder)) log.write("warning", problem, {});
  const tools = new Sending({
    toolFolder: backup.xtrabackupFolder,
    identity: {
      key: backup.sshKey,
      knownHosts: backup.sshKnownHosts,
      compress: backup.sshCompress,
    },
    server: { user: mysql.admin, host: mysql.host, port: mysql.port, socket: mysql.socket },
    password: () => secrets.mysqlPassword.reveal(),
    defaultsFile: mysql.defaultsFile,
    parentFolder: raft.metaFolder,
  });
  return new Sender({ clock, log, tools });
}

/** The joiner's side. */
export function createXtrabackup(
  { config, peers, clock }: {
    readonly config: FileConfig;
    readonly peers: Peers;
    readonly clock: Clock;
  },
): CopyMethod {
  const { sshUser, sshHost, sshPort, xtrabackupFolder } = config.backup;
  return createXtrabackupMethod({
    peers,
    clock,
    tools: new Receiving(xtrabackupFolder),
    destination: { user: sshUser, host: sshHost, port: sshPort, toolFolder: xtrabackupFolder },
    newId: () => crypto.randomUUID(),
  });
}

/** The kinds of jobs around backups, over the same ports as a rebuild. */
export function backupKinds(
  { backup }: FileConfig,
  { mysqld, defaultsFile }: ServerPlace,
  ports: () => RebuildOptions,
): Readonly<Record<string, JobKind>> {
  const { keepCount, keepDays } = backup;
  const serverVersion = async () => {
    const { major, minor, patch } = await versionOf(mysqld);
    return `${major}.${minor}.${patch}`;
  };
  return {
    backup: backupKind((task) =>
      takeBackup({
        ...ports(),
        retention: { keepCount, keepDays },
        serverVersion,
        now: () => new Date(),
        startOnce: (copy) =>
          startOnce({ ...copy, mysqld, defaultsFile, memoryBytes: checkMemoryBytes }),
      }, task)
    ),
    restore: restoreKind((task) =>
      restore({
        ...ports(),
        serverVersion,
      }, task)
    ),
  };
}
