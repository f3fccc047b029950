/** Planted bugs of the rules about votes, members, roles and hand-overs; `planted.ts` has the others. */
import type { PlantedBug } from "./planted.ts";
import {
  majorityOffByOne,
  movesVoteFirst,
  onEffect,
  onMessage,
  withDisk,
  withEvents,
  withState,
} from "./planted_core.ts";
import {
  briefPowerLoss,
  deadRemoval,
  disabledElection,
  forgottenReceipt,
  givenUpHandover,
  idleOnly,
  localCommits,
  looseReceipt,
  restartedLeader,
  returnOfTheOldList,
  slowGrowth,
  splitGrowth,
  twoFounders,
} from "./planted_faults.ts";
import { threeVoters } from "./shape.ts";

export const plantedRules: readonly PlantedBug[] = [
  {
    name: "an election is won with one vote less than a majority",
    plant: { core: majorityOffByOne },
    foundBy: ["acknowledgedIsKept", "oneLeaderATerm", "oneAcknowledger", "liveness"],
    seedsMax: 300,
  },
  {
    name: "a consent counts as a vote",
    plant: {
      core: onMessage("consent", (consent) => ({
        ...consent,
        vote: consent.vote ?? {
          kind: "voteReply",
          term: consent.term + 1,
          granted: "yes",
          refused: null,
          termOfVoter: consent.term + 1,
          held: consent.until,
          membership: null,
          leaderSilentMs: 0,
        },
      })),
    },
    foundBy: ["acknowledgedIsKept", "oneLeaderATerm", "oneAcknowledger", "invariant"],
    seedsMax: 600,
  },
  {
    name: "an uncertain voter grants freely",
    plant: {
      core: onEffect("reply", (effect) => {
        const { message } = effect;
        if (message.kind !== "voteReply" || message.granted !== "conditional") return effect;
        return { ...effect, message: { ...message, granted: "yes" } };
      }),
      forgetful: true,
      aim: forgottenReceipt,
    },
    foundBy: ["acknowledgedIsKept"],
    seedsMax: 1000,
  },
  {
    name: "a restart is judged by the settings of the new run",
    plant: {
      core: withDisk((durable) => ({ ...durable, forgets: { process: null, host: null } })),
      aim: looseReceipt,
      shape: { ...threeVoters, careful: true },
    },
    foundBy: ["acknowledgedIsKept"],
    seedsMax: 1000,
  },
  {
    name: "an idle node acknowledges",
    plant: {
      core: onEffect("follow", (effect) => {
        const { following } = effect;
        if (following === null) return effect;
        return { ...effect, following: { ...following, acknowledge: true } };
      }),
      aim: idleOnly,
      shape: { hosts: 5, founders: 3, idle: [3, 4] },
    },
    foundBy: ["acknowledgedIsKept"],
    seedsMax: 600,
  },
  {
    name: "a disabled node votes",
    plant: {
      core: withState((state, event) =>
        event.kind === "disable" || event.kind === "enable"
          ? state
          : { ...state, durable: { ...state.durable, disabled: false } }
      ),
      aim: disabledElection,
      shape: threeVoters,
    },
    foundBy: ["offIsOff"],
    seedsMax: 300,
  },
  {
    name: "a restart forgets that the node is disabled",
    plant: {
      core: withDisk((durable) => ({ ...durable, disabled: false })),
      aim: disabledElection,
      shape: threeVoters,
    },
    foundBy: ["offIsOff"],
    seedsMax: 600,
  },
  {
    name: "a request for a vote under an older member list is granted",
    plant: {
      core: withEvents((event, state) => {
        if (event.kind !== "received") return event;
        const { message } = event.envelope;
        if (message.kind !== "vote" && message.kind !== "preVote") return event;
        const membership = state.durable.membership ?? message.membership;
        return { ...event, envelope: { ...event.envelope, message: { ...message, membership } } };
      }),
      aim: returnOfTheOldList,
      shape: { hosts: 5, founders: 3, idle: [] },
    },
    foundBy: ["acknowledgedIsKept", "oneLeaderATerm", "oneAcknowledger"],
    seedsMax: 600,
  },
  {
    name: "a new voter acknowledges before the list that made it one is settled",
    plant: {
      core: withState((state) => {
        const { membership } = state.durable;
        if (membership?.newVoter === undefined) return state;
        const { newVoter: _, ...list } = membership;
        return { ...state, durable: { ...state.durable, membership: list } };
      }),
      aim: splitGrowth,
      shape: { hosts: 4, founders: 3, idle: [] },
    },
    foundBy: ["acknowledgedIsKept", "oneAcknowledger"],
    seedsMax: 1500,
  },
  {
    name: "the vote moves before the commit that proves it",
    plant: {
      core: movesVoteFirst,
      aim: slowGrowth,
      shape: { hosts: 3, founders: 2, idle: [] },
    },
    foundBy: ["acknowledgedIsKept", "oneAcknowledger"],
    seedsMax: 1500,
  },
  {
    name: "a node promises itself to two foundings",
    plant: {
      core: withState((state, event) => {
        if (event.kind !== "received") return state;
        const { message } = event.envelope;
        if (message.kind === "foundingPromise") {
          return { ...state, durable: { ...state.durable, founding: null } };
        }
        if (message.kind !== "foundingStore" || state.durable.membership !== null) return state;
        const { cluster, members } = message.membership;
        const { from: founder } = event.envelope;
        const founding = { cluster, founder, members: members.map(({ id }) => id) };
        return { ...state, durable: { ...state.durable, founding } };
      }),
      aim: twoFounders,
      shape: { hosts: 5, founders: 5, idle: [], fresh: true },
    },
    foundBy: ["oneCluster"],
    seedsMax: 600,
  },
  {
    name: "a leader whose server was restarted goes on leading",
    plant: {
      aim: restartedLeader,
      core: withEvents((event, state) => {
        if (event.kind !== "server" || state.role !== "leader") return event;
        const { incarnation } = state.durable;
        const seen = { incarnation, open: true, writable: true, health: "alive" as const };
        return { ...event, view: { ...event.view, ...seen } };
      }),
    },
    foundBy: ["liveness", "oneAcknowledger", "acknowledgedIsKept"],
    seedsMax: 300,
  },
  {
    name: "extra transactions are judged again with every heartbeat",
    plant: {
      core: withState((state, event) =>
        event.kind === "received" && event.envelope.message.kind === "heartbeat"
          ? { ...state, durable: { ...state.durable, lastLeader: null }, following: null }
          : state
      ),
    },
    foundBy: ["liveness"],
    seedsMax: 100,
  },
  {
    name: "binlogUnsynced",
    plant: { flaws: { binlogUnsynced: true }, aim: briefPowerLoss },
    foundBy: ["numberedOnce", "acknowledgedIsKept"],
    seedsMax: 300,
  },
  {
    name: "errantCounts",
    plant: { flaws: { errantCounts: true }, aim: localCommits, shape: threeVoters },
    foundBy: ["liveness"],
    seedsMax: 100,
  },
  {
    name: "a node does not tell that it has errant transactions",
    plant: {
      core: onEffect("reply", (effect) => {
        const { message } = effect;
        if (message.kind !== "heartbeatReply") return effect;
        return { ...effect, message: { ...message, errant: false } };
      }),
      aim: givenUpHandover,
      shape: { hosts: 4, founders: 4, idle: [] },
    },
    foundBy: ["liveness"],
    seedsMax: 100,
  },
  {
    name: "fenceLies",
    plant: { flaws: { fenceLies: true } },
    foundBy: ["oneAcknowledger", "acknowledgedIsKept", "liveness"],
    seedsMax: 100,
  },
  {
    name: "opensHalf",
    plant: { flaws: { opensHalf: true } },
    foundBy: ["liveness"],
    seedsMax: 3,
  },
  {
    name: "changesBesideStopped",
    plant: { flaws: { changesBesideStopped: true } },
    foundBy: ["acknowledgedIsKept", "liveness"],
    seedsMax: 300,
  },
  {
    name: "arrangesNothing",
    plant: {
      flaws: { arrangesNothing: true },
      aim: slowGrowth,
      shape: { hosts: 3, founders: 2, idle: [] },
    },
    foundBy: ["acknowledgedIsKept", "oneAcknowledger"],
    seedsMax: 1000,
  },
  {
    name: "a removal does not lock the account",
    plant: {
      flaws: { removesWithoutLock: true },
      aim: deadRemoval,
      shape: { hosts: 4, founders: 4, idle: [] },
    },
    foundBy: ["acknowledgedIsKept"],
    seedsMax: 1500,
  },
];
