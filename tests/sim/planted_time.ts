/** Planted bugs of the rules about time: answers that come late, leases, the virtual address. */
import type { PlantedBug } from "./planted.ts";
import { onMessage } from "./planted_core.ts";
import { lateVotes } from "./planted_faults.ts";

export const plantedTime: readonly PlantedBug[] = [
  {
    name: "a vote of an older term counts in the present one",
    plant: {
      core: onMessage("voteReply", (reply, { state }) => ({ ...reply, term: state.durable.term })),
      aim: lateVotes,
      shape: { hosts: 3, founders: 3, idle: [] },
    },
    foundBy: ["oneLeaderATerm", "acknowledgedIsKept", "oneAcknowledger"],
    seedsMax: 600,
  },
];
