/** A fault as a row of the menu: what happens, how it is made here, and what must come of it. */
import type { HostsLab } from "../live/hosts_lab.ts";
import type { HostNode } from "../live/hosts_lab_node.ts";

/** A healthy cluster under load, just before the fault. */
export interface Scene {
  readonly lab: HostsLab;
  readonly leader: HostNode;
  readonly followers: readonly HostNode[];
  /** How long a fault lasts that is not over in a moment. */
  readonly awayMs: number;
}

export interface Fault {
  /** One word for the command line. */
  readonly name: string;
  /** What happens, for people. */
  readonly title: string;
  /** How it is made on this machine, and how it is healed. */
  readonly made: string;
  readonly healed: string;
  /** Hosts of the cluster; each is a voter. */
  readonly hosts: 3 | 5;
  /** What a machine may lack: disks that break, or a clock for one process. */
  readonly needs?: "disk" | "clock";
  readonly lasts: "a moment" | "a while";
  readonly expect: Expectation;
  readonly make: (scene: Scene) => Promise<void>;
  readonly heal: (scene: Scene) => Promise<void>;
}

export interface Expectation {
  /** Who leads after it. */
  readonly leader: "another" | "same" | "any";
  /**
   * stay: no failover, nobody waits longer than for a busy machine. return: they come back while the
   * fault lasts. afterwards: they may be away for as long as it lasts, because nobody may lead safely.
   */
  readonly writes: "stay" | "return" | "afterwards";
  /** Milliseconds in which two hosts may have the virtual address; 0 where none is given. */
  readonly holdersMsMax?: number;
  /** The most changes of leadership; each must have been planned, none by a timeout. */
  readonly handoversMax?: number;
  /** The former leader must come back with transactions of its own, and say which. */
  readonly extra?: boolean;
}

/** Of all other nodes the first and the second, in a cluster that has them. */
export function pairOf({ followers }: Scene): readonly [HostNode, HostNode] {
  const [one, two] = followers;
  if (one === undefined || two === undefined) throw new Error("Cannot play with so few followers");
  return [one, two];
}

export const nothing = (): Promise<void> => Promise.resolve();
