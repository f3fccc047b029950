/** Runs `xenon raft ...`. */
import { runChange } from "./cluster_change.ts";
import type { Outcome } from "./exit.ts";
import { printFacts } from "./facts.ts";
import { changeDeadlineMs, factsDeadlineMs, openCluster } from "./open.ts";
import type { Surroundings } from "./ports.ts";
import { changeRole } from "./raft_change.ts";
import { raftNodes, raftStatus } from "./raft_facts.ts";
import { turnSwitch } from "./switch.ts";
import type { RaftCommand } from "./tree/raft.ts";

const shown = { status: raftStatus, nodes: raftNodes } as const;

/** The runner of the group. */
export async function runRaft(command: RaftCommand, around: Surroundings): Promise<Outcome> {
  const cluster = await openCluster(command.common, around);
  const deadlineMs = changeDeadlineMs(command.common);
  switch (command.kind) {
    case "trytoleader":
    case "disable":
    case "enable":
      return await changeRole(cluster, command.kind, { deadlineMs });
    case "add":
    case "remove":
      return await runChange(cluster, command, around.world);
    case "switch": {
      const { name, on } = command;
      return await turnSwitch(cluster, { name, on, deadlineMs });
    }
    default: {
      const facts = await shown[command.kind](cluster, factsDeadlineMs(command.common));
      return printFacts(facts, { form: command.form, colour: around.world.colour });
    }
  }
}
