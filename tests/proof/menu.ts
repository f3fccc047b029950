/** The menu of all faults, in an order in which one cluster can have them. */
import { clusterFaults } from "./faults_cluster.ts";
import { hostFaults } from "./faults_host.ts";
import { networkFaults } from "./faults_network.ts";
import { processFaults } from "./faults_process.ts";
import { timeFaults } from "./faults_time.ts";
import type { Fault } from "./fault.ts";

/** Clusters of three first, so that each size is built once. */
export const menu: readonly Fault[] = [
  ...processFaults,
  ...networkFaults,
  ...hostFaults,
  ...clusterFaults,
  ...timeFaults,
].sort((left, right) => left.hosts - right.hosts);

/** The fault of that name, or an error that lists them all. */
export function faultNamed(name: string): Fault {
  const fault = menu.find((one) => one.name === name);
  if (fault !== undefined) return fault;
  const names = menu.map((one) => one.name).join(", ");
  throw new RangeError(`Cannot make fault "${name}": known are ${names}`);
}
