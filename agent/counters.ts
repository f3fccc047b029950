/** Counts for operators: role changes and messages since the start of the agent. */
import type { Role } from "./wire_status.ts";

type Counts = Record<
  | "leaderPromotes"
  | "leaderDegrades"
  | "leaderGetHeartbeats"
  | "leaderGetVotes"
  | "candidatePromotes"
  | "candidateDegrades",
  number
>;

/** The counters of one agent. */
export class Counters {
  readonly #counts: Counts = {
    leaderPromotes: 0,
    leaderDegrades: 0,
    leaderGetHeartbeats: 0,
    leaderGetVotes: 0,
    candidatePromotes: 0,
    candidateDegrades: 0,
  };
  #role: Role | null = null;

  get current(): Readonly<Counts> {
    return this.#counts;
  }

  /** Notes the present role; true when it is another one than before. */
  enter(role: Role): boolean {
    const before = this.#role;
    if (role === before) return false;
    this.#role = role;
    if (before === "LEADER") this.#counts.leaderDegrades++;
    if (before === "CANDIDATE" && role !== "LEADER") this.#counts.candidateDegrades++;
    if (role === "LEADER") this.#counts.leaderPromotes++;
    if (role === "CANDIDATE") this.#counts.candidatePromotes++;
    return true;
  }

  /** Notes a message that came in while this node had a role. */
  heard(kind: string, role: string): void {
    if (role !== "leader") return;
    if (kind === "heartbeat") this.#counts.leaderGetHeartbeats++;
    if (kind === "vote") this.#counts.leaderGetVotes++;
  }
}
