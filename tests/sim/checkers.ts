/** The promises, checked while a run goes on. Each broken one has a name. */
import type { Envelope } from "../../raft/message.ts";
import type { Durable } from "../../raft/types.ts";
import type { SimAgent } from "./agent.ts";
import type { Observer } from "./surroundings.ts";
import type { Clock } from "./clock.ts";
import type { FakeServer, Session } from "./fake_mysql.ts";
import type { Connection } from "./replication.ts";
import { compactPositions, type Transaction } from "./transactions.ts";
import { nameOf } from "./view.ts";
import { isNewer } from "../../raft/list_version.ts";

export type CheckerName =
  | "oneLeaderATerm"
  | "oneAcknowledger"
  | "acknowledgedIsKept"
  | "durableNeverGoesBack"
  | "recordBeforeWord"
  | "oneVoteATerm"
  | "invariant"
  | "oneCluster"
  | "offIsOff"
  | "numberedOnce"
  | "oneAddress"
  | "leaseEnds"
  | "liveness";

/** A broken promise ends the run. */
export class Violation extends Error {
  override readonly name = "Violation";
  readonly checker: CheckerName;

  constructor(checker: CheckerName, message: string) {
    super(`${checker}: ${message}`);
    this.checker = checker;
  }
}

interface Opening {
  readonly index: number;
  readonly term: number;
  readonly at: number;
}

export class Checkers implements Observer {
  readonly #clock: Clock;
  readonly #servers: readonly FakeServer[];
  readonly #leaders = new Map<number, string>();
  readonly #votes = new Map<string, string>();
  readonly #openings: Opening[] = [];
  readonly #foundings = new Map<string, readonly string[]>();
  /** The newest number that each origin gave out. */
  readonly #numbered = new Map<string, number>();
  /** Every acknowledged write, newest of each origin: sets have no gaps. */
  readonly #acknowledged = new Map<string, number>();
  acknowledgedCount = 0;
  lastAcknowledgedAt = 0;
  /** Requests of operators that were answered, as `node/request`. */
  readonly answers = new Map<string, string | null>();
  isOff: (index: number) => boolean = () => false;
  onAnswered: (index: number, request: number, refused: string | null) => void = () => {};
  onRecorded: (index: number, disk: Durable) => void = () => {};
  onOpened: (index: number, term: number) => void = () => {};
  onStepped: (agent: SimAgent) => void = () => {};

  constructor(clock: Clock, servers: readonly FakeServer[]) {
    this.#clock = clock;
    this.#servers = servers;
    for (const server of servers) {
      server.onAcknowledged = (session) => this.#heardOk(server, session);
      server.onNumbered = (transaction) => this.#numberedOnce(transaction);
    }
  }

  get leaderCount(): number {
    return this.#leaders.size;
  }

  /** The leader that opened last, by term. */
  get newestOpening(): Opening | undefined {
    return this.#openings.reduce<Opening | undefined>(
      (best, opening) => best === undefined || opening.term > best.term ? opening : best,
      undefined,
    );
  }

  /** A leader acts: what it decided in memory alone, before a crash, does not count. */
  leads = (index: number, run: number, term: number): void => {
    const leader = `${nameOf(index)} (life ${run})`;
    const known = this.#leaders.get(term);
    if (known === undefined) this.#leaders.set(term, leader);
    else if (known !== leader) {
      throw new Violation("oneLeaderATerm", `term ${term} is led by ${known} and by ${leader}`);
    }
  };

  persisted = (index: number, before: Durable, after: Durable): void => {
    this.onRecorded(index, after);
    const went = (what: string) => {
      throw new Violation("durableNeverGoesBack", `${what} on the disk of ${nameOf(index)}`);
    };
    if (after.term < before.term) went(`the term fell from ${before.term} to ${after.term}`);
    const revoted = after.term === before.term && before.votedFor !== null &&
      after.votedFor !== before.votedFor;
    if (revoted) went(`the vote of term ${after.term} changed`);
    const [list, former] = [after.membership, before.membership];
    if (former !== null && (list === null || isNewer(former, list))) went("the list became older");
    if (after.resigned < before.resigned) went("a resignation was taken back");
    this.#foundedOnce(after.membership);
    // In step with the leader of a later marker, a node gives up what that one opened without.
    const healed = compactPositions.markerTerm(after.promised, "") >
      compactPositions.markerTerm(before.promised, "");
    if (!healed && !compactPositions.contains(after.promised, before.promised)) {
      went(`the promise shrank from ${before.promised} to ${after.promised}`);
    }
  };

  /** Two clusters of which one node is a member of both must never come to be. */
  #foundedOnce(membership: Durable["membership"]): void {
    if (membership === null || membership.epoch !== 1) return;
    const ids = membership.members.map((member) => member.id as string);
    this.#foundings.set(membership.cluster, ids);
    for (const [cluster, others] of this.#foundings) {
      if (cluster === membership.cluster) continue;
      const both = ids.find((id) => others.includes(id));
      if (both === undefined) continue;
      const sentence = `${both} is a founding member of ${cluster} and of ${membership.cluster}`;
      throw new Violation("oneCluster", sentence);
    }
  }

  said = (index: number, disk: Durable, envelope: Envelope): void => {
    const { message } = envelope;
    const unwritten = (what: string) => {
      throw new Violation("recordBeforeWord", `${nameOf(index)} said ${what} before writing it`);
    };
    if ((message.kind === "heartbeat" || message.kind === "vote") && message.term > disk.term) {
      unwritten(`term ${message.term}`);
    }
    if (message.kind === "vote" && disk.term === message.term && disk.votedFor !== envelope.from) {
      unwritten(`its own vote of term ${message.term}`);
    }
    if (message.kind === "consent" && disk.resigned < message.term) unwritten("a consent");
    if (message.kind !== "voteReply" || message.granted === "no") return;
    if (disk.disabled || this.isOff(index)) {
      throw new Violation("offIsOff", `${nameOf(index)} is disabled and votes in ${message.term}`);
    }
    if (disk.term < message.term) unwritten(`a vote of term ${message.term}`);
    if (disk.term === message.term && disk.votedFor !== envelope.to) unwritten("a vote");
    const ballot = `${message.term}/${index}`;
    const known = this.#votes.get(ballot) ?? envelope.to;
    if (known !== envelope.to) {
      const both = `${known} and for ${envelope.to}`;
      throw new Violation("oneVoteATerm", `${nameOf(index)} voted for ${both} in ${message.term}`);
    }
    this.#votes.set(ballot, envelope.to);
  };

  opened = (index: number, term: number): void => {
    const server = this.#servers[index] as FakeServer;
    this.#openings.push({ index, term, at: this.#clock.now });
    const newest = this.newestOpening;
    // One that opens late, after a newer one, can acknowledge nothing: that is checked elsewhere.
    if (newest?.term === term) this.#demandAll(server, `leader ${nameOf(index)} of term ${term}`);
    for (const other of this.#servers) this.#demandStarved(other);
    this.onOpened(index, term);
  };

  stepped = (agent: SimAgent): void => this.onStepped(agent);

  answered = (index: number, request: number, refused: string | null): void => {
    this.answers.set(`${index}/${request}`, refused);
    this.onAnswered(index, request, refused);
  };

  /** A receiver reached a source: could an old leader acknowledge again? */
  connected = (connection: Connection): void => this.#demandStarved(connection.source);

  /** At the end, everything acknowledged is in the leader. */
  finish(leader: FakeServer): void {
    this.#demandAll(leader, `final leader ${nameOf(leader.index)}`);
  }

  /** Two transactions of one number look the same in every comparison of sets. */
  #numberedOnce({ origin, number }: Transaction): void {
    if (number <= (this.#numbered.get(origin) ?? 0)) {
      throw new Violation("numberedOnce", `${origin}${number} was given to a second transaction`);
    }
    this.#numbered.set(origin, number);
  }

  #heardOk(server: FakeServer, session: Session): void {
    const write = session.transaction;
    const term = server.openedFor;
    if (write === null) return;
    const newest = this.newestOpening;
    this.acknowledgedCount++;
    this.lastAcknowledgedAt = this.#clock.now;
    const text = `${write.origin}${write.number}`;
    if (term === null && (newest === undefined || newest.at < session.began)) {
      throw new Violation(
        "oneAcknowledger",
        `${nameOf(server.index)} acknowledged ${text} without being opened`,
      );
    }
    const later = newest !== undefined && newest.term > (term ?? 0) ? newest : undefined;
    if (later !== undefined && later.index !== server.index && later.at < session.began) {
      throw new Violation(
        "oneAcknowledger",
        `${nameOf(server.index)} acknowledged ${text}, begun after ` +
          `${nameOf(later.index)} opened term ${later.term}`,
      );
    }
    this.#acknowledged.set(
      write.origin,
      Math.max(write.number, this.#acknowledged.get(write.origin) ?? 0),
    );
    if (later !== undefined) this.#demand(this.#servers[later.index] as FakeServer, write);
  }

  #demand(server: FakeServer, write: Transaction): void {
    if (server.held.has(write)) return;
    const text = `${write.origin}${write.number}`;
    throw new Violation(
      "acknowledgedIsKept",
      `${text} was acknowledged, but ${nameOf(server.index)} opened without it`,
    );
  }

  #demandAll(server: FakeServer, who: string): void {
    for (const [origin, number] of this.#acknowledged) {
      if (server.held.has({ origin, number })) continue;
      const held = server.held.count(origin);
      throw new Violation(
        "acknowledgedIsKept",
        `${origin}${number} was acknowledged, but ${who} holds only ${origin}${held}`,
      );
    }
  }

  /** An opened server of an older term must not reach enough running receivers. */
  #demandStarved(server: FakeServer): void {
    const newest = this.newestOpening;
    const term = server.openedFor;
    if (!newest || term === null || term >= newest.term || !server.writable) return;
    const able = [...server.downstream].filter((connection) => connection.acknowledges).length;
    if (server.semiSync.on && able < server.semiSync.k) return;
    throw new Violation(
      "oneAcknowledger",
      `${
        nameOf(server.index)
      } of term ${term} can still acknowledge (${able} receivers) although ` +
        `${nameOf(newest.index)} opened term ${newest.term}`,
    );
  }
}
