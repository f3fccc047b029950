/** Deadlines. The loop sleeps until the soonest one, or until something happens. */
import type { Common, State } from "./state.ts";
import type { Config, Membership, Millis, NodeId } from "./types.ts";
import { spread } from "./prng.ts";
import { othersCanElect, quorum, voters } from "./quorum.ts";

/** When this node wants its next tick, in its own monotonic milliseconds. */
export function nextDeadline(config: Config, state: State): Millis {
  return Math.min(roleDeadline(config, state), successionDeadline(config, state));
}

/** A fence that has taken the virtual address down is told as such, also before it is over. */
export function released(state: State): boolean {
  return state.role !== "fencing" || state.released;
}

/** How long a resigned leader waits for all voters to say what they hold. */
export function successionMs(config: Config): Millis {
  return Math.max(config.electionMs / 5, 50);
}

/** The longest that it takes to name a successor, from the resignation on. */
export function successionMaxMs(config: Config): Millis {
  return successionMs(config) + addressWaitMs(config);
}

/**
 * When a resigned leader names its successor at the latest. It waits a little longer for its virtual
 * address: a successor that does not know it free must wait for the whole lease of the address.
 */
export function successionDeadline(config: Config, state: State): Millis {
  if (state.succession === null) return Infinity;
  const { decideAt } = state.succession;
  return released(state) ? decideAt : decideAt + addressWaitMs(config);
}

function addressWaitMs(config: Config): Millis {
  return config.electionMs / 4;
}

function roleDeadline(config: Config, state: State): Millis {
  switch (state.role) {
    case "follower":
      return state.electionAt;
    case "candidate":
      return state.giveUpAt;
    case "leader": {
      const lease = leaseEnd(config, state.durable.membership, state.acks);
      const next = Math.min(state.heartbeatAt, lease);
      return state.handover === null ? next : Math.min(next, state.handover.giveUpAt);
    }
    case "fencing":
      return Infinity;
  }
}

/** No server applies a transaction in less. */
const applyMs = 0.1;

/**
 * A full election timeout from now, and up to half of one more. Two that stand at the same time settle
 * it between themselves before anything is promised, so the spread can be small.
 */
export function electionTimer(config: Config, state: Common, at: Millis): [number, Millis] {
  const [seed, wait] = spread(state.seed, config.electionMs, config.electionMs / 2);
  return [seed, at + wait + deferenceMs(config, state)];
}

/**
 * The wait after a lost round. Short, because pre-votes protect a live leader, but wide against the
 * time of a round, so that two candidates do not collide again.
 */
export function retryTimer(config: Config, state: Common, at: Millis): [number, Millis] {
  const [seed, wait] = spread(state.seed, config.electionMs / 8, config.electionMs / 4);
  return [seed, at + wait + deferenceMs(config, state)];
}

/** How long a node leaves the first word to others that may be the better leaders. */
function deferenceMs(config: Config, { durable, server }: Common): Millis {
  const { uncertain, lastLeader } = durable;
  // An uncertain node is elected by all or by nobody, while its vote counts fully for the leader that it
  // followed last. Standing first, it would take from that one what it needs: whoever votes for another
  // does not know any more whom its receiver follows.
  if (uncertain !== null && lastLeader?.id !== config.id) return config.electionMs;
  // Elected, it would have to apply all that before it opens. It loses nothing, as it applies meanwhile.
  return Math.min(server.unapplied * applyMs, config.electionMs / 2);
}

/**
 * When the lease of a leader ends: `leaseMs` after the *sending* of the last round that a quorum
 * answered (the leader itself counts as always answering). Infinity where no lease is needed.
 */
export function leaseEnd(
  config: Config,
  membership: Membership | null,
  acks: Readonly<Record<NodeId, Millis>>,
): Millis {
  if (membership === null) return Infinity;
  if (!othersCanElect(membership)) return Infinity;
  const { q } = quorum(membership);
  const others = voters(membership).filter((voter) => voter.id !== config.id);
  const newestFirst = others.map((voter) => acks[voter.id] ?? -Infinity).sort((a, b) => b - a);
  return (newestFirst[q - 2] ?? -Infinity) + config.leaseMs;
}
