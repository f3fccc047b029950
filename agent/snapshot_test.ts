import assert from "node:assert/strict";
import type { Leader } from "../raft/state.ts";
import type { Config } from "../raft/types.ts";
import { snapshot, type SnapshotContext } from "./snapshot.ts";

/** What a member of these tests answers; null when it does not. */
type Answer = { unfit?: string; from?: string | null; silent?: true; witness?: true } | null;

const config = { id: "a", source: { host: "a", port: 3306 }, heartbeatMs: 50, leaseMs: 700 };

/** What the leader `a` says of itself and these others. */
function marginOf(others: Readonly<Record<string, Answer>>) {
  const members = ["a", ...Object.keys(others)].map((id) => {
    return { id, member: id, kind: others[id]?.witness ? "witness" : "voter" };
  });
  const replies = Object.entries(others).map(([id, answer]) => {
    const receivingFrom = answer?.from === undefined ? "a:3306" : answer.from;
    const acknowledges = answer?.silent !== true;
    return [id, { unfit: answer?.unfit ?? null, receivingFrom, acknowledges }];
  });
  const state = {
    role: "leader",
    stage: "leading",
    why: "",
    durable: { term: 1, membership: { cluster: "c", epoch: 1, members } },
    server: { health: "alive" },
    heartbeatAt: 5_050,
    acks: Object.fromEntries(
      Object.entries(others).map(([id, answer]) => {
        return [id, answer === null ? 1_000 : 5_000];
      }),
    ),
    replies: Object.fromEntries(replies),
  } as unknown as Leader;
  const context = {
    config: config as unknown as Config,
    state,
    facts: null,
    jobs: { apart: null },
    notes: [],
  };
  return snapshot(context as unknown as SnapshotContext).margin;
}

const dead = { unfit: "the server is not running", from: null };
const unfit = { unfit: "it is uncertain" };

const tellings: Readonly<Record<string, readonly [Record<string, Answer>, number, string]>> = {
  "all are well": [{ b: {}, c: {} }, 1, "3 of 3 voters healthy, 1 more loss can be survived (q=2)"],
  "one does not answer, whatever it said last": [
    { b: {}, c: null },
    0,
    "2 of 3 voters healthy, one more loss and no lossless failover is possible (q=2)",
  ],
  "none could lead, and one of them acknowledges": [
    { b: unfit, c: null },
    0,
    "1 of 3 voters healthy, no lossless failover is possible now (q=2)",
  ],
  "too few of five could lead": [
    { b: {}, c: unfit, d: null, e: null },
    0,
    "2 of 5 voters healthy, no lossless failover is possible now (q=3)",
  ],
  "one of two does not answer": [
    { b: null },
    0,
    "ASYNC: two voters cannot wait for each other; " +
    "1 of 2 voters healthy, no lossless failover is possible now (q=2)",
  ],
  "the only server of the others is dead, with the order to acknowledge": [
    { b: dead, c: { witness: true, unfit: "a witness holds no data", from: null, silent: true } },
    0,
    "2 of 3 voters healthy, writes wait: they need 1 acknowledgement and 0 nodes can give one now (q=2)",
  ],
  "one is dead and the receiver of the other is broken": [
    { b: dead, c: { from: null } },
    0,
    "2 of 3 voters healthy, writes wait: they need 1 acknowledgement and 0 nodes can give one now (q=2)",
  ],
  "one reads from another server": [
    { b: { from: "z:3306" }, c: {}, d: {}, e: null },
    1,
    "4 of 5 voters healthy, 1 more loss can be survived (q=3)",
  ],
  "one reads from another server, and too few are left": [
    { b: { from: "z:3306" }, c: {}, d: { silent: true }, e: null },
    0,
    "4 of 5 voters healthy, writes wait: they need 2 acknowledgements and 1 node can give one now (q=3)",
  ],
};

for (const [name, [others, losses, sentence]] of Object.entries(tellings)) {
  Deno.test(`the margin of a leader where ${name}`, () => {
    assert.deepEqual(marginOf(others), { losses, sentence });
  });
}
