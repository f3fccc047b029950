/** What one run is about: how many hosts, who is a member at first, what operators will do. */
import {
  type Config,
  type Durable,
  freshDurable,
  type Member,
  type MemberKind,
  type NodeId,
} from "../../raft/types.ts";
import { quorumOf } from "../../raft/quorum.ts";
import type { Dice } from "./dice.ts";
import { compactPositions } from "./transactions.ts";
import { mysqlPort, nameOf } from "./view.ts";

export interface Shape {
  /** Hosts are numbered from 0. */
  readonly hosts: number;
  /** The first ones are the founding members, all voters but the witness. */
  readonly founders: number;
  readonly witness: number | null;
  /** Members at first that only replicate. */
  readonly idle: readonly number[];
  /** The cluster is founded while the run goes on. */
  readonly fresh: boolean;
  /** Operators add, remove and switch nodes. */
  readonly changes: boolean;
  /** Hosts that never come back after the faults; a majority always does. */
  readonly lost: readonly number[];
  /** The servers keep what they received through any restart. */
  readonly careful: boolean;
}

type Size = Pick<Shape, "hosts" | "founders" | "witness" | "idle">;

const sizes: readonly Size[] = [
  { hosts: 3, founders: 3, witness: null, idle: [] },
  { hosts: 3, founders: 3, witness: null, idle: [] },
  { hosts: 3, founders: 3, witness: 2, idle: [] },
  { hosts: 4, founders: 4, witness: null, idle: [] },
  { hosts: 5, founders: 5, witness: null, idle: [] },
  { hosts: 5, founders: 5, witness: null, idle: [] },
  { hosts: 7, founders: 7, witness: null, idle: [] },
  { hosts: 4, founders: 3, witness: null, idle: [3] },
  { hosts: 4, founders: 2, witness: null, idle: [] },
  { hosts: 5, founders: 4, witness: null, idle: [4] },
  { hosts: 5, founders: 3, witness: 2, idle: [] },
  { hosts: 6, founders: 5, witness: null, idle: [] },
];

/** Where servers may forget what they received, only a full healing is sure to bring a leader back. */
export function drawShape(dice: Dice): Shape {
  const size = dice.pick(sizes);
  const careful = dice.chance(0.5);
  const fresh = dice.chance(0.15);
  const changes = dice.chance(size.hosts > size.founders ? 0.8 : 0.3);
  const n = size.founders;
  const sparable = size.witness === null ? n - quorumOf(n).q : 1;
  const lostMax = careful && !fresh && !changes && dice.chance(0.6) ? sparable : 0;
  const first = size.witness ?? dice.below(n);
  const lost = Array.from({ length: lostMax }, (_, place) => (first + place) % n);
  return { ...size, idle: fresh ? [] : size.idle, careful, fresh, changes, lost };
}

/** What a run that is aimed at something leaves out unless it says so. */
export const plainShape: Pick<Shape, "witness" | "lost" | "fresh" | "changes"> = {
  witness: null,
  lost: [],
  fresh: false,
  changes: false,
};

/** Three voters from the founding on, and nobody else. */
export const threeVoters: Pick<Shape, "hosts" | "founders" | "idle"> = {
  hosts: 3,
  founders: 3,
  idle: [],
};

/** Servers that forget what they received whenever they restart, in a cluster of three. */
export const forgetfulShape: Shape = {
  hosts: 3,
  founders: 3,
  witness: null,
  idle: [],
  fresh: false,
  changes: false,
  lost: [],
  careful: false,
};

export function namesOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => nameOf(index));
}

/** The state files at the beginning: a cluster whose founding is long over, or fresh nodes. */
export function drawDurables(shape: Shape): readonly Durable[] {
  const members = foundingMembers(shape);
  const membership = shape.fresh ? null : { cluster: "cluster", epoch: 1, members };
  return namesOf(shape.hosts).map((name, index) => {
    const invited = index < shape.founders || shape.idle.includes(index);
    return { ...freshDurable(`member-${name}`), membership: invited ? membership : null };
  });
}

export function foundingMembers(shape: Shape): readonly Member[] {
  const member = (index: number, kind: MemberKind): Member => {
    const id = nameOf(index) as NodeId;
    return { id, member: `member-${id}`, kind };
  };
  const voters = Array.from(
    { length: shape.founders },
    (_, index) => member(index, index === shape.witness ? "witness" : "voter"),
  );
  return [...voters, ...shape.idle.map((index) => member(index, "idle"))];
}

export function drawConfigs(
  dice: Dice,
  shape: Shape,
  configure: (config: Config) => Config = (config) => config,
): readonly Config[] {
  const electionMs = dice.pick([600, 900, 1200]);
  return namesOf(shape.hosts).map((name, index) =>
    configure({
      id: name as NodeId,
      source: { id: name as NodeId, host: name, port: mysqlPort },
      heartbeatMs: electionMs / 6,
      electionMs,
      leaseMs: electionMs - 250,
      handoverMs: 1500,
      witness: index === shape.witness,
      positions: compactPositions,
    })
  );
}
