/** After the faults: a leader is back, takes writes, and everybody follows it or says why not. */
import type { SimAgent } from "./agent.ts";
import { type Checkers, Violation } from "./checkers.ts";
import type { FakeServer } from "./fake_mysql.ts";
import { compactPositions } from "./transactions.ts";
import { nameOf } from "./view.ts";

/** How fresh the newest acknowledged write must be at the end. */
const freshMs = 2000;

export function demandLife(
  world: {
    readonly agents: readonly SimAgent[];
    readonly servers: readonly FakeServer[];
    readonly checkers: Checkers;
    readonly now: number;
  },
): void {
  const { agents, servers, checkers, now } = world;
  const leaders = agents.filter(({ state }) =>
    state?.role === "leader" && state.stage === "leading"
  );
  const leader = leaders[0];
  const states = agents.map((agent) => sentence(agent)).join("; ");
  if (leader === undefined && onlyTheLeavingKnows(agents, servers)) return;
  if (leader === undefined) {
    throw new Violation("liveness", `nobody leads after healing: ${states}`);
  }
  const server = servers[leader.index] as FakeServer;
  checkers.finish(server);
  if (!server.writable) {
    throw new Violation("liveness", `leader ${nameOf(leader.index)} is not writable: ${states}`);
  }
  if (!leader.hasAddress) {
    const who = nameOf(leader.index);
    throw new Violation("liveness", `leader ${who} does not have the virtual address: ${states}`);
  }
  if (now - checkers.lastAcknowledgedAt > freshMs) {
    const ago = Math.round(now - checkers.lastAcknowledgedAt);
    throw new Violation("liveness", `no write was acknowledged for ${ago} ms: ${states}`);
  }
  const members = leader.state?.durable.membership?.members ?? [];
  const unsettled = members.find(({ kind }) => kind === "leaving");
  if (unsettled !== undefined) {
    throw new Violation("liveness", `${unsettled.id} never left: ${states}`);
  }
  for (const agent of agents) {
    const isMember = members.some((member) => member.id === nameOf(agent.index));
    if (isMember && agent !== leader && !content(agent, leader, servers)) {
      throw new Violation("liveness", `${nameOf(agent.index)} does not follow: ${states}`);
    }
  }
}

/**
 * A voter whose removal has begun may not lead. Where it alone holds the last writes, and all others may
 * have lost what they received, nobody knows what was acknowledged: then nobody is elected, rightly.
 */
function onlyTheLeavingKnows(
  agents: readonly SimAgent[],
  servers: readonly FakeServer[],
): boolean {
  const kindOf = ({ index, disk }: SimAgent) =>
    disk.membership?.members.find(({ id }) => id === nameOf(index))?.kind;
  const heldBy = ({ index }: SimAgent) => (servers[index] as FakeServer).held.text();
  const leaving = agents.find((agent) => kindOf(agent) === "leaving");
  const others = agents.filter((agent) => kindOf(agent) === "voter");
  return leaving !== undefined &&
    others.every((other) =>
      other.disk.uncertain !== null && !compactPositions.contains(heldBy(other), heldBy(leaving))
    );
}

/** Follows the leader, is a witness, or says why it does not. */
function content(
  agent: SimAgent,
  leader: SimAgent,
  servers: readonly FakeServer[],
): boolean {
  const { state } = agent;
  const server = servers[agent.index];
  if (state?.role !== "follower") return false;
  if (state.leader?.id !== nameOf(leader.index)) return false;
  if (state.invalid !== null || agent.isWitness) return true;
  return server?.upstream?.source.index === leader.index;
}

function sentence(agent: SimAgent): string {
  const { state } = agent;
  if (state === null) return `${nameOf(agent.index)} is down`;
  const stage = state.role === "leader" ? ` ${state.stage}` : "";
  return `${nameOf(agent.index)} ${state.role}${stage} term ${state.durable.term} (${state.why})`;
}
