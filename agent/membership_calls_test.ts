import assert from "node:assert/strict";
import type { MemberChange } from "../raft/event.ts";
import type { NodeId } from "../raft/types.ts";
import { MembershipCalls, type MembershipOptions } from "./membership_calls.ts";
import type { OperatorAnswer } from "./requests.ts";
import type { RpcError } from "./wire_rpc.ts";

const self = "10.0.0.1:8801" as NodeId;
const other = "10.0.0.2:8801";

Deno.test("a change that another one holds up waits for its turn", async () => {
  const leader = new Leader([passing, passing, done]);
  const result = await leader.remove(other);
  assert.deepEqual(result, {
    sentences: [
      `${other} leaves: its acknowledgements stop, then its vote`,
      "Two voters are left",
    ],
  });
  assert.equal(leader.asked.length, 3);
});

Deno.test("a change that waited hears why it is refused for good", async () => {
  const leader = new Leader([passing, { refused: "it is no member", passing: false }]);
  await assert.rejects(leader.remove(other), (error: RpcError) => {
    assert.equal(error.message, `${other}: it is no member`);
    return true;
  });
});

Deno.test("a change waits no longer than its deadline", async () => {
  const leader = new Leader([], passing);
  await assert.rejects(leader.remove(other), /the change of c is not finished/);
  assert.ok(leader.now >= deadlineMs && leader.now < 2 * deadlineMs, `waited ${leader.now} ms`);
});

Deno.test("a node that is in no cluster says so, and not that nobody leads", async () => {
  const node = new Leader([]);
  node.leader = "";
  await assert.rejects(node.remove(other), /this node is in no cluster.*cluster add/);
  node.member = true;
  await assert.rejects(node.remove(other), /nobody leads just now/);
});

const deadlineMs = 5_000;
const done: OperatorAnswer = { refused: null, passing: false };
const passing: OperatorAnswer = { refused: "the change of c is not finished", passing: true };

/** An agent that leads: its protocol gives these answers, and its clock jumps to the next timer. */
class Leader {
  now = 0;
  leader: NodeId | "" = self;
  member = false;
  readonly asked: MemberChange[] = [];
  readonly #answers: OperatorAnswer[];
  readonly #means = "Two voters are left";
  readonly #always: OperatorAnswer;

  constructor(answers: readonly OperatorAnswer[], always: OperatorAnswer = done) {
    this.#answers = [...answers];
    this.#always = always;
  }

  remove(node: string): Promise<unknown> {
    const method = new MembershipCalls(this.#options()).methods()["cluster.remove"];
    assert.ok(method !== undefined);
    const context = { from: null, cluster: null, remote: "", signal: new AbortController().signal };
    return Promise.resolve(method({ nodes: [node] }, context));
  }

  #options(): MembershipOptions {
    return {
      self,
      deadlineMs,
      leader: () => this.leader,
      change: (change) => {
        this.asked.push(change);
        return Promise.resolve(this.#answers.shift() ?? this.#always);
      },
      clock: {
        now: () => this.now,
        after: (ms, call) => {
          this.now += ms;
          Promise.resolve().then(call);
          return () => {};
        },
      },
      peers: { call: () => Promise.resolve({ failed: { kind: "timeout", because: "silent" } }) },
      introduce: () => {
        throw new Error("not asked for");
      },
      own: () => Promise.reject(new Error("not asked for")),
      newUuid: () => "uuid",
      spread: () => [],
      means: () => [this.#means],
      member: () => this.member,
    };
  }
}
