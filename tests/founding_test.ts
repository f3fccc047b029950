/** What a node says of itself while it becomes a member. */
import assert from "node:assert/strict";
import { listPositions } from "./list_positions.ts";
import { describe } from "../raft/describe.ts";
import { start, step } from "../raft/step.ts";
import { type Config, freshDurable, type NodeId } from "../raft/types.ts";

const id = "a" as NodeId;
const config: Config = {
  id,
  source: { id, host: "a", port: 3306 },
  heartbeatMs: 100,
  electionMs: 1000,
  leaseMs: 700,
  handoverMs: 2000,
  witness: false,
  positions: listPositions,
};

Deno.test("a node that got its first member list no longer says that it is in no cluster", () => {
  let [state] = start(config, freshDurable("m"), { at: 0, seed: 7 });
  [state] = step(config, state, { kind: "fenced", at: 10, op: 1 });
  [state] = step(config, state, { kind: "tick", at: 5_000 });
  assert.match(describe(config, state), /^In no cluster yet/);
  const members = [{ id, member: "m", kind: "voter" }] as const;
  const membership = { cluster: "cluster", epoch: 1, members };
  const message = { kind: "foundingStore", membership, begun: true } as const;
  const envelope = { from: id, to: id, member: "m", cluster: null, message } as const;
  [state] = step(config, state, { kind: "received", at: 5_010, request: 1, envelope });
  assert.equal(describe(config, state), "No leader in term 0");
});
