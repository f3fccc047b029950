/** Which server program the demonstration starts, and where prepared data folders are kept. */
import { versionOf } from "../../mysql/server.ts";
import { CommandError } from "../exit.ts";
import type { World } from "../ports.ts";
import { messageOf } from "../../mysql/message_of.ts";

const majorMin = 8;

/** The program that was named, or the first usable one of this machine. */
export async function findMysqld(named: string | undefined, world: World): Promise<string> {
  const asked = named ?? (world.env("XENON_MYSQLD") || undefined);
  if (asked !== undefined) {
    const path = asked.startsWith("/") ? asked : `${world.workingFolder}/${asked}`;
    const reason = await unusable(path);
    if (reason === null) return path;
    const by = named === undefined ? "XENON_MYSQLD" : "--mysqld";
    throw new CommandError(`Cannot use the server that ${by} names: ${reason}`, {
      next: "name the mysqld of MySQL 8.0 or later",
    });
  }
  const folders = (world.env("PATH") ?? "").split(":").filter((folder) => folder.startsWith("/"));
  for (const folder of new Set([...folders, "/usr/sbin", "/usr/local/sbin"])) {
    const path = `${folder}/mysqld`;
    if (isFile(path) && await unusable(path) === null) return path;
  }
  throw new CommandError("Cannot find a MySQL server 8.0 or later on this machine", {
    next: "name one with --mysqld PATH or XENON_MYSQLD; in a checkout, packaging/fetch_mysql.sh " +
      "brings one and prints its path (make demo does both)",
  });
}

/** The reason why a program cannot be the server, or null. MariaDB's mysqld is another server. */
async function unusable(path: string): Promise<string | null> {
  try {
    const { major, text } = await versionOf(path);
    return major >= majorMin ? null : `"${path}" is version ${text}, wanted is 8.0 or later`;
  } catch (error) {
    return messageOf(error);
  }
}

/** Initialising a data folder takes seconds; the result is kept beside the program's own cache. */
export function templateFolder(world: World): string {
  if (world.executable === "") return new URL("../../.cache/templates", import.meta.url).pathname;
  const cache = world.env("XENON_HOME") ?? world.env("DENO_DIR")?.replace(/\/[^/]*$/, "");
  return cache === undefined ? "/tmp/xenon-templates" : `${cache}/templates`;
}

/** The command that runs this xenon again, without its words. */
export function programOf(world: World): readonly string[] {
  if (world.executable === "") {
    const main = new URL("../../main.ts", import.meta.url).pathname;
    return [Deno.execPath(), "run", "--quiet", "-A", main];
  }
  const home = world.env("XENON_HOME");
  // A child process inherits no settings of ours, but it must find the unpacked program.
  return home === undefined
    ? [world.executable]
    : ["/usr/bin/env", `XENON_HOME=${home}`, world.executable];
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    // Absent or not readable: not usable either way.
    return false;
  }
}
