/**
 * Membership, one vote at a time. The order keeps `q + k >= n` at every instant and for writes that
 * were acknowledged before: growing raises k, proves it with a commit, then gives the vote; shrinking
 * stops the acknowledgements, proves it with a commit of those who stay, takes the vote, lowers k last.
 * What comes next is read from the member list, so any later leader finishes what one began.
 */
import type { Effect } from "./effect.ts";
import type { MemberChange, OperationDone } from "./event.ts";
import type { Leader, LeaderChange } from "./state.ts";
import type { Config, Member, Membership, Millis, NodeId, Replica } from "./types.ts";
import { acknowledges, hasAnswered, hasStored } from "./answers.ts";
import { persisting, type Step, toAll } from "./common.ts";
import { heartbeat, heartbeats } from "./leader.ts";
import {
  ackers,
  canVote,
  counted,
  memberOf,
  otherVoters,
  quorum,
  quorumOf,
  replicaOf,
  sameVoters,
  voters,
} from "./quorum.ts";

/** An operator adds or removes a member; answered when enough voters stored the first new list. */
export function changeMember(
  config: Config,
  state: Leader,
  wanted: { readonly change: MemberChange; readonly request: number; readonly at: Millis },
): Step {
  const { change, request, at } = wanted;
  const membership = state.durable.membership;
  const busy = underWay(state, change) ?? outdated(state);
  if (busy !== null) {
    return [state, [{ kind: "answer", request, refused: busy, passing: true }]];
  }
  const refused = changeRefusal(config, state, change);
  if (refused !== null || membership === null) {
    return [state, [{ kind: "answer", request, refused }]];
  }
  const short = tooFewAckers(config, state, wanted);
  if (short !== null) return [state, [{ kind: "answer", request, refused: short, passing: true }]];
  const members = change.kind === "add"
    ? [...membership.members.filter(({ id }) => id !== change.id), added(membership, change)]
    : leavingOrGone(membership, change.id);
  const after = { ...membership, members };
  const unheard = tooFewToStore(config, state, { before: membership, after, at });
  if (unheard !== null) {
    return [state, [{ kind: "answer", request, refused: unheard, passing: true }]];
  }
  return store(config, state, { members, target: change.id, request, at });
}

/** What has to end before the next change may begin; null when nothing. */
function underWay(state: Leader, change: MemberChange): string | null {
  if (state.stage !== "leading") return "the leader's own promotion is not complete";
  // A node that died while it was being added can be taken out all the same, but not while a commit
  // proves the acknowledgements for its vote: with the vote those that it waits for would end.
  const cancels = change.kind === "remove" && state.change?.target === change.id &&
    state.change.stage !== "arranging";
  if (state.change !== null && !cancels) {
    return `the change of ${state.change.target} is not finished`;
  }
  const members = state.durable.membership?.members ?? [];
  const leaving = members.find((member) => member.kind === "leaving" && member.id !== change.id);
  if (leaving !== undefined) return `the removal of ${leaving.id} is not finished`;
  const entry = memberOf(state.durable.membership, change.id);
  // Its vote may only go after its acknowledgements are proven to have stopped.
  if (entry?.kind === "leaving") return "its removal is not finished";
  return state.handover === null ? null : "a hand-over is in progress";
}

/** Agents of an earlier version know neither whose list they stored nor when a new voter may acknowledge. */
function outdated({ durable: { membership }, replies }: Leader): string | null {
  const old = (membership?.members ?? []).filter(({ id }) => replies[id]?.listTerm === null);
  if (old.length === 0) return null;
  const names = old.map(({ id }) => id).join(", ");
  return `an earlier version of xenon still runs on ${names}: update all agents first`;
}

function changeRefusal(config: Config, state: Leader, change: MemberChange): string | null {
  const entry = memberOf(state.durable.membership, change.id);
  if (change.kind === "add") return entry === undefined ? null : addRefusal(entry, change);
  if (entry === undefined) return "it is no member";
  if (change.onlyIdle && entry.kind !== "idle") {
    return `it is no idle node but a ${entry.kind}: "xenon cluster remove" takes its vote away`;
  }
  if (change.id === config.id) return "the leader cannot be removed: switch over first";
  return entry.kind === "voter" ? lastAckers(config, state, change.id) : null;
}

/** A voter that leaves stops acknowledging at once, while k falls last: enough others must do it. */
function lastAckers(config: Config, state: Leader, leaving: NodeId): string | null {
  const { membership } = state.durable;
  if (membership === null) return null;
  const { k } = quorum(membership);
  const staying = ackers(membership).filter(({ id }) => id !== leaving && id !== config.id).length;
  if (staying >= k) return null;
  const witness = membership.members.find((member) => member.kind === "witness");
  const next = witness === undefined ? "add another voter first" : `remove ${witness.id} first`;
  const others = counted(staying, "other voter");
  return `writes need ${counted(k, "acknowledgement")} and only ${others} could give one: ${next}`;
}

/** Only a node without a vote changes its kind by being added again. */
function addRefusal(
  entry: Member,
  change: MemberChange & { readonly kind: "add" },
): string | null {
  if (entry.member !== change.member) {
    return "it has a new state file: remove it first, then add it again";
  }
  if (!change.idle) return entry.kind === "idle" ? null : "it is a member already";
  if (entry.kind === "learner") return null;
  return entry.kind === "idle"
    ? "it is idle already"
    : `it is a ${entry.kind}: remove it first, then add it as idle`;
}

/**
 * The commit that proves a removal needs k acknowledgements of those who stay. One that is far behind
 * gives its own only when it has caught up, and every write would wait for that too.
 */
function tooFewAckers(
  config: Config,
  state: Leader,
  wanted: { readonly change: MemberChange; readonly at: Millis },
): string | null {
  const { change, at } = wanted;
  const { membership } = state.durable;
  const isVoter = memberOf(membership, change.id)?.kind === "voter";
  if (change.kind !== "remove" || membership === null || !isVoter) return null;
  const { k } = quorum(membership);
  const present = connected(config, state, at);
  const staying = present.filter((id) => id !== change.id);
  if (staying.length < k) {
    const others = counted(staying.length, "other voter gives", "other voters give");
    return `writes need ${counted(k, "acknowledgement")} and only ${others} one now: ` +
      "bring the others back first";
  }
  const prompt = present.filter((id) => inStep(config, state, { id, at }));
  const enough = prompt.filter((id) => id !== change.id).length >= k;
  // Too few are in step with it as well: writes wait already, and it may be the one to take out.
  if (enough || prompt.length < k) return null;
  const behind = staying.filter((id) => !prompt.includes(id));
  const [are, they] = behind.length === 1 ? ["is", "it has"] : ["are", "they have"];
  const late = `${behind.join(", ")} ${are} not in step`;
  return `writes need ${counted(k, "acknowledgement")}, and ${late}: wait until ${they} caught up`;
}

/**
 * Enough voters of the list before and of the new one must store it. One that too few hear of would
 * stay under way for as long as they are away, and come true when they return. A change that is under
 * way already may be taken back all the same.
 */
function tooFewToStore(
  config: Config,
  state: Leader,
  wanted: { readonly before: Membership; readonly after: Membership; readonly at: Millis },
): string | null {
  if (state.change !== null) return null;
  const { before, after, at } = wanted;
  const stays = voters(after).map(({ id }) => id);
  for (const list of [before, after]) {
    const { n, k } = quorum(list);
    // Whoever is left out by the new list is not asked whether it has it.
    const others = otherVoters(list, config.id).filter((id) => stays.includes(id));
    const silent = others.filter((id) => !hasAnswered(config, state, { id, at }));
    if (others.length - silent.length >= k) continue;
    const [does, them] = silent.length === 1 ? ["does", "it"] : ["do", "them"];
    const names = silent.join(", ");
    return `a new member list must be stored by ${
      k + 1
    } of ${n} voters, and ${names} ${does} not ` +
      `answer: bring ${them} back first`;
  }
  return null;
}

/** An idle node that becomes a learner stays the member that it is. */
function added(
  membership: Membership,
  change: MemberChange & { readonly kind: "add" },
): Member {
  const { id, member } = change;
  const kind = change.idle ? "idle" : "learner";
  const entry = memberOf(membership, id);
  return entry === undefined
    ? { id, member, kind, since: membership.epoch + 1 }
    : { ...entry, kind };
}

/** A voter first loses its acknowledgements; a node without a vote can go at once. */
function leavingOrGone(membership: Membership, id: NodeId): readonly Member[] {
  return membership.members.flatMap((member) => {
    if (member.id !== id) return [member];
    return member.kind === "voter" ? [{ ...member, kind: "leaving" as const }] : [];
  });
}

/** Writes a new list down, spreads it with the heartbeats, and waits until enough voters stored it. */
function store(
  config: Config,
  state: Leader,
  wanted: {
    readonly members: readonly Member[];
    readonly target: NodeId;
    readonly request: number | null;
    readonly at: Millis;
  },
): Step {
  const present = state.durable.membership;
  if (present === null) return [state, []];
  const members = [...wanted.members].sort((a, b) => (a.id < b.id ? -1 : 1));
  const { term } = state.durable;
  const list: Membership = { ...present, term, epoch: present.epoch + 1, members };
  // Where nobody gets or loses a vote, an election under either list meets every one under the other.
  const membership = sameVoters(present, list) ? list : unsettled(present, list);
  // The change of a list that is not stored yet: the lists before that one may elect too.
  const previous = [...state.previous, present];
  const durable = { ...state.durable, membership };
  const change: LeaderChange = {
    target: wanted.target,
    stage: "storing",
    arrangeOp: 0,
    request: wanted.request,
  };
  const next: Leader = { ...state, durable, change, previous };
  const [after, effects] = changeProgress(config, next, wanted.at);
  // Who is taken out hears the list that leaves it out, once.
  const removed = membership.members.some((member) => member.id === wanted.target)
    ? []
    : toAll([wanted.target], heartbeat(config, next, wanted.at));
  const spoken = [...heartbeats(config, next, wanted.at), ...removed];
  return [after, [persisting(durable), ...spoken, ...effects]];
}

/** A vote moves by it. Who gets one acknowledges only when no list before can elect any more. */
function unsettled(before: Membership, { newVoter: _, ...list }: Membership): Membership {
  const newVoter = list.members.find((member) => {
    const former = memberOf(before, member.id);
    return member.kind === "voter" && (former === undefined || !canVote(former));
  });
  return newVoter === undefined
    ? { ...list, unsettled: true }
    : { ...list, unsettled: true, newVoter: newVoter.id };
}

/** Called whenever members answered: is the list stored, and what does it still want? */
export function changeProgress(config: Config, state: Leader, at: Millis): Step {
  if (state.handover !== null || !stored(config, state)) return [state, []];
  // Who got its vote by this list may be the one whose acknowledgement the promotion waits for.
  if (state.stage !== "leading") return settle(state);
  const { change } = state;
  if (change !== null && change.stage !== "storing") return [state, []];
  const answers: readonly Effect[] = change?.request
    ? [{ kind: "answer", request: change.request, refused: null }]
    : [];
  const [settled, written] = settle({ ...state, change: null, previous: [] });
  const [after, effects] = nextMove(config, settled, { wasChanging: change !== null, at });
  return [after, [...written, ...answers, ...effects]];
}

/** Enough voters stored the list: who hears of that may elect under it by its plain majority. */
function settle(state: Leader): readonly [Leader, readonly Effect[]] {
  const { membership } = state.durable;
  if (membership?.unsettled !== true) return [state, []];
  const { unsettled: _, newVoter: __, ...list } = membership;
  const durable = { ...state.durable, membership: list };
  return [{ ...state, durable }, [persisting(durable)]];
}

/** The list wants something: a leaving member to go, a learner in step to vote, or k to settle. */
function nextMove(
  config: Config,
  state: Leader,
  now: { readonly wasChanging: boolean; readonly at: Millis },
): Step {
  const membership = state.durable.membership;
  if (membership === null) return [state, []];
  const leaving = membership.members.find((member) => member.kind === "leaving");
  const { n, k } = quorum(membership);
  if (leaving !== undefined) {
    if (connected(config, state, now.at).length < k) return [waiting(state, leaving.id, k), []];
    return arrange(state, {
      target: leaving.id,
      stage: "arranging",
      k,
      cutOff: replicaOf(leaving),
    });
  }
  const ready = membership.members.find((member) =>
    member.kind === "learner" && inStep(config, state, { id: member.id, at: now.at })
  );
  if (ready !== undefined) {
    const grown = Math.max(k, quorumOf(n + 1).k);
    // More acknowledgements than there are nodes to give them would hold every write up.
    if (connected(config, state, now.at).length < grown) {
      return [waiting(state, ready.id, grown), []];
    }
    return arrange(state, { target: ready.id, stage: "arranging", k: grown, cutOff: null });
  }
  if (!now.wasChanging) return [state, []];
  return arrange(state, { target: config.id, stage: "settling", k, cutOff: null });
}

function waiting(state: Leader, target: NodeId, k: number): Leader {
  const [one, many] = [
    "voter replicates from here and acknowledges",
    "voters replicate from here and acknowledge",
  ];
  const why = `the change of ${target} waits until ${counted(k, one, many)}`;
  return { ...state, why };
}

/** Voters that replicate from this leader now, so that their acknowledgements count. */
function connected(config: Config, state: Leader, at: Millis): readonly NodeId[] {
  const { membership } = state.durable;
  if (membership === null) return [];
  return ackers(membership).map(({ id }) => id).filter((id) =>
    acknowledges(config, state, id) && hasAnswered(config, state, { id, at })
  );
}

function inStep(
  config: Config,
  state: Leader,
  who: { readonly id: NodeId; readonly at: Millis },
): boolean {
  return state.replies[who.id]?.inStep === true && hasAnswered(config, state, who);
}

function arrange(
  state: Leader,
  what: {
    readonly target: NodeId;
    readonly stage: "arranging" | "settling";
    readonly k: number;
    readonly cutOff: Replica | null;
  },
): Step {
  const op = state.op + 1;
  const { target, stage, k, cutOff } = what;
  const change: LeaderChange = { target, stage, arrangeOp: op, request: null };
  const { term } = state.durable;
  return [{ ...state, op, change, why: "" }, [{ kind: "arrange", op, k, cutOff, term }]];
}

/** The acknowledgement settings are proven: now the vote may move. */
export function changeArranged(config: Config, state: Leader, event: OperationDone): Step {
  const { change, durable } = state;
  if (change === null || durable.membership === null) return [state, []];
  if (event.kind !== "arranged") {
    const because = event.kind === "opFailed" ? event.because : "it was interrupted";
    const why = `membership change of ${change.target} waits: ${because}`;
    // Tried again with the next answers of the members.
    return [{ ...state, change: null, why }, [{ kind: "log", sentence: why }]];
  }
  if (change.stage === "settling") return [{ ...state, change: null }, []];
  const members = durable.membership.members.flatMap((member): readonly Member[] => {
    if (member.id !== change.target) return [member];
    return member.kind === "leaving" ? [] : [{ ...member, kind: "voter" }];
  });
  return store(config, state, { members, target: change.target, request: null, at: event.at });
}

/**
 * Did so many voters of the new list and of those before store it that no election can go past all of
 * them? As with writes, `k + 1` are as many: who lacks it is too few then to elect anybody under a list
 * before. With an even number of voters that is one less than a majority, so that the second voter of two
 * can be taken out without its own word. A list that is not new is stored: this leader saw it, or it was
 * elected under it, and every vote stores the list that it is given for.
 */
function stored(config: Config, state: Leader): boolean {
  const { membership } = state.durable;
  if (membership === null) return false;
  if (state.change?.stage !== "storing" && membership.unsettled !== true) return true;
  const has = (id: NodeId) => hasStored(config, state, { id, list: membership });
  const enough = (list: Membership) => {
    const all = voters(list);
    return all.filter((voter) => has(voter.id)).length > quorumOf(all.length).k;
  };
  return [membership, ...state.previous].every(enough);
}
