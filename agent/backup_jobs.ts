/** The kinds of jobs "backup" and "restore": decoded here, run over the ports of this node. */
import { decodeBackupWish, decodeRestoreWish } from "../backup/backup_plan.ts";
import type { JobKind } from "./jobs.ts";

/** The work of one kind over ports that are made when a job begins. */
export type JobRun = JobKind["run"];

/** `mysql backup`. */
export function backupKind(run: JobRun): JobKind {
  return { accept: (wish) => decodeBackupWish(wish), run };
}

/** `mysql restore`. */
export function restoreKind(run: JobRun): JobKind {
  return { accept: (wish) => decodeRestoreWish(wish), run };
}
