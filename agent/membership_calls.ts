/**
 * "cluster add", "addidle", "remove" and "removeidle" as an agent serves them: a founding where there is no cluster
 * yet, else one change after the other through the leader.
 */
import * as v from "valibot";
import type { MemberChange } from "../raft/event.ts";
import type { NodeId } from "../raft/types.ts";
import type { Clock } from "./ports.ts";
import { nobodyLeads } from "./nobody_leads.ts";
import type { OperatorAnswer } from "./requests.ts";
import { form, joinIdle } from "./formation.ts";
import type { FormationOptions, Formed } from "./introduction.ts";
import { decodeParams } from "./params.ts";
import { RpcError, type RpcMethods } from "./wire_rpc.ts";
import { messageOf } from "../mysql/message_of.ts";

export interface MembershipOptions extends FormationOptions {
  /** Asks the own protocol for a change; not refused means that it is stored. */
  readonly change: (change: MemberChange) => Promise<OperatorAnswer>;
  /** Which members stored the list of the leader, as sentences. */
  readonly spread: () => readonly string[];
  /** What a change is going to cost, by the list before it. */
  readonly means: (change: MemberChange) => readonly string[];
  /** Does this node belong to a cluster? */
  readonly member: () => boolean;
  readonly clock: Clock;
}

/** How soon a change is asked for again that another one held up. */
const againMs = 50;
const nodesMax = 64;
const nodesSchema = v.object({
  nodes: v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(nodesMax)),
});
/** What the leader's agent adds to a change; agents of the first version add nothing. */
const changedSchema = v.object({ sentences: v.optional(v.array(v.string()), []) });
const changeSchema = v.variant("kind", [
  v.object({ kind: v.literal("add"), id: v.string(), member: v.string(), idle: v.boolean() }),
  v.object({
    kind: v.literal("remove"),
    id: v.string(),
    onlyIdle: v.optional(v.boolean(), false),
  }),
]);

/** The membership methods of one agent. */
export class MembershipCalls {
  readonly #options: MembershipOptions;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  methods(): RpcMethods {
    return {
      "cluster.add": (params) => this.#add(nodesOf(params)),
      "cluster.addIdle": (params) => this.#addIdle(nodesOf(params)),
      "cluster.remove": (params) => this.#remove(nodesOf(params)),
      "cluster.removeIdle": (params) => this.#removeIdle(nodesOf(params)),
      // From another agent, to the leader.
      "cluster.change": (params) => this.#changeHere(changeOf(params)),
    };
  }

  async #add(nodes: readonly string[]): Promise<unknown> {
    return await this.#join(
      await form(this.#options, nodes),
      { idle: false, as: "as learner and gets its vote once it is in step with the leader" },
    );
  }

  async #addIdle(nodes: readonly string[]): Promise<unknown> {
    return await this.#join(
      await joinIdle(this.#options, nodes),
      { idle: true, as: "as idle: it replicates, and never votes, stands or acknowledges" },
    );
  }

  async #join(
    formed: Formed,
    how: { readonly idle: boolean; readonly as: string },
  ): Promise<unknown> {
    switch (formed.kind) {
      case "done":
        return { sentences: formed.sentences };
      case "refused":
        throw new RpcError("refused", `Nothing was changed: ${formed.because.join("; ")}`);
      case "incomplete": {
        const because = formed.because.join("; ");
        const sentence = `The founding is not complete, add the same nodes again: ${because}`;
        throw new RpcError("refused", sentence);
      }
      case "join": {
        const { idle, as } = how;
        const changes = formed.strangers.map(({ id, member }) =>
          ({ kind: "add", id: id as NodeId, member, idle }) as const
        );
        return await this.#changeAll(changes, (id) => `${id} joined ${as}`);
      }
    }
  }

  #remove(nodes: readonly string[]): Promise<unknown> {
    return this.#changeAll(
      nodes.map((id) => ({ kind: "remove", id: id as NodeId, onlyIdle: false }) as const),
      (id) => `${id} leaves: its acknowledgements stop, then its vote`,
    );
  }

  #removeIdle(nodes: readonly string[]): Promise<unknown> {
    return this.#changeAll(
      nodes.map((id) => ({ kind: "remove", id: id as NodeId, onlyIdle: true }) as const),
      (id) => `${id} is no member any more; it had no vote`,
    );
  }

  /** One after the other; what was done before a refusal is said with it. */
  async #changeAll(
    changes: readonly MemberChange[],
    done: (id: string) => string,
  ): Promise<unknown> {
    const sentences: string[] = [];
    let stored: readonly string[] = [];
    for (const change of changes) {
      try {
        stored = await this.#throughLeader(change);
      } catch (error) {
        const because = messageOf(error);
        throw new RpcError("refused", [...sentences, `${change.id}: ${because}`].join("; "));
      }
      sentences.push(done(change.id));
    }
    return { sentences: [...sentences, ...stored] };
  }

  /** Tells where the list is stored by now, as the leader says. */
  async #throughLeader(change: MemberChange): Promise<readonly string[]> {
    const { self, peers, deadlineMs } = this.#options;
    const leader = this.#options.leader();
    if (leader === "") throw new RpcError("refused", nobodyLeads(this.#options.member()));
    if (leader === self) return (await this.#changeHere(change)).sentences;
    const question = { method: "cluster.change", params: change };
    // It may wait for its turn first, and then for a majority.
    const answer = await peers.call(leader, question, { deadlineMs: 2 * deadlineMs });
    if ("failed" in answer) throw new RpcError("refused", answer.failed.because);
    const changed = v.safeParse(changedSchema, answer.ok);
    return changed.success ? changed.output.sentences : [];
  }

  /** Only the leader's own agent gets here, or an agent that has just stopped leading. */
  async #changeHere(change: MemberChange): Promise<{ readonly sentences: readonly string[] }> {
    const { clock, deadlineMs } = this.#options;
    const giveUpAt = clock.now() + deadlineMs;
    let means = this.#options.means(change);
    let answer = await this.#options.change(change);
    // One change at a time: this one waits for its turn instead of being refused.
    while (answer.refused !== null && answer.passing && clock.now() < giveUpAt) {
      await new Promise<void>((resolve) => clock.after(againMs, resolve));
      means = this.#options.means(change);
      answer = await this.#options.change(change);
    }
    if (answer.refused !== null) throw new RpcError("refused", answer.refused);
    return { sentences: [...this.#options.spread(), ...means] };
  }
}

const nodesOf = (params: unknown): readonly string[] => decodeParams(nodesSchema, params).nodes;

/** The brand of an id is a name only. */
const changeOf = (params: unknown) => decodeParams(changeSchema, params) as MemberChange;
