/**
 * Accounts of the operator's commands, as values that are checked first and statements afterwards.
 *
 * Nothing of what was typed becomes SQL text unread: names, patterns and passwords go through the one
 * quoting of `text.ts`, privileges must stand in a closed list. Accounts that the cluster itself lives
 * on are refused, and so are names that would stand in their way at the login.
 */

import { type Statement, statement } from "./plan.ts";
import { hasControl, quoteAccount, quoteIdentifier, quoteString } from "./text.ts";

/** Whose account: MySQL tells accounts apart by the user's name and the pattern of hosts. */
export interface AccountName {
  readonly user: string;
  /** A host, an address or a pattern such as "10.0.0.%"; "%" is any. */
  readonly host: string;
}

/** What an account may do. */
export type Grants =
  | { readonly kind: "everything" }
  | {
    readonly kind: "some";
    readonly privileges: readonly string[];
    /** A database, or MySQL's pattern of names; "*" is all of them. */
    readonly database: string;
    /** "*" is all of them. */
    readonly table: string;
  };

/** A change of one account. */
export type AccountWish =
  | AccountName & {
    readonly kind: "create";
    readonly password: string;
    /** Only with a client certificate. */
    readonly requireX509: boolean;
    readonly grants: Grants;
  }
  | AccountName & { readonly kind: "password"; readonly password: string }
  | AccountName & { readonly kind: "drop" };

/** What a server has to say about it beforehand. */
export interface AccountSeen {
  readonly exists: boolean;
  /** Does the cluster itself log in with this name, as agent or as replica? */
  readonly isOwn: (user: string) => boolean;
}

/** The statements of a change, and how a half-made one is taken back. */
export type AccountPlan =
  | { readonly kind: "refuse"; readonly because: string }
  | {
    readonly kind: "run";
    readonly first: Statement;
    readonly rest: readonly Statement[];
    /** Runs when one of `rest` failed. */
    readonly undo: readonly Statement[];
  };

/** The privileges that `createuser` gives and that `createuserwithgrants` may choose from. */
export const normalPrivileges: readonly string[] = [
  "ALTER",
  "ALTER ROUTINE",
  "CREATE",
  "CREATE ROUTINE",
  "CREATE TEMPORARY TABLES",
  "CREATE VIEW",
  "DELETE",
  "DROP",
  "EXECUTE",
  "EVENT",
  "INDEX",
  "INSERT",
  "LOCK TABLES",
  "PROCESS",
  "RELOAD",
  "SELECT",
  "SHOW DATABASES",
  "SHOW VIEW",
  "UPDATE",
  "TRIGGER",
  "REFERENCES",
  "REPLICATION SLAVE",
  "REPLICATION CLIENT",
];

/** MySQL gives these on *.* only. */
const globalOnly = new Set([
  "PROCESS",
  "RELOAD",
  "SHOW DATABASES",
  "REPLICATION SLAVE",
  "REPLICATION CLIENT",
]);

/** What can be given on one table. */
const ofTables = new Set([
  "ALTER",
  "CREATE",
  "CREATE VIEW",
  "DELETE",
  "DROP",
  "INDEX",
  "INSERT",
  "REFERENCES",
  "SELECT",
  "SHOW VIEW",
  "TRIGGER",
  "UPDATE",
]);

/** Limits of the server, in characters or bytes. */
const userCharactersMax = 32;
const hostCharactersMax = 255;
const nameCharactersMax = 64;
const passwordBytesMax = 256;

/**
 * Splits `SELECT, insert,` into privileges of the closed list, in capitals and without repetition.
 *
 * @throws {SyntaxError} naming what is not in the list.
 */
export function parsePrivileges(text: string): readonly string[] {
  const words = text.replace(/,\s*$/, "").split(",").map((word) =>
    word.trim().replace(/\s+/g, " ").toUpperCase()
  );
  const unknown = words.filter((word) => !normalPrivileges.includes(word));
  if (unknown.length > 0) {
    throw new SyntaxError(
      `Cannot grant ${
        unknown.map((word) => `"${word.slice(0, 40)}"`).join(", ")
      }: the privileges ` +
        `are ${normalPrivileges.join(", ")}`,
    );
  }
  return [...new Set(words)];
}

/** The statements of a wish, or why it is not granted. */
export function planAccount(wish: AccountWish, seen: AccountSeen): AccountPlan {
  const because = nameProblem(wish, seen.isOwn) ?? passwordProblem(wish) ??
    grantProblem(wish) ?? existenceProblem(wish, seen.exists);
  if (because !== undefined) return { kind: "refuse", because };
  const account = quoteAccount(wish.user, wish.host);
  const shown = shownAccount(wish);
  const drop = change(`DROP USER ${account}`, `drop the account ${shown}`);
  switch (wish.kind) {
    case "drop":
      return { kind: "run", first: drop, rest: [], undo: [] };
    case "password": {
      const sql = `ALTER USER ${account} IDENTIFIED BY ${quoteString(wish.password)}`;
      const first = change(sql, `set the password of ${shown}`, { secret: true });
      return { kind: "run", first, rest: [], undo: [] };
    }
    case "create": {
      const require = wish.requireX509 ? " REQUIRE X509" : "";
      const sql = `CREATE USER ${account} IDENTIFIED BY ${quoteString(wish.password)}${require}`;
      const first = change(sql, `create the account ${shown}`, { secret: true });
      const rest = [change(grant(wish.grants, account), `grant privileges to ${shown}`)];
      return { kind: "run", first, rest, undo: [drop] };
    }
  }
}

/** An account as people write it; it stands in sentences, never in SQL. */
export function shownAccount({ user, host }: AccountName): string {
  return `"${user}"@"${host}"`;
}

function change(sql: string, what: string, options: { readonly secret?: boolean } = {}): Statement {
  // A connection of its own: the commit waits for its acknowledgements beside the queue.
  return statement(sql, what, { deadline: "acknowledged", connection: "marker", ...options });
}

function grant(grants: Grants, account: string): string {
  if (grants.kind === "everything") return `GRANT ALL ON *.* TO ${account} WITH GRANT OPTION`;
  const { privileges, database, table } = grants;
  const place = [database, table].map((name) => name === "*" ? "*" : quoteIdentifier(name));
  return `GRANT ${privileges.join(", ")} ON ${place.join(".")} TO ${account}`;
}

function nameProblem(wish: AccountWish, isOwn: AccountSeen["isOwn"]): string | undefined {
  const { user, host } = wish;
  if (user === "") {
    return "the user's name is empty: such an account would catch other users' logins";
  }
  if (hasControl(user) || hasControl(host)) return "a name with a control character is a mistake";
  if ([...user].length > userCharactersMax) {
    return `the user's name has ${[...user].length} characters, the most is ${userCharactersMax}`;
  }
  if (/[\u{10000}-\u{10ffff}]/u.test(user)) {
    return "the server's table of accounts holds no characters beyond U+FFFF, such as emoji";
  }
  if (host === "") return 'the host is empty: "%" is any host';
  if (host.length > hostCharactersMax) {
    return `the host has ${host.length} characters, the most is ${hostCharactersMax}`;
  }
  if (!/^[\x21-\x7e]+$/.test(host)) return "the host is no name, address or pattern";
  if (user.startsWith("mysql.")) return `"${user}" belongs to the server itself`;
  if (!isOwn(user)) return undefined;
  return `the cluster itself logs in as "${user}": choose another name, or change that account in ` +
    "MySQL together with the config of every node";
}

function passwordProblem(wish: AccountWish): string | undefined {
  if (wish.kind === "drop") return undefined;
  const bytes = new TextEncoder().encode(wish.password).length;
  if (bytes === 0 && !(wish.kind === "create" && wish.requireX509)) return "the password is empty";
  if (hasControl(wish.password)) return "the password holds a control character";
  if (bytes <= passwordBytesMax) return undefined;
  return `the password has ${bytes} bytes, the most is ${passwordBytesMax}`;
}

function grantProblem(wish: AccountWish): string | undefined {
  if (wish.kind !== "create" || wish.grants.kind === "everything") return undefined;
  const { database, table, privileges } = wish.grants;
  if (privileges.length === 0) return "no privilege is named";
  const strange = privileges.filter((word) => !normalPrivileges.includes(word));
  if (strange.length > 0) return `these are no privileges: ${strange.join(", ").slice(0, 80)}`;
  for (const [word, name] of [["database", database], ["table", table]] as const) {
    const { length } = [...name];
    if (length === 0) return `the ${word}'s name is empty: "*" is all of them`;
    if (length > nameCharactersMax) {
      return `the ${word}'s name has ${length} characters, the most is ${nameCharactersMax}`;
    }
    if (hasControl(name)) return `the ${word}'s name holds a control character`;
  }
  if (database === "*" && table !== "*") return `a table without a database: name the database`;
  const wrong = database === "*"
    ? []
    : privileges.filter((word) => globalOnly.has(word) || (table !== "*" && !ofTables.has(word)));
  if (wrong.length === 0) return undefined;
  const place = table === "*" ? "one database" : "one table";
  return `${wrong.join(", ")} cannot be granted on ${place}`;
}

function existenceProblem(wish: AccountWish, exists: boolean): string | undefined {
  const shown = shownAccount(wish);
  if (wish.kind === "create") return exists ? `the account ${shown} exists already` : undefined;
  return exists ? undefined : `there is no account ${shown}`;
}
