/**
 * The settings of a server by name, from whichever place tells them: the running server, or its
 * program asked with `--verbose --help`, which reads the option files as the server itself would.
 */

/** Values by name, written with underscores as SHOW VARIABLES does. */
export type ServerVariables = ReadonlyMap<string, string>;

/** Reads the table at the end of `mysqld --verbose --help`. */
export function readHelpVariables(text: string): ServerVariables {
  const values = new Map<string, string>();
  const begin = text.search(/^-{5,}/m);
  for (const line of text.slice(Math.max(0, begin)).split("\n")) {
    const match = /^([a-z][a-z0-9-]*)\s+(\S.*)$/.exec(line);
    if (match === null) continue;
    const [, name = "", value = ""] = match;
    if (value !== "(No default value)") values.set(name.replaceAll("-", "_"), value.trim());
  }
  return values;
}

/** Where a server keeps its files: absolute folders without a slash at their end. */
export interface ServerFolders {
  readonly data: string;
  readonly redo: string;
  readonly undo: string;
  /** Of the system tablespace. */
  readonly system: string;
  /** Files of the system tablespace. */
  readonly systemFiles: readonly string[];
  /** Null when there is no binary log. */
  readonly binaryLog: LogPlace | null;
  readonly relayLog: LogPlace | null;
}

/** Numbered files `BASE.000001` and the file that lists them. */
export interface LogPlace {
  readonly folder: string;
  readonly base: string;
  /** Absolute path. */
  readonly index: string;
}

/** The folders that these settings name; null when not even the data folder is known. */
export function foldersOf(values: ServerVariables): ServerFolders | null {
  const data = trimmed(values.get("datadir") ?? "");
  if (data === "") return null;
  const below = (name: string) => resolve(data, values.get(name) ?? "");
  const files = values.get("innodb_data_file_path") ?? "ibdata1";
  return {
    data,
    redo: below("innodb_log_group_home_dir"),
    undo: below("innodb_undo_directory"),
    system: below("innodb_data_home_dir"),
    systemFiles: files.split(";").map((file) => file.split(":")[0] ?? "").filter((file) =>
      file !== ""
    ),
    binaryLog: logPlace(data, {
      base: values.get("log_bin_basename") ?? values.get("log_bin") ?? "",
      index: values.get("log_bin_index") ?? "",
    }),
    relayLog: logPlace(data, {
      base: values.get("relay_log_basename") ?? values.get("relay_log") ?? "",
      index: values.get("relay_log_index") ?? "",
    }),
  };
}

function logPlace(
  data: string,
  log: { readonly base: string; readonly index: string },
): LogPlace | null {
  // A running server says ON or OFF where the option file has a name.
  if (log.base === "" || /^(on|off|0|1|true|false)$/i.test(log.base)) return null;
  const path = resolve(data, log.base);
  const [folder, name] = splitPath(path);
  const base = name.replace(/\.[^.]*$/, "");
  const index = log.index === "" ? `${folder}/${base}.index` : resolve(data, log.index);
  return { folder, base, index };
}

/** A relative path is below the data folder. */
function resolve(data: string, path: string): string {
  const bare = trimmed(path).replace(/^(\.\/)+/, "");
  if (bare === "" || bare === ".") return data;
  return bare.startsWith("/") ? bare : `${data}/${bare}`;
}

function splitPath(path: string): readonly [string, string] {
  const slash = path.lastIndexOf("/");
  return [path.slice(0, slash) || "/", path.slice(slash + 1)];
}

function trimmed(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, "") : path;
}
