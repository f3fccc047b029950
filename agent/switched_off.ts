/** What it means for the cluster that this node was switched off by "raft disable". */
import { ackers, counted, memberOf, quorum } from "../raft/quorum.ts";
import type { State } from "../raft/state.ts";
import type { Config, NodeId } from "../raft/types.ts";
import type { Clock, Peers } from "./ports.ts";
import { leaderOf } from "./snapshot.ts";
import { decodeNodeStatus } from "./wire_status.ts";

export interface LeftOptions {
  readonly config: Config;
  readonly state: State;
  readonly peers: Peers;
  readonly clock: Clock;
}

/** Agents answer from memory. */
const statusMs = 2_000;
/** Right after a hand-over receivers are still on their way to the new leader. */
const roundsMax = 3;
const pauseMs = 1_000;

/**
 * The sentences for the operator, after asking the others, again where too few of them acknowledge.
 * Takes at most 8 seconds and never rejects.
 */
export async function disabledSentences(options: LeftOptions): Promise<readonly string[]> {
  const { config, state, clock } = options;
  const { membership } = state.durable;
  const mine = memberOf(membership, config.id);
  const k = membership === null || mine?.kind !== "voter" ? 0 : quorum(membership).k;
  let left = 0;
  for (let round = 0; round < roundsMax && left < k; round++) {
    if (round > 0) await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
    left = await acknowledging(options);
  }
  return sentencesOf(config, state, left);
}

/** How many acknowledge now, by what they say themselves; without this node and the leader. */
async function acknowledging({ config, state, peers }: LeftOptions): Promise<number> {
  const { membership } = state.durable;
  if (membership === null) return 0;
  const leader = leaderOf(config, state);
  const others = ackers(membership).filter(({ id }) => id !== config.id && id !== leader);
  const answers = await Promise.all(others.map(({ id }) => acknowledges(peers, id)));
  return answers.filter((yes) => yes).length;
}

/** One that does not answer may be dead: nobody can count on it. */
async function acknowledges(peers: Peers, id: NodeId): Promise<boolean> {
  const question = { method: "node.status", params: {} };
  const answer = await peers.call(id, question, { deadlineMs: statusMs });
  if ("failed" in answer) return false;
  const decoded = decodeNodeStatus(answer.ok);
  if (decoded.kind !== "decoded") return false;
  const { role, mysql } = decoded.status;
  return role === "FOLLOWER" && mysql.state === "ALIVE" && mysql.receiverRunning &&
    mysql.semiSync.replica;
}

/** `left` others acknowledge now. An idle node or a witness gave no acknowledgement before either. */
function sentencesOf(config: Config, state: State, left: number): readonly string[] {
  const said = 'Disabled until "xenon raft enable": this node neither votes nor acknowledges';
  const { membership } = state.durable;
  if (membership === null) return [said];
  const { n, q, k } = quorum(membership);
  const stays = `n=${n} stays: an election needs ${q} of the other voters`;
  if (k <= left || memberOf(membership, config.id)?.kind !== "voter") return [said, stays];
  const needed = counted(k, "acknowledgement");
  const others = `${counted(left, "other node gives", "other nodes give")} one now`;
  return [said, stays, `Writes wait: they need ${needed} and ${others}`];
}
