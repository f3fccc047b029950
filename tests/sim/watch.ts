/**
 * What one agent does at every look at its server: tells the core what changed, keeps replication as
 * the core wants it, and releases commits whose acknowledgement was lost.
 */
import type { Following } from "../../raft/effect.ts";
import { type ServerView, UNSEEN_SERVER } from "../../raft/types.ts";
import { accountOf, follow, type Site, statement, type Wanted } from "./procedures.ts";
import type { Surroundings } from "./surroundings.ts";
import { sameView, viewOf } from "./view.ts";
import type { Work } from "./work.ts";

const quietMs = 500;
const blockedMs = 200;

/** The agent, as its watch sees it. */
export interface Watched {
  readonly seen: (view: ServerView) => void;
  /** The term that the server was opened for; null when it was not. */
  readonly leads: () => number | null;
  readonly following: () => Following | null;
  readonly work: () => Work | null;
  readonly site: () => Site;
}

export class Watch {
  readonly #world: Surroundings;
  readonly #agent: Watched;
  #view = UNSEEN_SERVER;
  #viewSentAt = -Infinity;
  #committedSeen = -1;
  #blockedSince = Infinity;
  #hungSince = Infinity;

  constructor(world: Surroundings, agent: Watched) {
    this.#world = world;
    this.#agent = agent;
  }

  /** The agent died: its next life has seen nothing yet. */
  forget(): void {
    this.#view = UNSEEN_SERVER;
  }

  look(): void {
    const { clock, hook } = this.#world;
    const { server, flaws } = this.#world.site;
    const stuck = server.commitsWait && server.committed === this.#committedSeen;
    this.#blockedSince = stuck ? Math.min(this.#blockedSince, clock.now) : Infinity;
    this.#hungSince = server.hung ? Math.min(this.#hungSince, clock.now) : Infinity;
    this.#committedSeen = server.committed;
    const blocked = clock.now - this.#blockedSince >= blockedMs;
    if (blocked) hook("waiting", server.index);
    const hung = clock.now - this.#hungSince >= quietMs;
    // A probe that hangs shows nothing until its deadline is over.
    if (server.hung && !hung) return;
    const view = viewOf(server, { flaws, blocked, hung });
    if (!sameView(view, this.#view) || clock.now - this.#viewSentAt >= quietMs) {
      this.#view = view;
      this.#viewSentAt = clock.now;
      this.#agent.seen(view);
    }
    if (blocked && this.#agent.leads() !== null && !flaws.neverNudges) this.#nudge();
    this.keepFollowing();
  }

  /** A lost acknowledgement is never repeated: an empty commit behind it releases what waits. */
  #nudge(): void {
    const work = this.#agent.work();
    if (work === null || work.busy) return;
    const site = this.#agent.site();
    work.add({
      scope: "leadership",
      op: null,
      *begin() {
        if (site.server.openedFor !== null) {
          yield* statement(site, () => site.server.commitEmpty());
        }
        return null;
      },
    });
  }

  keepFollowing(): void {
    const work = this.#agent.work();
    const { server } = this.#world.site;
    if (work === null || work.busy || !server.alive || this.#world.config.witness) return;
    const wanted = this.#wanted();
    const kept = wanted === null
      ? !server.receiver.running
      : server.receiver.running && server.receiver.source === wanted.source &&
        server.receiver.account === wanted.account &&
        server.acknowledges === wanted.acknowledges && server.applierRunning;
    if (kept || server.openedFor !== null) return;
    const desired = this.#agent.following();
    const site = this.#agent.site();
    const begin = () => follow(site, () => this.#agent.following() === desired ? wanted : null);
    work.add({ scope: "plain", op: null, begin });
  }

  #wanted(): Wanted | null {
    const following = this.#agent.following();
    if (following === null) return null;
    const { source, acknowledge, replica } = following;
    const account = accountOf(replica);
    return { source: this.#world.indexOf(source.id), account, acknowledges: acknowledge };
  }
}
