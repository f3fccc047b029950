/**
 * What went wrong with a connection or a statement, told apart by what a caller can do about it,
 * and told without secrets: statements that set a password are cut and their quoted parts hidden.
 */
import { messageOf } from "./message_of.ts";

export type DatabaseErrorKind =
  /** Nobody listens there, or the address cannot be reached. The statement was not sent. */
  | "refused"
  /** The server is there and does not let this account in. */
  | "denied"
  /** No answer in time. The connection is closed; whether the statement took effect is unknown. */
  | "timeout"
  /** The connection broke. Whether the statement took effect is unknown. */
  | "lost"
  /** The server answered with an error. The connection is still good. */
  | "sql";

export interface DatabaseErrorDetails {
  readonly kind: DatabaseErrorKind;
  /** Name of the error, such as ECONNREFUSED or ER_DUP_ENTRY. */
  readonly code: string;
  /** MySQL's error number, or 0 when the error is not the server's. */
  readonly errno: number;
}

/** An error of a connection or a statement; its text never holds a password. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  readonly kind: DatabaseErrorKind;
  readonly code: string;
  readonly errno: number;

  constructor(message: string, details: DatabaseErrorDetails) {
    super(message);
    this.kind = details.kind;
    this.code = details.code;
    this.errno = details.errno;
  }
}

/**
 * Turns what the driver reports into the details of a DatabaseError. The driver's own error is not
 * kept as a cause, because it carries the whole statement, and with it any password.
 */
export function detailsOf(failure: unknown): DatabaseErrorDetails {
  const fields = (typeof failure === "object" && failure !== null ? failure : {}) as {
    readonly code?: unknown;
    readonly errno?: unknown;
    readonly sqlState?: unknown;
  };
  const code = typeof fields.code === "string" ? fields.code : "UNKNOWN";
  // Operating system errors have a number in the same field, but no SQL state. The driver's name
  // for a server error that it does not know does not begin with ER_.
  const fromServer = code.startsWith("ER_") || typeof fields.sqlState === "string";
  const errno = fromServer && typeof fields.errno === "number" ? fields.errno : 0;
  return { kind: kindOf(code, errno), code, errno };
}

const refusedCodes = new Set([
  "ECONNREFUSED",
  "ENOENT",
  "EACCES",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "EADDRNOTAVAIL",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

/**
 * Access denied (1045, 1044 is about a database and stays "sql"), host not allowed (1130), host
 * blocked (1129), no such login (1698), account locked (3118), password expired (1862, 1820).
 */
const deniedNumbers = new Set([1045, 1129, 1130, 1698, 1820, 1862, 3118]);

/** The server closes the connection after these: shutdown (1053, 1079), killed (1927, 3169), idle (4031). */
const lostNumbers = new Set([1053, 1079, 1927, 3169, 4031]);

function kindOf(code: string, errno: number): DatabaseErrorKind {
  if (refusedCodes.has(code)) return "refused";
  if (code === "ETIMEDOUT") return "timeout";
  if (deniedNumbers.has(errno)) return "denied";
  if (lostNumbers.has(errno)) return "lost";
  return errno > 0 ? "sql" : "lost";
}

const shownSqlMax = 120;
const shownMessageMax = 500;

/** A statement as it may appear in an error or a log: one line, short, and without secrets. */
export function shownSql(sql: string): string {
  const line = hideSecrets(sql, sql).replace(/\s+/g, " ").trim();
  return line.length > shownSqlMax ? `${line.slice(0, shownSqlMax)}…` : line;
}

/** What the server or the driver said about `sql`, without secrets and of bounded length. */
export function shownMessage(failure: unknown, sql: string): string {
  const text = messageOf(failure);
  return hideSecrets(text, sql).replace(/\s+/g, " ").slice(0, shownMessageMax);
}

const knownReasons: ReadonlyMap<number, string> = new Map([
  [1290, "the server is read-only by now"],
  [1396, "the account exists already, or it does not exist"],
  [1819, "the password does not satisfy the server's password policy"],
]);

/** Why a statement that holds a secret failed, in words of ours: the server may quote the statement. */
export function secretReason({ kind, errno, code }: DatabaseErrorDetails): string {
  if (kind === "timeout" || kind === "lost") {
    return "no answer came in time; whether it took effect is unknown";
  }
  return `${knownReasons.get(errno) ?? code} (error ${errno})`;
}

/** A syntax error repeats a part of the statement, so its text is as secret as the statement. */
function hideSecrets(text: string, sql: string): string {
  if (!/password|identified|secret|auth/i.test(sql)) return text;
  // Quotes nest in such a message and may be cut, so everything from the first one on is hidden.
  return text.replace(/(?:['"]|\b0x).*$/s, "'…'");
}
