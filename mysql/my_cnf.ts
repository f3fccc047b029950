/**
 * The few paths of a server that its option file names. Pure: the text comes in, with what
 * `!include` lines named already in place. See "Using Option Files" in the MySQL reference manual.
 */

/** Paths as written; null where the file does not say. */
export interface ServerPaths {
  readonly dataFolder: string | null;
  readonly pidFile: string | null;
  readonly errorLog: string | null;
  readonly socket: string | null;
}

/** Groups that mysqld reads; later ones win, as the server itself does it. */
const groups = /^(mysqld|server|mysqld-\d+\.\d+)$/;

/** Reads the options of the server's groups. Unknown lines are the server's business, not ours. */
export function readServerPaths(text: string): ServerPaths {
  const values = new Map<string, string>();
  let ours = false;
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    const group = /^\[([^\]]*)\]/.exec(line)?.[1];
    if (group !== undefined) ours = groups.test(group.trim());
    if (!ours || /^[#;[!]/.test(line)) continue;
    const match = /^([A-Za-z][\w-]*)\s*=\s*(.*)$/.exec(line);
    if (match === null) continue;
    const [, name = "", value = ""] = match;
    // Dashes and underscores mean the same, and any option may be spelled with "loose" before it.
    values.set(name.toLowerCase().replaceAll("_", "-").replace(/^loose-/, ""), unquoted(value));
  }
  const get = (name: string) => values.get(name) || null;
  const dataFolder = get("datadir");
  return {
    dataFolder,
    pidFile: below(dataFolder, get("pid-file")),
    errorLog: below(dataFolder, get("log-error")),
    socket: below(dataFolder, get("socket")),
  };
}

/** Relative paths are below the data folder. */
function below(folder: string | null, path: string | null): string | null {
  if (path === null || path.startsWith("/")) return path;
  return folder === null ? null : `${folder.replace(/\/$/, "")}/${path}`;
}

/** A value ends at a comment sign after a blank, unless it is quoted. */
function unquoted(value: string): string {
  const quoted = /^(["'])(.*?)\1/.exec(value);
  if (quoted !== null) return quoted[2] ?? "";
  return value.replace(/\s+#.*$/, "").trim();
}
