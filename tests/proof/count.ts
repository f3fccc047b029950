/** Looks for every acknowledged integer on every member. */
import type { Ledger } from "../../cmd/demo/ledger.ts";
import type { HostsLab } from "../live/hosts_lab.ts";

const patienceMs = 60_000;

/** Of all integers from `first` on. Call it when no writer runs and every member follows. */
export async function countLost(
  lab: HostsLab,
  ledger: Ledger,
  first: number,
): Promise<{ readonly lost: number; readonly ghosts: number }> {
  const executed = await (await lab.leader(patienceMs)).executed();
  const [lost, ghosts] = [new Set<number>(), new Set<number>()];
  for (const node of lab.nodes) {
    const present = await node.integers(executed, first);
    if (present === null) throw new Error(`${node.id} does not catch up`);
    for (const { integer } of ledger.acknowledged) {
      if (integer >= first && !present.has(integer)) lost.add(integer);
    }
    for (const integer of ledger.failed) {
      if (integer >= first && present.has(integer)) ghosts.add(integer);
    }
  }
  return { lost: lost.size, ghosts: ghosts.size };
}
