/**
 * The folder that holds backups: what in it is ours, and which of them have had their time. Pure.
 * Only a folder that holds nothing but backups is ever written to, and only whole backups of ours are
 * ever removed.
 */

const nameShape = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/;
/** Hidden, and the beginning of every folder that a job works in. */
const partPrefix = ".xenon-";
const dayMs = 86_400_000;

/** The name of a backup: when it began, in UTC, so that the order of names is that of time. */
export function backupName(startedAt: Date): string {
  return `${startedAt.toISOString().slice(0, 19).replaceAll(":", "-")}Z`;
}

/** The name of a backup until it is whole and verified. */
export function partName(name: string): string {
  return `${partPrefix}${name}`;
}

/** Names of whole backups, oldest first. */
export function backupsIn(names: readonly string[]): readonly string[] {
  return names.filter((name) => nameShape.test(name)).sort();
}

/** Why backups cannot be put into a folder with these entries; null when they can. */
export function whyNoBackupFolder(folder: string, names: readonly string[]): string | null {
  const isOurs = (name: string) => nameShape.test(name) || name.startsWith(partPrefix);
  const foreign = names.filter((name) => !isOurs(name) && name !== "lost+found");
  if (foreign.length === 0) return null;
  const shown = foreign.slice(0, 3).map((name) => JSON.stringify(name)).join(", ");
  return `Cannot put a backup into "${folder}" as it holds other things (${shown}): name a folder ` +
    `that is empty, holds backups of xenon only, or does not exist yet`;
}

/** Why two folders cannot be used for both; null when neither is within the other. */
export function whyOverlaps(backups: string, data: string): string | null {
  const within = (inner: string, outer: string) => `${inner}/`.startsWith(`${outer}/`);
  if (!within(backups, data) && !within(data, backups)) return null;
  return `Cannot put a backup into "${backups}" as the data folder is "${data}": name another place`;
}

export interface Retention {
  /** So many stay; 0 for all. */
  readonly keepCount: number;
  /** They stay for so many days; 0 for ever. */
  readonly keepDays: number;
}

/**
 * Backups that may go when `made` has come, whatever their names say of the clock: that one always stays.
 * `names` are those of whole backups; a folder without a manifest is none.
 */
export function outdated(
  { names, made }: { readonly names: readonly string[]; readonly made: string },
  { keepCount, keepDays }: Retention,
  nowMs: number,
): readonly string[] {
  const older = backupsIn(names).filter((name) => name !== made);
  const tooMany = keepCount === 0 ? 0 : Math.max(0, older.length - (keepCount - 1));
  const isOld = (name: string) => keepDays > 0 && nowMs - timeOf(name) >= keepDays * dayMs;
  return older.filter((name, index) => index < tooMany || isOld(name));
}

function timeOf(name: string): number {
  const [date = "", time = ""] = name.split("T");
  return Date.parse(`${date}T${time.replaceAll("-", ":")}`);
}
