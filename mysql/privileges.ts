/** What the agent's account must be allowed so that a fence works, read from SHOW GRANTS. */

import { atLeast, type Version } from "./version.ts";

/** What the account of these sessions lacks. */
export interface PrivilegeFacts {
  /** Quoted as the server does; "" when nothing is lacking, or nobody knows. */
  readonly account: string;
  readonly missing: readonly string[];
}

/** Nothing is known to be lacking. */
export const allPrivileges: PrivilegeFacts = { account: "", missing: [] };

/**
 * A fence sees the sessions of others (PROCESS), ends them, closes the server and asks for prepared XA
 * transactions. SUPER stands for the middle two, and before 8.0 there was nothing else.
 */
const needed = ["PROCESS", "CONNECTION_ADMIN", "SYSTEM_VARIABLES_ADMIN", "XA_RECOVER_ADMIN"];
const neededBefore8 = ["PROCESS", "SUPER"];
const partsOfSuper: readonly string[] = ["CONNECTION_ADMIN", "SYSTEM_VARIABLES_ADMIN"];

/**
 * Reads the rows of SHOW GRANTS of the present session; privileges of its active roles are among them.
 * What cannot be read is taken for all privileges.
 */
export function missingPrivileges(grants: readonly string[], version: Version): PrivilegeFacts {
  const { account, held } = globalPrivileges(grants);
  if (account === "" || held.has("ALL PRIVILEGES")) return allPrivileges;
  const wanted = atLeast(version, 8, 0, 11) ? needed : neededBefore8;
  const missing = wanted.filter((name) =>
    !held.has(name) && !(held.has("SUPER") && partsOfSuper.includes(name))
  );
  return missing.length === 0 ? allPrivileges : { account, missing };
}

/** Whether SHOW PROCESSLIST shows this account the sessions of others, as far as anybody knows. */
export function seesSessions(grants: readonly string[]): boolean {
  const { account, held } = globalPrivileges(grants);
  return account === "" || held.has("ALL PRIVILEGES") || held.has("PROCESS");
}

function globalPrivileges(grants: readonly string[]) {
  const held = new Set<string>();
  let account = "";
  for (const grant of grants) {
    const match = globalGrant.exec(grant);
    if (match === null) continue;
    const [, names = "", whom = ""] = match;
    account = whom;
    for (const name of names.split(",")) held.add(name.trim().toUpperCase());
  }
  return { account, held };
}

const globalGrant = /^GRANT (.+?) ON \*\.\* TO (.+?)(?: (?:WITH|IDENTIFIED|REQUIRE) .*)?$/;

/** A sentence that names the GRANT; null when nothing is lacking. */
export function privilegesLacking({ account, missing }: PrivilegeFacts): string | null {
  if (missing.length === 0) return null;
  const names = missing.join(", ");
  return `the agent's account ${account} lacks ${names}, without which a fence fails: ` +
    `GRANT ${names} ON *.* TO ${account}, and restart the agent`;
}
