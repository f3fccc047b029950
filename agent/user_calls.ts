/**
 * The account commands as an agent serves them: whoever is asked passes them on to the leader, where they
 * are carried out and replicated from. Passwords travel sealed and are never part of a sentence.
 */
import * as v from "valibot";
import { shownAccount } from "../mysql/accounts.ts";
import type { AccountWish } from "../mysql/accounts.ts";
import { messageOf } from "../mysql/message_of.ts";
import { nobodyLeads } from "./nobody_leads.ts";
import type { Administration, Log, Peers } from "./ports.ts";
import { type RpcContext, RpcError, type RpcMethods } from "./wire_rpc.ts";

export interface UserCallsOptions {
  readonly self: string;
  readonly peers: Peers;
  readonly administration: Administration;
  readonly log: Log;
  /** Id of the present leader; empty when nobody is known to lead. */
  readonly leader: () => string;
  /** Does this node belong to a cluster? */
  readonly member: () => boolean;
  /** Is this node the leader and open for writes? */
  readonly open: () => boolean;
}

/** A change with its acknowledgements, and the way to the leader. */
const forwardMs = 28_000;
const textMax = 1_024;
const text = v.pipe(v.string(), v.maxLength(textMax));
const privilegesMax = 64;
const grantsSchema = v.variant("kind", [
  v.object({ kind: v.literal("everything") }),
  v.object({
    kind: v.literal("some"),
    privileges: v.pipe(v.array(text), v.maxLength(privilegesMax)),
    database: text,
    table: text,
  }),
]);
const wishSchema = v.variant("kind", [
  v.object({
    kind: v.literal("create"),
    user: text,
    host: text,
    password: text,
    requireX509: v.boolean(),
    grants: grantsSchema,
  }),
  v.object({ kind: v.literal("password"), user: text, host: text, password: text }),
  v.object({ kind: v.literal("drop"), user: text, host: text }),
]);

const done = { create: "is made", password: "has its new password", drop: "is dropped" } as const;

/** The account methods of one agent. */
export class UserCalls {
  readonly #options: UserCallsOptions;

  constructor(options: UserCallsOptions) {
    this.#options = options;
  }

  methods(): RpcMethods {
    return {
      "user.list": (params, context) =>
        this.#atLeader({ method: "user.list", params }, context, () => this.#list()),
      "user.change": (params, context) => {
        const wish = wishOf(params);
        const question = { method: "user.change", params, confidential: true };
        return this.#atLeader(question, context, () => this.#change(wish));
      },
    };
  }

  /** Does it here where this node leads, else passes it on; another agent's call is not passed on again. */
  async #atLeader(
    question: Parameters<Peers["call"]>[1],
    { from }: RpcContext,
    here: () => Promise<unknown>,
  ): Promise<unknown> {
    const { self, peers, leader, open } = this.#options;
    const id = leader();
    if (id === self) {
      if (open()) return await here();
      throw new RpcError("refused", `the leader ${self} is not open for writes yet, try again`);
    }
    if (id === "") throw new RpcError("refused", nobodyLeads(this.#options.member()));
    if (from !== null) throw new RpcError("refused", `${self} does not lead any more, try again`);
    const answer = await peers.call(id, question, { deadlineMs: forwardMs });
    if ("ok" in answer) return answer.ok;
    const { kind, because } = answer.failed;
    throw new RpcError("refused", kind === "rpc" ? because : `the leader ${id}: ${because}`);
  }

  async #list(): Promise<unknown> {
    return { accounts: await refusing(() => this.#options.administration.accounts()) };
  }

  async #change(wish: AccountWish): Promise<unknown> {
    await refusing(() => this.#options.administration.changeAccount(wish));
    const sentence = `The account ${shownAccount(wish)} ${done[wish.kind]}`;
    this.#options.log.write("info", sentence, {});
    return { sentences: [`${sentence} on ${this.#options.self} and replicated from there`] };
  }
}

/** What the server says is for the operator: it is declined, not a fault of the agent. */
async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const because = messageOf(error);
    throw new RpcError("refused", because, { cause: error });
  }
}

/** Not `decodeParams`: its error shows what came, and that may hold a password. */
function wishOf(params: unknown): AccountWish {
  const result = v.safeParse(wishSchema, params);
  if (result.success) return result.output;
  throw new RpcError("invalidParams", "Expected the change of an account");
}
