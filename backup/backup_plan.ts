/** What an operator asks a backup or a restore for, and what a backup needs and remembers. Pure. */
import * as v from "valibot";
import type { Retention } from "./backup_folders.ts";
import { type CopyLimits, type CopyMethod, copyMethodNames } from "./copy_method.ts";
import type { Folders, Host, Task } from "./ports.ts";
import type { StartOnce } from "./start_once.ts";

const pathLengthMax = 4_096;
const nameLengthMax = 300;
const path = v.pipe(v.string(), v.maxLength(pathLengthMax), v.check(isPlainPath));

const wishSchema = v.object({
  /** The folder that holds backups. */
  to: path,
  /** Agent of the donor; null leaves the choice to us. */
  from: v.nullable(v.pipe(v.string(), v.maxLength(nameLengthMax))),
  method: v.picklist(["auto", ...copyMethodNames]),
});

/** The unfinished folder: nothing else is removed after a restart. */
const memoSchema = v.object({ part: path });

export type BackupWish = Readonly<v.InferOutput<typeof wishSchema>>;

/** What a backup has to do with. */
export interface BackupOptions {
  readonly host: Pick<Host, "self" | "survey" | "variables" | "dataBytes">;
  readonly folders: Folders;
  /** In the order in which "auto" tries them. */
  readonly methods: readonly CopyMethod[];
  /** Proves that a server starts on the copy; gives its GTID set. See start_once.ts. */
  readonly startOnce: (
    copy: Pick<StartOnce, "dataFolder" | "workFolder" | "uid" | "signal">,
  ) => Promise<string>;
  /** The version of the server program of this host, which starts on the copy. */
  readonly serverVersion: () => Promise<string>;
  readonly limits: CopyLimits;
  readonly retention: Retention;
  readonly now: () => Date;
}

export type BackupTask = Task & { readonly wish: unknown };

/** Reads what a backup was asked for; throws a sentence where it cannot be. */
export function decodeBackupWish(value: unknown): BackupWish {
  return decode(wishSchema, value, "Cannot take a backup");
}

/** Null for a backup that had made nothing. */
export function decodePart(memo: unknown): string | null {
  return memo === null ? null : decode(memoSchema, memo, "Cannot end the backup").part;
}

/** The folder that an operator names for a restore. */
export function decodeRestoreWish(value: unknown): { readonly from: string } {
  return decode(v.object({ from: path }), value, "Cannot restore");
}

/** Absolute, not the root, and without parts that lead elsewhere. */
function isPlainPath(text: string): boolean {
  const parts = text.split("/").slice(1);
  return text.startsWith("/") && !/\p{Cc}/u.test(text) &&
    parts.every((part) => part !== "" && part !== "." && part !== "..");
}

function decode<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  subject: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const place = v.getDotPath(issue) ?? "the request";
  const hint = "a folder is an absolute path without dots and double slashes";
  throw new Error(`${subject} as "${place}" is ${issue.received}: ${hint}`);
}
