import assert from "node:assert/strict";
import { listPositions } from "./list_positions.ts";
import type { Vote } from "../raft/message.ts";
import {
  type Config,
  type Durable,
  freshDurable,
  type MemberKind,
  type Membership,
  type NodeId,
  type Position,
} from "../raft/types.ts";
import { candidateRefusal, dataRefusal, grantOf, voterRefusal } from "../raft/vote.ts";

const cluster = "cluster";

function id(name: string): NodeId {
  return name as NodeId;
}

function config(name: string): Config {
  return {
    id: id(name),
    source: { id: id(name), host: name, port: 3306 },
    heartbeatMs: 100,
    electionMs: 1000,
    leaseMs: 700,
    handoverMs: 2000,
    witness: false,
    positions: listPositions,
  };
}

function list(kinds: Readonly<Record<string, MemberKind>>, epoch = 1): Membership {
  const members = Object.entries(kinds).map(([name, kind]) => ({
    id: id(name),
    member: `member-${name}`,
    kind,
  }));
  return { cluster, epoch, members };
}

function durable(change: Partial<Durable> = {}): Durable {
  const membership = list({ a: "voter", b: "voter", c: "voter" });
  return { ...freshDurable("member-a"), membership, ...change };
}

Deno.test("a higher marker wins, then the candidate must hold what the voter promised", () => {
  const cases: readonly (readonly [string, string, RegExp | null])[] = [
    ["", "", null],
    ["m1,b1", "m1,b1", null],
    ["m1,b1,b2", "m1,b1", null],
    ["m1,b1", "m1,b1,b2", /I may have acknowledged b2, which the candidate lacks/],
    // Neither contains the other, and the marker decides.
    ["m2,c1", "m1,b1", null],
    ["m1,b1", "m2,c1", /my data is of term 2, the candidate's of term 1/],
    ["m1,c1", "m1,b1", /which the candidate lacks/],
  ];
  for (const [candidate, promised, expected] of cases) {
    const sets = { candidate: candidate as Position, promised: promised as Position };
    const refused = dataRefusal(config("a"), cluster, sets);
    if (expected === null) assert.equal(refused, null, `${candidate} against ${promised}`);
    else assert.match(refused ?? "", expected);
  }
});

Deno.test("of any two different sets at most one refuses the other, unless both hold the same marker", () => {
  const sets = ["", "m1", "m1,a1", "m1,b1", "m1,a1,b1", "m2,a1", "m2,b1", "m1,m2,c1"];
  for (const left of sets) {
    for (const right of sets) {
      const refuses = (candidate: string, promised: string) =>
        dataRefusal(config("a"), cluster, {
          candidate: candidate as Position,
          promised: promised as Position,
        }) !== null;
      const both = refuses(left, right) && refuses(right, left);
      const term = (text: string) => listPositions.markerTerm(text as Position, cluster);
      assert.ok(!both || term(left) === term(right), `${left} and ${right} block each other`);
    }
  }
});

Deno.test("who has no vote says why", () => {
  const kinds = ["learner", "idle"] as const;
  for (const kind of kinds) {
    const membership = list({ a: kind, b: "voter" });
    assert.equal(
      voterRefusal(config("a"), durable({ membership })),
      `I am ${kind} and have no vote`,
    );
  }
  for (const kind of ["voter", "leaving", "witness"] as const) {
    const membership = list({ a: kind, b: "voter" });
    assert.equal(voterRefusal(config("a"), durable({ membership })), null);
  }
  const cases: readonly (readonly [Partial<Durable>, RegExp])[] = [
    [{ membership: null }, /in no cluster yet/],
    [{ membership: list({ b: "voter" }) }, /not a member/],
    [{ member: "another" }, /my state file is new/],
    [{ disabled: true }, /disabled by an operator/],
  ];
  for (const [change, because] of cases) {
    assert.match(voterRefusal(config("a"), durable(change)) ?? "", because);
  }
});

Deno.test("who cannot be voted for is refused with the reason", () => {
  const membership = list({ a: "voter", b: "voter", c: "idle", d: "leaving", w: "witness" }, 4);
  const refused = (name: string, change: { member?: string; epoch?: number; term?: number } = {}) =>
    candidateRefusal(durable({ membership }), {
      id: id(name),
      member: change.member ?? `member-${name}`,
      list: { term: change.term ?? 0, epoch: change.epoch ?? 4 },
    });
  assert.equal(refused("b"), null);
  assert.equal(refused("b", { epoch: 5 }), null);
  assert.equal(refused("b", { epoch: 3 }), "my member list is newer: 4");
  assert.equal(refused("b", { epoch: 3, term: 1 }), null, "a later leader wrote it");
  assert.equal(refused("b", { member: "another" }), "the candidate lost its state file");
  assert.equal(refused("c"), "the candidate is idle");
  assert.equal(refused("d"), "the candidate is leaving");
  assert.equal(refused("w"), "the candidate is witness");
  assert.equal(refused("x"), "the candidate is no member");
});

Deno.test("an uncertain voter votes fully only for the leader that it followed last", () => {
  const vote = (lastLeader: Vote["lastLeader"]) => ({ lastLeader }) as Vote;
  const followed = { term: 3, id: id("b") };
  const uncertain = durable({ uncertain: "relay_log_recovery is ON", lastLeader: followed });
  assert.equal(grantOf(durable(), id("c"), vote(null)), "yes");
  assert.equal(grantOf(uncertain, id("b"), vote(followed)), "yes");
  // It knows of a later leader than itself, or is another one, or the voter's own word is ambiguous.
  assert.equal(grantOf(uncertain, id("b"), vote({ term: 4, id: id("c") })), "conditional");
  assert.equal(grantOf(uncertain, id("c"), vote({ term: 4, id: id("c") })), "conditional");
  const ambiguous = durable({ uncertain: "this copy was just rebuilt", lastLeader: null });
  assert.equal(grantOf(ambiguous, id("b"), vote(followed)), "conditional");
});
