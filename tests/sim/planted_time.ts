/** Planted bugs of the rules about time: answers that come late, leases, the virtual address. */
import type { Event } from "../../raft/event.ts";
import type { PlantedBug } from "./planted.ts";
import { onMessage, withEvents } from "./planted_core.ts";
import {
  deadAgents,
  deadInTheDark,
  frozenCommand,
  lateVotes,
  restartedVoter,
} from "./planted_time_faults.ts";
import { threeVoters } from "./shape.ts";

export const plantedTime: readonly PlantedBug[] = [
  {
    name: "a vote of an older term counts in the present one",
    plant: {
      core: onMessage("voteReply", (reply, { state }) => ({ ...reply, term: state.durable.term })),
      aim: lateVotes,
      shape: threeVoters,
    },
    foundBy: ["oneLeaderATerm", "acknowledgedIsKept", "oneAcknowledger"],
    seedsMax: 600,
  },
  {
    name: "the lease is longer than the election timeout",
    plant: { configure: (config) => ({ ...config, leaseMs: 2 * config.electionMs }) },
    foundBy: ["leaseEnds"],
    seedsMax: 300,
  },
  {
    name: "the lease runs from the answers",
    plant: { core: withEvents(sentWhenAnswered), aim: lateVotes, shape: threeVoters },
    foundBy: ["leaseEnds", "oneAddress"],
    seedsMax: 600,
  },
  {
    name: "addressKept",
    plant: { flaws: { addressKept: true } },
    foundBy: ["oneAddress"],
    seedsMax: 300,
  },
  {
    name: "addressUnverified",
    plant: { flaws: { addressUnverified: true }, aim: deadInTheDark },
    foundBy: ["oneAddress"],
    seedsMax: 300,
  },
  {
    name: "addressTakenAtOnce",
    plant: { flaws: { addressTakenAtOnce: true }, aim: deadAgents },
    foundBy: ["oneAddress"],
    seedsMax: 300,
  },
  {
    name: "addressBroughtBack",
    plant: { flaws: { addressBroughtBack: true }, aim: frozenCommand },
    foundBy: ["oneAddress"],
    seedsMax: 300,
  },
  {
    name: "a voter that remembers no leader counts as one that heard none for long",
    plant: {
      core: onMessage(
        "voteReply",
        (reply) => ({ ...reply, leaderSilentMs: reply.leaderSilentMs ?? 60_000 }),
      ),
      aim: restartedVoter,
      shape: threeVoters,
    },
    foundBy: ["oneAddress"],
    seedsMax: 300,
  },
];

function sentWhenAnswered(event: Event): Event {
  if (event.kind !== "received" || event.envelope.message.kind !== "heartbeatReply") return event;
  const message = { ...event.envelope.message, sentAt: event.at };
  return { ...event, envelope: { ...event.envelope, message } };
}
