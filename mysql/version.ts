/** Versions of the server: read, compared, and refused where this program cannot manage them. */

/** A version of a MySQL server this program can speak to. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** The whole text, such as "8.0.36-28". */
  readonly text: string;
}

/** A version, or why the server cannot be managed. */
export type VersionRead =
  | { readonly ok: true; readonly version: Version }
  | { readonly ok: false; readonly because: string };

/** WAIT_FOR_EXECUTED_GTID_SET and super_read_only are in every release from here on. */
const oldest = [5, 7, 9] as const;

/** Reads `@@version`, or the `--version` line of the server program. MariaDB and old servers are refused. */
export function parseVersion(text: string): VersionRead {
  const shown = text.trim().slice(0, 80);
  if (/mariadb/i.test(text)) {
    return refuse(
      `"${shown}" is MariaDB, whose GTIDs are of another kind: MySQL 5.7, 8.x or 9.x is needed`,
    );
  }
  const match = /(?:^|\bVer )(\d+)\.(\d+)\.(\d+)/.exec(text.trim());
  if (match === null) return refuse(`"${shown}" is no MySQL version`);
  const version: Version = {
    major: Number(match[1]),
    minor: Number(match[2]),
    patch: Number(match[3]),
    text: shown,
  };
  if (!atLeast(version, ...oldest)) {
    return refuse(`MySQL "${shown}" is too old: ${oldest.join(".")} or newer is needed`);
  }
  return { ok: true, version };
}

/** Whether the version is this one or newer. */
export function atLeast(version: Version, ...wanted: readonly [number, number, number]): boolean {
  const [major, minor, patch] = wanted;
  if (version.major !== major) return version.major > major;
  if (version.minor !== minor) return version.minor > minor;
  return version.patch >= patch;
}

function refuse(because: string): VersionRead {
  return { ok: false, because };
}
