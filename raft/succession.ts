/** A resigned leader finds its successor: it asks all voters what they hold and names the best one. */
import type { Effect } from "./effect.ts";
import type { ResignReply } from "./message.ts";
import type { State, Succession } from "./state.ts";
import type { Config, Millis, NodeId } from "./types.ts";
import { EMPTY_POSITION } from "./types.ts";
import type { Step } from "./common.ts";
import { ackers, quorum, voters } from "./quorum.ts";
import { notHandedOver } from "./operator.ts";
import { dataRefusal } from "./vote.ts";
import { released, successionDeadline } from "./timing.ts";

/** A voter said what it holds. */
export function resignAnswered(
  config: Config,
  state: State,
  heard: { readonly from: NodeId; readonly reply: ResignReply; readonly at: Millis },
): Step {
  const { from, reply, at } = heard;
  const { succession } = state;
  if (succession === null || reply.term !== succession.term) return [state, []];
  const replies: Succession["replies"] = { ...succession.replies, [from]: reply };
  const next: State = { ...state, succession: { ...succession, replies } };
  return successionReady(config, next, at);
}

/** With all answers in and the virtual address off this host, the choice is made at once. */
export function successionReady(config: Config, state: State, at: Millis): Step {
  const { succession } = state;
  const { membership } = state.durable;
  if (succession === null || membership === null || !released(state)) return [state, []];
  const others = voters(membership).filter((voter) => voter.id !== config.id);
  const missing = others.filter(({ id }) => succession.replies[id] === undefined);
  // Whoever was silent before is not waited for, where those that answered are enough to elect.
  const enough = others.length - missing.length >= quorum(membership).q &&
    missing.every(({ id }) => succession.silent.includes(id));
  const complete = missing.length === 0 || enough;
  return complete ? decide(config, state, succession) : successionTick(config, state, at);
}

/** Time is up: the best of those that answered is named, or nobody is. */
export function successionTick(config: Config, state: State, at: Millis): Step {
  const { succession } = state;
  if (succession === null || at < successionDeadline(config, state)) return [state, []];
  return decide(config, state, succession);
}

function decide(config: Config, state: State, succession: Succession): Step {
  const decided: State = { ...state, succession: null };
  const best = bestOf(config, state, succession);
  if (best === null || state.durable.term !== succession.term) {
    return state.role === "fencing" ? [decided, []] : notHandedOver(decided);
  }
  const message = {
    kind: "consent",
    term: succession.term,
    until: EMPTY_POSITION,
    vote: null,
    released: released(state),
  } as const;
  const effects: Effect[] = [
    { kind: "send", to: best, message },
    { kind: "log", sentence: `named ${best} as successor` },
  ];
  return [decided, effects];
}

/**
 * A node that could lead and holds everything that the others hold. Of several, the one that has the
 * least to apply before it can open, then the lowest id.
 */
function bestOf(config: Config, state: State, succession: Succession): NodeId | null {
  const membership = state.durable.membership;
  if (membership === null) return null;
  const answered = ackers(membership).map((member) => member.id).filter((id) =>
    succession.replies[id] !== undefined
  );
  const able = answered.filter((id) => succession.replies[id]?.unfit === null);
  const whole = able.filter((id) => {
    const candidate = succession.replies[id]?.held ?? EMPTY_POSITION;
    // As voters compare: what a copy of an earlier term has beyond stands in nobody's way.
    return answered.every((other) => {
      const promised = succession.replies[other]?.held ?? EMPTY_POSITION;
      return dataRefusal(config, membership.cluster, { candidate, promised }) === null;
    });
  });
  const unapplied = (id: NodeId) => succession.replies[id]?.unapplied ?? Infinity;
  const [best] = whole.toSorted((one, other) => unapplied(one) - unapplied(other));
  return best ?? null;
}
