/** The original's JSON configuration as ours, and a list of everything that is not the same. */
import * as v from "valibot";
import { describeRemark, parseConfig } from "../agent/config.ts";
import { keys, retiredKeys } from "../agent/config_schema.ts";
import { parseEndpoint } from "../agent/endpoint.ts";
import { renderSettings, type TomlValue } from "./toml_text.ts";
import { findVip } from "./vip_hooks.ts";
import { isRecord } from "../agent/is_record.ts";

export interface Converted {
  readonly toml: string;
  /** One sentence each: what is lost, ignored, changed or assumed. */
  readonly notes: readonly string[];
  /** What keeps the result from being used as it is. */
  readonly problems: readonly string[];
}

interface Work {
  readonly settings: Map<string, TomlValue>;
  readonly notes: string[];
}

/** Where the packaged agent and `xenon init` have the secret of the calls. */
const secretFile = "/etc/xenon/secret";

/** The original's defaults where ours are others: a silent file meant these. */
const formerDefaults: Readonly<Record<string, TomlValue>> = {
  "server.endpoint": "127.0.0.1:8080",
  "raft.heartbeat-timeout": 1000,
  "raft.election-timeout": 3000,
  "mysql.basedir": "/u01/mysql_20160606/",
  "mysql.defaults-file": "/etc/my3306.cnf",
  "replication.passwd": "repl",
  "backup.backupdir": "/u01/backup",
  "rpc.request-timeout": 1000,
};

/** Values that the original derived from `mysql` and wrote into files by itself. */
const derivedBackupKeys = ["admin", "passwd", "host", "port", "defaults-file"];

/** Turns the value of a JSON file into the text of ours. Never holds a password in its notes. */
export function convertConfig(
  json: unknown,
  { withSecrets }: { readonly withSecrets: boolean },
): Converted {
  const work: Work = { settings: new Map(), notes: [] };
  if (!isRecord(json)) {
    return { toml: "", notes: [], problems: ["The file holds no object with sections"] };
  }
  for (const [name, section] of Object.entries(json)) takeSection(work, name, section);
  for (const [path, value] of Object.entries(formerDefaults)) {
    if (!work.settings.has(path)) assume(work, path, value);
  }
  convertVip(work);
  convertServer(work);
  work.settings.set("rpc.secret-file", secretFile);
  work.notes.push(
    `rpc.secret-file: agents sign their calls now: put the same secret into ${secretFile} on every ` +
      "node, mode 0600 (openssl rand -hex 32)",
    "peers.json of the original is not read: form the cluster with xenon cluster add",
  );
  return finish(work, withSecrets);
}

/** A key is written as the original matched it: without regard to case. */
function takeSection(work: Work, name: string, section: unknown): void {
  const known = name.toLowerCase();
  if (!Object.hasOwn(keys, known) || known === "vip") {
    work.notes.push(`${name}: unknown section, left out`);
    return;
  }
  if (!isRecord(section)) {
    work.notes.push(`${name}: no object, left out`);
    return;
  }
  for (const [key, value] of Object.entries(section)) {
    takeKey(work, `${known}.${key.toLowerCase()}`, value);
  }
}

function takeKey(work: Work, path: string, value: unknown): void {
  const [section = "", name = ""] = path.split(".");
  const reason = retiredKeys[path];
  if (reason !== undefined) {
    work.notes.push(`${path}: accepted, but has no effect: ${reason}`);
    return;
  }
  const key = Object.hasOwn(keys, section) ? keys[section as keyof typeof keys]?.[name] : undefined;
  if (key === undefined) {
    const same = section === "backup" && derivedBackupKeys.includes(name);
    work.notes.push(`${path}: ${same ? `mysql.${name} is used` : "unknown key"}, left out`);
    return;
  }
  for (const candidate of [value, unquoted(value)]) {
    const result = v.safeParse(key.shape, candidate);
    if (!result.success) continue;
    work.settings.set(path, result.output as TomlValue);
    return;
  }
  const found = key.secret === true ? "another kind of value" : JSON.stringify(value);
  work.notes.push(`${path}: left out, as wanted is ${key.wanted}, found ${found}`);
}

/** Samples have numbers in quotes, which people leave there. */
function unquoted(value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  return value === "true" ? true : value === "false" ? false : value;
}

function assume(work: Work, path: string, value: TomlValue): void {
  work.settings.set(path, value);
  const shown = path.endsWith("passwd") ? "the original's default" : JSON.stringify(value);
  work.notes.push(`${path}: was not in the file, ${shown} is what the original took`);
}

/** The commands of the guide become the address itself, which the agent then moves. */
function convertVip({ settings, notes }: Work): void {
  const startKey = "raft.leader-start-command";
  const stopKey = "raft.leader-stop-command";
  const textOf = (key: string) => String(settings.get(key) ?? "nop");
  const vip = findVip(textOf(startKey), textOf(stopKey));
  if (vip === null) {
    if (textOf(startKey) !== "nop" || textOf(stopKey) !== "nop") {
      notes.push("raft.leader-start-command, raft.leader-stop-command: kept as hooks");
    }
    return;
  }
  settings.set("vip.address", vip.address);
  settings.set("vip.prefix", vip.prefix);
  settings.set("vip.interface", vip.interface);
  for (const [key, rest] of [[startKey, vip.startRest], [stopKey, vip.stopRest]] as const) {
    if (rest === "") settings.delete(key);
    else settings.set(key, rest);
  }
  const swapped = vip.swapped ? "; they stood the wrong way round" : "";
  notes.push(
    `vip: the agent moves ${vip.address} itself, the commands for it are gone${swapped}; it needs ` +
      "root or CAP_NET_ADMIN and CAP_NET_RAW",
  );
}

function convertServer({ settings, notes }: Work): void {
  const folder = String(settings.get("raft.meta-datadir") ?? "/");
  if (!folder.startsWith("/")) {
    notes.push(
      `raft.meta-datadir: ${
        JSON.stringify(folder)
      } depends on where the agent is started: better ` +
        "an absolute folder",
    );
  }
  const basedir = String(settings.get("mysql.basedir") ?? "").replace(/\/+$/, "");
  if (basedir !== "/usr" && basedir !== "") {
    const mysqld = `${basedir}/bin/mysqld`;
    settings.set("mysql.mysqld", mysqld);
    notes.push(`mysql.mysqld: assumed to be ${mysqld}; mysqld_safe is not used any more`);
  }
}

function finish({ settings, notes }: Work, withSecrets: boolean): Converted {
  const endpoint = parseEndpoint(String(settings.get("server.endpoint")));
  if (endpoint?.host === settings.get("backup.ssh-host")) settings.delete("backup.ssh-host");
  const checked = parseConfig(renderSettings(settings, { head: [] }));
  const remarks = checked.kind === "config" ? checked.warnings : checked.problems;
  const sentences = remarks.map((remark) => describeRemark("", { ...remark, line: 0 }).trim());
  const shown = new Map(settings);
  for (const path of ["mysql.passwd", "replication.passwd"]) {
    if (withSecrets || (settings.get(path) ?? "") === "") continue;
    shown.delete(path);
    notes.push(`${path}: passwords are written into a file only: name one with --to FILE`);
  }
  return {
    toml: renderSettings(shown, {
      head: ["Converted from the JSON configuration of the original."],
    }),
    notes: checked.kind === "config" ? [...notes, ...sentences] : notes,
    problems: checked.kind === "config" ? [] : sentences,
  };
}
