/** Small mutations of the protocol's core: of what it hears, what it holds and what it asks for. */
import type { Effect } from "../../raft/effect.ts";
import type { Event } from "../../raft/event.ts";
import type { Envelope, Message } from "../../raft/message.ts";
import { quorum } from "../../raft/quorum.ts";
import type { State } from "../../raft/state.ts";
import type { Config } from "../../raft/types.ts";
import { type Core, realCore } from "./core.ts";

type Disk = Parameters<Core["start"]>[1];

/** What a restart finds on disk is changed. */
export function withDisk(change: (disk: Disk) => Disk): Core {
  return { ...realCore, start: (config, disk, from) => realCore.start(config, change(disk), from) };
}

/** What happens to a node is changed before it hears of it. */
export function withEvents(change: (event: Event, state: State) => Event): Core {
  return {
    ...realCore,
    step: (config, state, event) => realCore.step(config, state, change(event, state)),
  };
}

/** What a node asks for is changed. */
export function withEffects(change: (effects: readonly Effect[]) => readonly Effect[]): Core {
  return {
    ...realCore,
    step(config, state, event) {
      const [next, effects] = realCore.step(config, state, event);
      return [next, change(effects)];
    },
  };
}

/** What a node knows is changed before it decides. */
export function withState(
  change: (state: State, event: Event, config: Config) => State,
): Core {
  return {
    ...realCore,
    step: (config, state, event) => realCore.step(config, change(state, event, config), event),
  };
}

export function withPositions(change: Partial<Config["positions"]>): (config: Config) => Config {
  return (config) => ({ ...config, positions: { ...config.positions, ...change } });
}

/** An effect of one kind, changed. */
export function onEffect<Kind extends Effect["kind"]>(
  kind: Kind,
  change: (effect: Extract<Effect, { readonly kind: Kind }>) => Effect,
): Core {
  return withEffects((effects) =>
    effects.map((effect) =>
      effect.kind === kind ? change(effect as Extract<Effect, { readonly kind: Kind }>) : effect
    )
  );
}

/** A message of one kind, changed before it is heard. */
export function onMessage<Kind extends Message["kind"]>(
  kind: Kind,
  change: (
    message: Extract<Message, { readonly kind: Kind }>,
    heard: { readonly state: State; readonly envelope: Envelope },
  ) => Message,
): Core {
  return withEvents((event, state) => {
    if (event.kind !== "received" || event.envelope.message.kind !== kind) return event;
    const { envelope } = event;
    const message = change(envelope.message as Extract<Message, { readonly kind: Kind }>, {
      state,
      envelope,
    });
    return { ...event, envelope: { ...envelope, message } };
  });
}

/** An election is won with one vote less than a majority: somebody's vote is made up. */
export const majorityOffByOne: Core = {
  ...realCore,
  step(config, state, event) {
    const [next, effects] = realCore.step(config, state, event);
    const membership = next.durable.membership;
    if (next.role !== "candidate" || next.phase !== "voting" || membership === null) {
      return [next, effects];
    }
    const granted = Object.values(next.votes).filter((reply) => reply.granted !== "no").length;
    if (granted + 2 !== quorum(membership).q) return [next, effects];
    const other = membership.members.find(({ id }) =>
      id !== config.id && next.votes[id] === undefined
    );
    if (other === undefined) return [next, effects];
    const message = {
      kind: "voteReply",
      term: next.term,
      granted: "yes",
      refused: null,
      termOfVoter: next.term,
      held: next.frozen?.held ?? next.server.held,
      membership: null,
      leaderSilentMs: null,
    } as const;
    const { id, member } = other;
    const envelope = { cluster: membership.cluster, from: id, member, to: config.id, message };
    const made = { kind: "received", at: event.at, envelope, request: null } as const;
    const [won, more] = realCore.step(config, next, made);
    return [won, [...effects, ...more]];
  },
};

/** The vote moves as soon as the commit that should prove it is asked for. */
export const movesVoteFirst: Core = {
  ...realCore,
  step(config, state, event) {
    const [next, effects] = realCore.step(config, state, event);
    const arrange = effects.find((effect) => effect.kind === "arrange");
    if (arrange === undefined || next.role !== "leader" || next.change?.stage !== "arranging") {
      return [next, effects];
    }
    const { op } = arrange;
    const [after, more] = realCore.step(config, next, { kind: "arranged", at: event.at, op });
    return [after, [...effects, ...more]];
  },
};
