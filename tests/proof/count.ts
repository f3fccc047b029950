/** Looks for every acknowledged integer on every member. */
import type { Acknowledgement, Ledger } from "../../cmd/demo/ledger.ts";
import { format, parse, subtract } from "../../mysql/gtid.ts";
import type { HostsLab } from "../live/hosts_lab.ts";
import type { HostNode } from "../live/hosts_lab_node.ts";

const patienceMs = 60_000;

export interface Count {
  readonly lost: number;
  readonly ghosts: number;
  /** Where some of them are absent, for whoever looks for the reason. */
  readonly where: readonly string[];
}

const examplesMax = 10;

/** Of all integers from `first` on. Call it when no writer runs and every member follows. */
export async function countLost(
  lab: HostsLab,
  ledger: Ledger,
  first: number,
): Promise<Count> {
  const executed = await (await lab.leader(patienceMs)).executed();
  const [lost, ghosts] = [new Set<number>(), new Set<number>()];
  const where: string[] = [];
  for (const node of lab.nodes) {
    const present = await node.integers(executed, first);
    if (present === null) {
      const lacks = format(subtract(parse(executed), parse(await node.executed())));
      throw new Error(`${node.id} does not catch up: it lacks ${lacks}`);
    }
    const absent = ledger.acknowledged.filter(({ integer }) => {
      return integer >= first && !present.has(integer);
    });
    for (const { integer } of absent) lost.add(integer);
    if (absent.length > 0) where.push(`${node.id} lacks ${describe(absent)}`);
    for (const integer of ledger.failed) {
      if (integer >= first && present.has(integer)) ghosts.add(integer);
    }
  }
  return { lost: lost.size, ghosts: ghosts.size, where };
}

/** How many acknowledged integers one node lacks, whatever becomes of the others. */
export async function countLostBy(node: HostNode, { acknowledged }: Ledger): Promise<number> {
  const present = await node.integers(await node.executed());
  if (present === null) throw new Error(`${node.id} does not show its own writes`);
  return acknowledged.filter(({ integer }) => !present.has(integer)).length;
}

function describe(absent: readonly Acknowledgement[]): string {
  const some = absent.slice(-examplesMax).map(({ integer, sentAt, at }) =>
    `${integer} (sent ${Math.round(sentAt)}, acknowledged ${Math.round(at)})`
  );
  return `${absent.length}, the last are ${some.join(", ")}`;
}
