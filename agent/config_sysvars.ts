/**
 * The lists of server variables that are set when a node becomes leader or follower:
 * `name=value;name=value`, as in the original.
 */

export interface Sysvar {
  readonly name: string;
  /** A number, a word such as ON or default, or a text in single quotes: safe inside SET GLOBAL. */
  readonly value: string;
}

export interface SysvarList {
  readonly sysvars: readonly Sysvar[];
  /** Entries left out because the promotion decides them itself. */
  readonly dropped: readonly string[];
  /** Entries that are no `name=value`. */
  readonly wrong: readonly string[];
}

/** Setting one of these by hand would open a closed server or stop commits from waiting. */
const reserved = /^(?:read_only|super_read_only|offline_mode|rpl_semi_sync_.*|gtid_.*)$/i;

export function parseSysvars(text: string): SysvarList {
  const entries = text.split(";").map((entry) => entry.trim()).filter((entry) => entry !== "");
  const sysvars: Sysvar[] = [];
  const dropped: string[] = [];
  const wrong: string[] = [];
  for (const entry of entries) {
    const sysvar = parseEntry(entry);
    if (sysvar === null) wrong.push(entry);
    else if (reserved.test(sysvar.name)) dropped.push(sysvar.name);
    else sysvars.push(sysvar);
  }
  return { sysvars, dropped, wrong };
}

function parseEntry(entry: string): Sysvar | null {
  const match = /^([a-z_][a-z0-9_.]*)\s*=\s*([\w.+:-]+|'[^'\\\p{Cc}]*')$/iu.exec(entry);
  const [, name, value] = match ?? [];
  return name === undefined || value === undefined ? null : { name: name.toLowerCase(), value };
}
