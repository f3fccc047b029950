/** The queue of events while the disk stands still. */
import assert from "node:assert/strict";
import type { Event } from "../raft/event.ts";
import { freshDurable, type NodeId } from "../raft/types.ts";
import { FakeClock } from "./fake_clock.ts";
import { Loop } from "./loop.ts";
import { gtidPositions } from "./positions.ts";

const id = "a:8801" as NodeId;

Deno.test("a full queue drops what comes again, and never the end of an operation", () => {
  const dropped: Event["kind"][] = [];
  const loop = new Loop({
    config: {
      id,
      source: { id, host: "a", port: 3306 },
      heartbeatMs: 250,
      electionMs: 1_000,
      leaseMs: 700,
      handoverMs: 5_000,
      witness: false,
      positions: gtidPositions,
    },
    durable: freshDurable("m"),
    seed: 1,
    clock: new FakeClock(),
    interpret: () => {},
    changed: () => {},
    dropped: ({ kind }) => dropped.push(kind),
  });
  const gone: Event = { kind: "peerGone", at: 1, peer: id };
  for (let count = 0; count < 1_024; count++) loop.post(gone);
  assert.deepEqual(dropped, []);
  loop.post({ kind: "fenced", at: 1, op: 1 });
  loop.post({ kind: "opFailed", at: 1, op: 2, because: "no" });
  loop.post(gone);
  loop.post({ kind: "tick", at: 1 });
  assert.deepEqual(dropped, ["peerGone", "tick"]);
});
