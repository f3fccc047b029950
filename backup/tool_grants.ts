/**
 * What xtrabackup needs to be granted at the server that it copies, and what of it an account lacks.
 * Pure. See "Connection and privileges needed" in the tool's manual.
 */
import { atLeast, type Version } from "../mysql/version.ts";

const everywhere = ["RELOAD", "PROCESS", "LOCK TABLES", "REPLICATION CLIENT"] as const;
const logStatus = "performance_schema.log_status";

/**
 * One sentence for each kind of grant that is missing, with the statement that gives it; none when
 * nothing is. `grants` are the lines of SHOW GRANTS, `account` is what CURRENT_USER() gives.
 */
export function missingGrants(
  { grants, account, version }: {
    readonly grants: readonly string[];
    readonly account: string;
    readonly version: Version;
  },
): readonly string[] {
  const granted = grants.map(readGrant).filter((grant) => grant !== null);
  const has = (privilege: string, places: readonly string[]) =>
    granted.some(({ privileges, place }) =>
      places.includes(place) &&
      (privileges.has(privilege) || privileges.has("ALL PRIVILEGES"))
    );
  // Earlier servers have neither the privilege nor the table.
  const modern = atLeast(version, 8, 0, 11);
  const lacking = [...modern ? ["BACKUP_ADMIN"] : [], ...everywhere]
    .filter((privilege) => !has(privilege, ["*.*"]));
  const reads = !modern || has("SELECT", ["*.*", "performance_schema.*", logStatus]);
  const sentence = (privileges: string, place: string) =>
    `${account} may not do what xtrabackup needs, it lacks ${privileges} on ${place}: run on the ` +
    `leader "GRANT ${privileges} ON ${place} TO ${quotedAccount(account)}"`;
  return [
    ...lacking.length === 0 ? [] : [sentence(lacking.join(", "), "*.*")],
    ...reads ? [] : [sentence("SELECT", logStatus)],
  ];
}

interface Grant {
  readonly privileges: ReadonlySet<string>;
  /** Without quotes: "*.*", "performance_schema.log_status". */
  readonly place: string;
}

/** Null for a line that grants a role, or takes something away. */
function readGrant(line: string): Grant | null {
  const [, privileges = "", place = ""] = /^GRANT (.+?) ON (\S+) TO /.exec(line) ?? [];
  if (place === "") return null;
  const words = privileges.split(",").map((one) => one.trim().toUpperCase());
  return { privileges: new Set(words), place: place.replaceAll("`", "") };
}

/** `name@host` as a statement writes it. */
function quotedAccount(account: string): string {
  const at = account.lastIndexOf("@");
  const quoted = (part: string) => `'${part.replaceAll("'", "''")}'`;
  return `${quoted(account.slice(0, at))}@${quoted(account.slice(at + 1))}`;
}
