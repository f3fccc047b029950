/** Runs `xenon raft ...`. */
import type { Outcome } from "./exit.ts";
import { changeDeadlineMs, factsDeadlineMs, openCluster } from "./open.ts";
import type { Surroundings } from "./ports.ts";
import { raftTryToLeader } from "./raft_change.ts";
import { raftNodes, raftStatus } from "./raft_facts.ts";
import type { RaftCommand } from "./tree/raft.ts";

/** The runner of the group. */
export async function runRaft(command: RaftCommand, around: Surroundings): Promise<Outcome> {
  const cluster = await openCluster(command.common, around);
  const factsMs = factsDeadlineMs(command.common);
  const changeMs = changeDeadlineMs(command.common);
  switch (command.kind) {
    case "status":
      return await raftStatus(cluster, { form: command.form, deadlineMs: factsMs });
    case "nodes":
      return await raftNodes(cluster, { form: command.form, deadlineMs: factsMs });
    case "trytoleader":
      return await raftTryToLeader(cluster, { deadlineMs: changeMs });
  }
}
