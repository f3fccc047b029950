/**
 * Where the files of a server lie and which of them are its own: the data folder, and the folders of
 * logs that stand elsewhere. Pure: names come in, decisions go out, nothing is touched.
 *
 * A path that is moved or emptied must be one that the server named, absolute and deep enough; a
 * folder that holds something else than a server's files is nobody's to move.
 */
import type { LogPlace, ServerFolders } from "../mysql/server_variables.ts";

/** A folder and those of its entries that belong to the server. */
export interface Place {
  readonly role: "data" | "system" | "redo" | "undo" | "binaryLog" | "relayLog";
  readonly folder: string;
  /** Patterns of whole names; null means everything. */
  readonly names: readonly string[] | null;
}

/** Begins the name of every folder that a job makes beside the data; servers skip hidden folders. */
export const ownPrefix = ".xenon-";

const redoNames = ["#innodb_redo", "ib_logfile\\d+"];
const undoNames = ["undo_\\d+", ".*\\.ibu"];

/** The places of a server. One that is within the data folder has its names for the way back only. */
export function placesOf(folders: ServerFolders): readonly Place[] {
  const { data, redo, undo, system, systemFiles, binaryLog, relayLog } = folders;
  const all: Place[] = [
    { role: "data", folder: data, names: null },
    { role: "system", folder: system, names: systemFiles.map(quoted) },
    { role: "redo", folder: redo, names: redoNames },
    { role: "undo", folder: undo, names: undoNames },
    ...logPlaces("binaryLog", binaryLog),
    ...logPlaces("relayLog", relayLog),
  ];
  return all.filter(({ role, folder }) => role === "data" || folder !== data);
}

function logPlaces(role: "binaryLog" | "relayLog", log: LogPlace | null): readonly Place[] {
  if (log === null) return [];
  const slash = log.index.lastIndexOf("/");
  const [indexFolder, indexName] = [log.index.slice(0, slash), log.index.slice(slash + 1)];
  const numbered = `${quoted(log.base)}\\.\\d{6,}`;
  if (indexFolder === log.folder) {
    return [{ role, folder: log.folder, names: [numbered, quoted(indexName)] }];
  }
  return [
    { role, folder: log.folder, names: [numbered] },
    { role, folder: indexFolder, names: [quoted(indexName)] },
  ];
}

/** Does an entry of the place's folder belong to the server? Folders of our own never do. */
export function belongs(place: Place, name: string): boolean {
  if (name.startsWith(ownPrefix) || name === "lost+found") return false;
  return place.names === null || matches(place.names, name);
}

/** What a server that was started in an empty folder leaves behind; no transaction is in it. */
const debris = /^(auto\.cnf|.*\.index)$/;

/** Can an entry of the place's folder hold transactions? */
export function mayHoldData(place: Place, name: string): boolean {
  return belongs(place, name) && !debris.test(name);
}

/** Where an entry of a copy goes: to the first place that knows its name, else to the data folder. */
export function placeFor(places: readonly Place[], name: string): Place {
  const found = places.find(({ names }) => names !== null && matches(names, name)) ?? places[0];
  if (found === undefined) throw new Error("Cannot place a copy as no folder is known");
  return found;
}

/** Places whose entries do not move together with the data folder's. */
export function placesApart(places: readonly Place[]): readonly Place[] {
  const data = places.find(({ role }) => role === "data");
  return places.filter(({ role, folder }) =>
    role === "data" || !folder.startsWith(`${data?.folder}/`)
  );
}

/** Folders that no rebuild may touch, whatever a configuration says. */
const untouchable = /^\/(bin|boot|dev|etc|lib|lib64|proc|root|run|sbin|sys|usr)(\/|$)/;

/** Why a folder of a server cannot be moved; null when nothing speaks against it. */
export function pathProblem(path: string): string | null {
  const say = (why: string) =>
    `The folder ${JSON.stringify(path)} of the server is not touched as ${why}`;
  if (!path.startsWith("/")) return say("it is not an absolute path");
  const parts = path.split("/").slice(1);
  if (parts.some((part) => part === "" || part === "." || part === "..")) {
    return say("its path is not plain");
  }
  if (parts.length < 2) return say("it stands directly below the root");
  if (/\p{Cc}/u.test(path)) return say("its path holds control characters");
  return untouchable.test(path) ? say("it belongs to the system") : null;
}

const serverFiles =
  /^(ibdata\d+|mysql\.ibd|auto\.cnf|#innodb_(redo|temp)|#ib_\d+_\d+\.dblwr|#clone|ib_logfile\d+|undo_\d+)$/;

/** Why a data folder with these entries cannot be a server's; null for a server's and for an empty one. */
export function contentProblem(folder: string, names: readonly string[]): string | null {
  const entries = names.filter((name) => !name.startsWith(ownPrefix) && name !== "lost+found");
  if (entries.length === 0 || entries.some((name) => serverFiles.test(name))) return null;
  const shown = entries.slice(0, 5).join(", ");
  return `The data folder ${JSON.stringify(folder)} holds files, but none of a MySQL server ` +
    `(${shown}): empty it, or correct datadir in the option file`;
}

function matches(names: readonly string[], name: string): boolean {
  return names.some((pattern) => new RegExp(`^(?:${pattern})$`).test(name));
}

function quoted(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
