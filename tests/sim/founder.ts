/**
 * "cluster add" on fresh nodes, as one agent serves it: promise, store, go, each step everywhere before
 * the next one anywhere. It stops where its own agent dies, and an operator begins again.
 */
import type { FoundingMessage, Message, Verdict } from "../../raft/message.ts";
import type { Founding, Member, NodeId } from "../../raft/types.ts";
import type { SimAgent } from "./agent.ts";
import type { Clock } from "./clock.ts";
import type { Dice } from "./dice.ts";
import type { Network } from "./network.ts";
import { nameOf } from "./view.ts";

export interface FounderWorld {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly network: Network;
  readonly agents: readonly SimAgent[];
}

/** What the members answered, null where one did not in time. */
type Heard = (verdicts: readonly (Verdict | null)[]) => void;

const roundMs = 400;
const vainMax = 3;
const againMsMax = 1200;

export class Founder {
  readonly #world: FounderWorld;
  /** The node on which the operator says "cluster add". */
  readonly #at: number;
  readonly #members: readonly Member[];
  /** The operator gives up then. */
  readonly #untilMs: number;
  readonly #mark: string;
  #drawn = 0;
  /** Turns in which others had promised themselves elsewhere. */
  #vain = 0;

  constructor(
    world: FounderWorld,
    wanted: {
      readonly at: number;
      readonly members: readonly Member[];
      readonly untilMs: number;
      /** Tells the clusters that it draws from those of another operator on this node. */
      readonly mark?: string;
    },
  ) {
    this.#mark = wanted.mark ?? "";
    this.#untilMs = wanted.untilMs;
    this.#world = world;
    this.#at = wanted.at;
    this.#members = wanted.members;
  }

  /** Says it, and says it again later until this node is in a cluster. */
  run(): void {
    const { clock, dice } = this.#world;
    clock.after(dice.between(50, againMsMax), () => {
      const agent = this.#agent(this.#at);
      const disks = this.#members.map((member) => this.#agent(indexOf(member.id)).disk);
      // What is stored somewhere has to be finished.
      if (clock.now > this.#untilMs && disks.every((disk) => disk.membership === null)) return;
      const done = disks.every((disk) => disk.membership !== null && disk.founding === null);
      if (done) return;
      this.run();
      if (agent.alive) this.#found(agent);
    });
  }

  #found(own: SimAgent): void {
    const disks = this.#members.map((member) => this.#agent(indexOf(member.id)).disk);
    const begun = disks.find((disk) => disk.founding !== null && disk.membership !== null);
    const members = this.#members.map((member) => member.id);
    const list = begun?.membership?.members.map((member) => member.id) ?? members;
    if (list.join() !== members.join()) return;
    const settled = disks.some((disk) => disk.membership !== null && disk.founding === null);
    if (settled && begun === undefined) return;
    const drawn = `${nameOf(this.#at)}${own.run}-${++this.#drawn}${this.#mark}`;
    const cluster = begun?.membership?.cluster ?? drawn;
    if (begun !== undefined) return this.#store(cluster, { begun: true });
    const founding = { cluster, founder: nameOf(this.#at) as NodeId, members };
    this.#tellHereFirst({ kind: "foundingPromise", founding }, (verdicts) => {
      if (refused(verdicts)) this.#givenUp(cluster, verdicts);
      else this.#store(cluster, { begun: false });
    });
  }

  /** After a few vain turns the founders of other foundings are asked to give them up. */
  #givenUp(cluster: string, verdicts: readonly (Verdict | null)[]): void {
    this.#release(cluster);
    const rivals = verdicts.flatMap((verdict) =>
      verdict !== null && verdict.refused !== null ? verdict.founding ?? [] : []
    ).filter((other) => other.cluster !== cluster);
    if (rivals.length > 0 && ++this.#vain % vainMax === 0) rivals.forEach((one) => this.#end(one));
  }

  /** Without the founder's own promise its list is never stored, so all may be free of it. */
  #end({ cluster, founder, members }: Founding): void {
    const release = { kind: "foundingRelease", cluster } as const;
    const named = (wanted: (id: NodeId) => boolean) =>
      this.#members.filter(({ id }) => members.includes(id) && wanted(id));
    this.#tellEach(named((id) => id === founder), release, ([own]) => {
      if (own === undefined || own === null || own.refused !== null) return;
      if (own.membership?.cluster === cluster) return;
      this.#tellEach(named((id) => id !== founder), release, () => {});
    });
  }

  #release(cluster: string): void {
    this.#tellAll({ kind: "foundingRelease", cluster }, () => {});
  }

  #store(cluster: string, how: { readonly begun: boolean }): void {
    const membership = { cluster, epoch: 1, members: this.#members };
    this.#tellHereFirst({ kind: "foundingStore", membership, ...how }, (verdicts) => {
      const [own] = verdicts;
      if (refused(verdicts)) {
        const nowhere = !how.begun && own !== null && own?.refused !== null;
        return nowhere ? this.#release(cluster) : undefined;
      }
      const first = this.#members.find((member) => member.kind !== "witness")?.id ?? ("" as NodeId);
      this.#tellAll({ kind: "foundingGo", cluster, first }, () => {});
    });
  }

  /** The own node first, and nobody else where it refuses. */
  #tellHereFirst(message: FoundingMessage, then: Heard): void {
    const others = this.#members.filter(({ id }) => indexOf(id) !== this.#at);
    const own = this.#members.filter(({ id }) => indexOf(id) === this.#at);
    this.#tellEach(own, message, (here) => {
      if (refused(here)) return then(here);
      this.#tellEach(others, message, (there) => then([...here, ...there]));
    });
  }

  #tellAll(message: FoundingMessage, then: Heard): void {
    this.#tellEach(this.#members, message, then);
  }

  /** Goes on when all answered or the round is over, if the own agent still lives. */
  #tellEach(members: readonly Member[], message: FoundingMessage, then: Heard): void {
    const { clock } = this.#world;
    const run = this.#agent(this.#at).run;
    const verdicts: (Verdict | null)[] = members.map(() => null);
    let over = false;
    const finish = () => {
      if (over || this.#agent(this.#at).run !== run) return;
      over = true;
      then(verdicts);
    };
    members.forEach((member, place) => {
      this.#ask(indexOf(member.id), message, (answer) => {
        if (over || answer.kind !== "verdict") return;
        verdicts[place] = answer;
        if (verdicts.every((verdict) => verdict !== null)) finish();
      });
    });
    clock.after(roundMs, finish);
  }

  #ask(to: number, message: FoundingMessage, hear: (answer: Message) => void): void {
    const { clock, network } = this.#world;
    const own = this.#agent(this.#at);
    const envelope = {
      cluster: null,
      from: nameOf(this.#at) as NodeId,
      member: own.disk.member,
      to: nameOf(to) as NodeId,
      message,
    };
    // An agent asks itself without a network.
    if (to === this.#at) return own.hears(envelope, hear);
    for (const delayMs of network.arrivals(this.#at, to)) {
      clock.after(delayMs, () =>
        this.#agent(to).hears(envelope, (answer) => {
          for (const backMs of network.arrivals(to, this.#at)) {
            clock.after(backMs, () => hear(answer));
          }
        }));
    }
  }

  #agent(index: number): SimAgent {
    return this.#world.agents[index] as SimAgent;
  }
}

function refused(verdicts: readonly (Verdict | null)[]): boolean {
  return verdicts.some((verdict) => verdict === null || verdict.refused !== null);
}

function indexOf(id: NodeId): number {
  return id.charCodeAt(0) - "a".charCodeAt(0);
}
