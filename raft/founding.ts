/**
 * The founding of a cluster, seen from one node: promise (durably, to one founding only), store the list,
 * go. The asking side lives in the agent; asking again at any point is harmless.
 *
 * The founder promises itself first and stores the list first: what it has not stored itself nobody has
 * stored, so it knows after any interruption whether its founding can still be given up.
 */
import type { Effect } from "./effect.ts";
import type { FoundingMessage, Message } from "./message.ts";
import type { Follower } from "./state.ts";
import type { Config, Durable, Founding, Membership, Millis, NodeId } from "./types.ts";
import { persisting, type Step, verdict } from "./common.ts";
import { electionTimer } from "./timing.ts";

export interface FoundingAsked {
  readonly message: FoundingMessage;
  readonly from: NodeId;
  readonly request: number | null;
  readonly at: Millis;
}

/** Takes one step of a founding, or refuses it with the reason. */
export function founding(config: Config, state: Follower, asked: FoundingAsked): Step {
  switch (asked.message.kind) {
    case "foundingPromise":
      return promise(state, asked, asked.message.founding);
    case "foundingRelease":
      return release(state, asked, asked.message.cluster);
    case "foundingStore":
      return storeList(state, { ...asked, ...asked.message });
    case "foundingGo":
      return go(config, state, { ...asked, ...asked.message });
  }
}

/** Of several that found the same cluster, a later one meets nodes that stand or lead in it already. */
export function foundedAlready(durable: Durable, message: Message): boolean {
  const { membership, founding } = durable;
  if (membership === null || founding !== null) return false;
  if (message.kind === "foundingStore") return message.membership.cluster === membership.cluster;
  return message.kind === "foundingGo" && message.cluster === membership.cluster;
}

function promise(state: Follower, asked: FoundingAsked, wanted: Founding): Step {
  const { durable } = state;
  if (durable.membership !== null) {
    return refuse(state, asked, `I belong to cluster ${durable.membership.cluster} already`);
  }
  const mine = durable.founding;
  // Also not to another founding of the same founder: its messages may overtake each other.
  if (mine !== null && mine.cluster !== wanted.cluster) {
    const list = mine.members.join(", ");
    return refuse(
      state,
      asked,
      `I promised myself to ${mine.founder}, which founds a cluster of ${list}`,
    );
  }
  return accept(state, asked, { ...durable, founding: wanted });
}

/**
 * A founding is given up at its founder first: without that promise the founder stores no list, and so
 * nobody does. A node that stored the list keeps it.
 */
function release(state: Follower, asked: FoundingAsked, cluster: string): Step {
  const { durable } = state;
  const mine = durable.membership === null && durable.founding?.cluster === cluster;
  return accept(state, asked, mine ? { ...durable, founding: null } : durable);
}

/**
 * Only the promised list is stored, so that two founders at once cannot store two of them. Once one is
 * stored somewhere, any node may see to it that the rest store it too.
 */
function storeList(
  state: Follower,
  asked: FoundingAsked & { readonly membership: Membership; readonly begun: boolean },
): Step {
  const { durable } = state;
  const list = asked.membership;
  if (durable.membership !== null) {
    const same = durable.membership.cluster === list.cluster;
    return same
      ? accept(state, asked, durable)
      : refuse(state, asked, `I belong to cluster ${durable.membership.cluster} already`);
  }
  const promised = durable.founding;
  const ids = list.members.map((member) => member.id);
  const free = promised === null || sameList(promised.members, ids);
  const bound = promised?.cluster === list.cluster && sameList(promised.members, ids);
  if (!bound && !(asked.begun && free)) {
    return refuse(state, asked, "I did not promise myself to this founding");
  }
  // Kept until the founding is complete, so that the node does not stand before.
  const founder = promised?.founder ?? asked.from;
  const founding = { cluster: list.cluster, founder, members: ids };
  return accept({ ...state, why: "" }, asked, { ...durable, founding, membership: list });
}

function go(
  config: Config,
  state: Follower,
  asked: FoundingAsked & { readonly cluster: string; readonly first: string },
): Step {
  const { durable } = state;
  if (durable.membership?.cluster !== asked.cluster) {
    return refuse(state, asked, "I have not stored the member list of this founding");
  }
  if (durable.founding === null) return accept(state, asked, durable);
  const [seed, timer] = electionTimer(config, state, asked.at);
  const electionAt = asked.first === config.id ? asked.at : timer;
  return accept({ ...state, seed, electionAt }, asked, { ...durable, founding: null });
}

function accept(state: Follower, asked: FoundingAsked, durable: Durable): Step {
  const next: Follower = { ...state, durable };
  const written = durable === state.durable ? [] : [persisting(durable)];
  return [next, [...written, ...reply(next, asked, null)]];
}

function refuse(state: Follower, asked: FoundingAsked, because: string): Step {
  return [state, reply(state, asked, because)];
}

function reply(state: Follower, asked: FoundingAsked, refused: string | null): readonly Effect[] {
  if (asked.request === null) return [];
  return [{ kind: "reply", request: asked.request, message: verdict(state, refused) }];
}

function sameList(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length &&
    [...left].sort().join() === [...right].sort().join();
}
