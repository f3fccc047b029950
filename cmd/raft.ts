/** Runs `xenon raft ...`. */
import type { Outcome } from "./exit.ts";
import { printFacts } from "./facts.ts";
import { changeDeadlineMs, factsDeadlineMs, openCluster } from "./open.ts";
import type { Surroundings } from "./ports.ts";
import { raftTryToLeader } from "./raft_change.ts";
import { raftNodes, raftStatus } from "./raft_facts.ts";
import { turnSwitch } from "./switch.ts";
import type { RaftCommand } from "./tree/raft.ts";

const shown = { status: raftStatus, nodes: raftNodes } as const;

/** The runner of the group. */
export async function runRaft(command: RaftCommand, around: Surroundings): Promise<Outcome> {
  const cluster = await openCluster(command.common, around);
  switch (command.kind) {
    case "trytoleader":
      return await raftTryToLeader(cluster, { deadlineMs: changeDeadlineMs(command.common) });
    case "switch": {
      const { name, on } = command;
      return await turnSwitch(cluster, { name, on, deadlineMs: changeDeadlineMs(command.common) });
    }
    default: {
      const facts = await shown[command.kind](cluster, factsDeadlineMs(command.common));
      return printFacts(facts, { form: command.form, colour: around.world.colour });
    }
  }
}
