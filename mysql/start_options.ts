/**
 * The options with which every server is started: closed, replicating from nobody, and with
 * semi-sync loaded but off. A server opens only through an elected term, never by being started.
 */

import { atLeast, type Version } from "./version.ts";

/** Milliseconds after which a source would give up waiting for a replica: 49 days, which is never. */
const neverMs = 4_294_967_295;

/** Options for the command line, where they win over the option file and persisted settings. */
export function closedStartOptions(version: Version): readonly string[] {
  const renamed = atLeast(version, 8, 0, 26);
  const [source, replica] = renamed ? ["source", "replica"] : ["master", "slave"];
  return [
    "--super-read-only=ON",
    renamed ? "--skip-replica-start=ON" : "--skip-slave-start",
    `--plugin-load-add=semisync_${source}.so`,
    `--plugin-load-add=semisync_${replica}.so`,
    // Where the build has no such plugin, the server shall still start; doctor names what is missing.
    `--loose-rpl-semi-sync-${source}-enabled=OFF`,
    `--loose-rpl-semi-sync-${replica}-enabled=OFF`,
    `--loose-rpl-semi-sync-${source}-timeout=${neverMs}`,
  ];
}
