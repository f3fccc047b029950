/**
 * The accounts with which replicas log in at their source: one for each membership of a node.
 *
 * A removed server may be cut off and come back much later, with the settings that it had and without
 * its agent. Its account is locked by then, on every server that can lead, so it gets no events and
 * acknowledges nothing. A node that is added again gets another account, and only its agent, which
 * knows of the new membership, can tell its server of that one.
 */

import { flag, rowsOf, text } from "./rows.ts";
import { type Statement, statement } from "./plan.ts";
import { quoteAccount, quoteString } from "./text.ts";
import { atLeast, type Version } from "./version.ts";

/** One membership of a node; see `Replica` of the protocol. */
export interface ReplicaName {
  readonly id: string;
  /** 0 for the founding. */
  readonly since: number;
}

/** An account as the server has it. */
export interface AccountRow {
  readonly user: string;
  readonly host: string;
  readonly locked: boolean;
  /** It may replicate. */
  readonly replicates: boolean;
  /** False while its password is empty. */
  readonly hasPassword: boolean;
}

/** Limit of the server for a user's name, in characters. */
const userCharactersMax = 32;
const hashCharacters = 10;
/** Replicas may come from anywhere. */
const anyHost = "%";

/** The user's name of a membership: the configured one, and ten hexadecimal digits. */
export function replicationAccount(user: string, { id, since }: ReplicaName): string {
  const whole = since === 0 ? id : `${id} ${since}`;
  const room = userCharactersMax - hashCharacters - 1;
  return `${[...user].slice(0, room).join("")}_${hashOf(whole)}`;
}

/** Does the cluster itself log in with this name? */
export function isReplicationAccount(user: string, name: string): boolean {
  const prefix = replicationAccount(user, { id: "", since: 0 }).slice(0, -hashCharacters);
  return name === user ||
    (name.startsWith(prefix) && /^[0-9a-f]{10}$/.test(name.slice(prefix.length)));
}

/** A query for all rows of these users, for `accountRows`. */
export function accountsQuery(users: readonly string[]): string {
  const names = users.map((user) => quoteString(user)).join(", ");
  return "SELECT User AS user, Host AS host, account_locked AS locked, " +
    "Repl_slave_priv AS replicates, COALESCE(authentication_string, '') <> '' AS has_password " +
    `FROM mysql.user WHERE User IN (${names})`;
}

/** Reads the rows of `accountsQuery`. */
export function accountRows(rows: unknown): readonly AccountRow[] {
  return rowsOf(rows).map((row) => ({
    user: text(row, "user"),
    host: text(row, "host"),
    locked: text(row, "locked") === "Y",
    replicates: text(row, "replicates") === "Y",
    hasPassword: flag(row, "has_password"),
  }));
}

/** Can replicas log in with this name? */
export function isUsable(rows: readonly AccountRow[], user: string): boolean {
  return usableRow(rows, user) !== undefined;
}

/** The account of this name, where replicas can log in with it. */
export function usableRow(rows: readonly AccountRow[], user: string): AccountRow | undefined {
  return rows.find((row) =>
    row.user === user && row.host === anyHost && !row.locked && row.replicates
  );
}

/** ER_ACCOUNT_HAS_BEEN_LOCKED, as a receiver reports it. */
const accountLocked = 3118;

/**
 * The account to log in with. In a cluster of an earlier version all share one, until the first leader of
 * this version has made the others and this server has got them. One that lags behind may find the shared
 * account locked first: then its own one is there.
 */
export function chooseAccount(
  between: { readonly own: string; readonly shared: string },
  seen: {
    /** Of this server itself. */
    readonly rows: readonly AccountRow[];
    readonly receiver: { readonly sourceUser: string; readonly receiverErrorNumber: number } | null;
  },
): string {
  const { own, shared } = between;
  const { rows, receiver } = seen;
  if (isUsable(rows, own) || !isUsable(rows, shared)) return own;
  const refused = receiver?.sourceUser === shared && receiver.receiverErrorNumber === accountLocked;
  return refused ? own : shared;
}

/** Makes accounts, or makes them usable again with the present password. */
export function createAccounts(
  users: readonly string[],
  password: string,
  options: Partial<Pick<Statement, "deadline" | "connection">> = {},
): readonly Statement[] {
  if (users.length === 0) return [];
  const names = users.map((user) => quoteAccount(user, anyHost));
  const secret = `IDENTIFIED BY ${quoteString(password)}`;
  const withPassword = names.map((name) => `${name} ${secret}`).join(", ");
  const hidden = { ...options, secret: true };
  const what = `replication account ${users.join(", ")}`;
  return [
    statement(`CREATE USER IF NOT EXISTS ${withPassword}`, `create ${what}`, hidden),
    statement(`ALTER USER ${withPassword} ACCOUNT UNLOCK`, `set up ${what}`, hidden),
    statement(`GRANT REPLICATION SLAVE ON *.* TO ${names.join(", ")}`, `let ${what} read`, options),
  ];
}

/**
 * Gives usable accounts the configured password, which may have changed since they were made. Where the
 * server can, the former one stays valid beside it, for replicas whose agents have not read the new one.
 *
 * It is not written to the binary log: this server alone needs it before it has acknowledgements, and a
 * transaction of a leader that fails right after it would be one that the others lack. A refusal, by a
 * policy for instance, is no reason to fail, as the password is mostly the same.
 */
export function givePassword(
  accounts: readonly Pick<AccountRow, "user" | "hasPassword">[],
  password: string,
  version: Version,
): readonly Statement[] {
  if (accounts.length === 0) return [];
  const retains = atLeast(version, 8, 0, 14) && password !== "";
  const secret = `IDENTIFIED BY ${quoteString(password)}`;
  const changes = accounts.map(({ user, hasPassword }) => {
    const keep = retains && hasPassword ? " RETAIN CURRENT PASSWORD" : "";
    return `${quoteAccount(user, anyHost)} ${secret}${keep}`;
  });
  const names = accounts.map(({ user }) => user).join(", ");
  const on = { connection: "marker" } as const;
  return [
    statement("SET SESSION sql_log_bin = 0", "leave passwords out of the binary log", on),
    statement(
      `ALTER USER ${changes.join(", ")}`,
      `give replication account ${names} the configured password`,
      { ...on, secret: true, mayFail: true },
    ),
  ];
}

/**
 * Brings the configured password to the other servers, on an open leader. Replicas that are pointed at the
 * next leader before it is promoted need it there. A former password that is kept here stays.
 */
export function spreadPassword(users: readonly string[], password: string): readonly Statement[] {
  if (users.length === 0) return [];
  const secret = `IDENTIFIED BY ${quoteString(password)}`;
  const changes = users.map((user) => `${quoteAccount(user, anyHost)} ${secret}`).join(", ");
  const what = `bring the password of replication account ${users.join(", ")} to all servers`;
  return [statement(`ALTER USER ${changes}`, what, {
    deadline: "acknowledged",
    connection: "marker",
    secret: true,
    mayFail: true,
  })];
}

/**
 * Locks accounts. The commit waits for its acknowledgements, and while it does nobody can log in to this
 * server: ask only while enough replicas are connected.
 */
export function lockAccounts(rows: readonly AccountRow[]): readonly Statement[] {
  const open = rows.filter(({ locked }) => !locked);
  if (open.length === 0) return [];
  const names = open.map(({ user, host }) => quoteAccount(user, host)).join(", ");
  const what = `lock the replication account ${open.map(({ user }) => user).join(", ")}`;
  return [statement(`ALTER USER ${names} ACCOUNT LOCK`, what, {
    deadline: "acknowledged",
    connection: "marker",
  })];
}

/** FNV-1a of 64 bits, folded to 40: names, not secrets. */
function hashOf(whole: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(whole)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return BigInt.asUintN(40, hash ^ (hash >> 40n)).toString(16).padStart(hashCharacters, "0");
}
