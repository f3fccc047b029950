/** How a command comes to the agents: the config of this host, a client, and a deadline. */
import { findConfig } from "./lookup.ts";
import type { CommonOptions } from "./options.ts";
import type { Cluster, Surroundings } from "./ports.ts";

/** How long one round of questions may take unless the operator says otherwise. */
const usualFactsMs = 1500;
/** A change waits for other nodes' servers too, not only for agents. */
const usualChangeMs = 30_000;

/** Crash recovery, or a clean stop of a busy server. */
const usualWorkMs = 600_000;

/** A server may have to recover before a cluster is well again. */
const usualWaitMs = 60_000;

/** One round of questions while waiting: `--timeout` bounds all of them together. */
export const roundDeadlineMs = usualFactsMs;

/** The agents of the cluster that the config of this host names. */
export async function openCluster(
  common: CommonOptions,
  { world, programs }: Surroundings,
): Promise<Cluster> {
  return await programs.openCluster(await findConfig(world, common.config));
}

/** The deadline of one round of questions. */
export function factsDeadlineMs({ timeoutMs }: CommonOptions): number {
  return timeoutMs ?? usualFactsMs;
}

/** The deadline of a change. */
export function changeDeadlineMs({ timeoutMs }: CommonOptions): number {
  return timeoutMs ?? usualChangeMs;
}

/** How long `--wait` may take. */
export function waitMs({ timeoutMs }: CommonOptions): number {
  return timeoutMs ?? usualWaitMs;
}

/** How long a command follows work that goes on without it too. */
export function workDeadlineMs({ timeoutMs }: CommonOptions): number {
  return timeoutMs ?? usualWorkMs;
}
