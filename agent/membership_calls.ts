/**
 * "cluster add" and "cluster remove" as an agent serves them: a founding where there is no cluster
 * yet, else one change after the other through the leader.
 */
import * as v from "valibot";
import type { MemberChange } from "../raft/event.ts";
import type { NodeId } from "../raft/types.ts";
import type { Clock } from "./ports.ts";
import type { OperatorAnswer } from "./requests.ts";
import { form, type FormationOptions, type Introduction } from "./formation.ts";
import { RpcError, type RpcMethods } from "./wire_rpc.ts";

export interface MembershipOptions extends FormationOptions {
  /** Id of the present leader; empty when nobody is known to lead. */
  readonly leader: () => string;
  /** Asks the own protocol for a change; not refused means that it is stored. */
  readonly change: (change: MemberChange) => Promise<OperatorAnswer>;
  readonly clock: Clock;
}

/** How soon a change is asked for again that another one held up. */
const againMs = 50;
const nodesMax = 64;
const nodesSchema = v.object({
  nodes: v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(nodesMax)),
});
const changeSchema = v.variant("kind", [
  v.object({ kind: v.literal("add"), id: v.string(), member: v.string(), idle: v.boolean() }),
  v.object({ kind: v.literal("remove"), id: v.string() }),
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
      "cluster.remove": (params) => this.#remove(nodesOf(params)),
      // From another agent, to the leader.
      "cluster.change": (params) => this.#changeHere(changeOf(params)),
    };
  }

  async #add(nodes: readonly string[]): Promise<unknown> {
    const formed = await form(this.#options, nodes);
    if (formed.kind === "done") return { sentences: formed.sentences };
    if (formed.kind === "refused") {
      throw new RpcError("refused", `Nothing was changed: ${formed.because.join("; ")}`);
    }
    if (formed.kind === "incomplete") {
      const because = formed.because.join("; ");
      throw new RpcError(
        "refused",
        `The founding is not complete, add the same nodes again: ${because}`,
      );
    }
    return await this.#changeAll(
      formed.strangers.map(joining),
      (id) => `${id} joined as learner and gets its vote once it is in step with the leader`,
    );
  }

  #remove(nodes: readonly string[]): Promise<unknown> {
    const changes = nodes.map((id) => ({ kind: "remove", id: id as NodeId }) as const);
    return this.#changeAll(
      changes,
      (id) => `${id} leaves: its acknowledgements stop, then its vote`,
    );
  }

  /** One after the other; what was done before a refusal is said with it. */
  async #changeAll(
    changes: readonly MemberChange[],
    done: (id: string) => string,
  ): Promise<unknown> {
    const sentences: string[] = [];
    for (const change of changes) {
      try {
        await this.#throughLeader(change);
      } catch (error) {
        const because = error instanceof Error ? error.message : String(error);
        throw new RpcError("refused", [...sentences, `${change.id}: ${because}`].join("; "));
      }
      sentences.push(done(change.id));
    }
    return { sentences };
  }

  async #throughLeader(change: MemberChange): Promise<void> {
    const { self, peers, deadlineMs } = this.#options;
    const leader = this.#options.leader();
    if (leader === "") throw new RpcError("refused", "nobody leads just now, try again later");
    if (leader === self) {
      await this.#changeHere(change);
      return;
    }
    const question = { method: "cluster.change", params: change };
    const answer = await peers.call(leader, question, { deadlineMs: 2 * deadlineMs });
    if ("failed" in answer) throw new RpcError("refused", answer.failed.because);
  }

  /** Only the leader's own agent gets here, or an agent that has just stopped leading. */
  async #changeHere(change: MemberChange): Promise<unknown> {
    const { clock, deadlineMs } = this.#options;
    const giveUpAt = clock.now() + deadlineMs;
    let answer = await this.#options.change(change);
    // One change at a time: this one waits for its turn instead of being refused.
    while (answer.refused !== null && answer.passing && clock.now() < giveUpAt) {
      await new Promise<void>((resolve) => clock.after(againMs, resolve));
      answer = await this.#options.change(change);
    }
    if (answer.refused !== null) throw new RpcError("refused", answer.refused);
    return {};
  }
}

function joining({ id, member }: Introduction): MemberChange {
  return { kind: "add", id: id as NodeId, member, idle: false };
}

function nodesOf(params: unknown): readonly string[] {
  const result = v.safeParse(nodesSchema, params);
  if (result.success) return result.output.nodes;
  throw new RpcError("invalidParams", 'Expected { "nodes": ["host:port", ...] }');
}

function changeOf(params: unknown): MemberChange {
  const result = v.safeParse(changeSchema, params);
  // The brand of an id is a name only.
  if (result.success) return result.output as MemberChange;
  throw new RpcError("invalidParams", "Expected the change of a member");
}
