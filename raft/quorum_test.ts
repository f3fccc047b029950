import assert from "node:assert/strict";
import { margin, othersCanElect, quorum, quorumOf, votesNeeded } from "./quorum.ts";
import type { Member, MemberKind, Membership, NodeId } from "./types.ts";

const votersMax = 16;

function listOf(kinds: readonly MemberKind[], unsettled = false): Membership {
  const members = kinds.map((kind, place): Member => {
    const id = `n${place}` as NodeId;
    return { id, member: `member-${id}`, kind };
  });
  return unsettled
    ? { cluster: "c", epoch: 2, members, unsettled }
    : { cluster: "c", epoch: 2, members };
}

function votersOf(count: number, unsettled = false): Membership {
  return listOf(Array.from({ length: count }, () => "voter" as const), unsettled);
}

Deno.test("every election sees every acknowledged write, and two elections see each other", () => {
  for (let n = 1; n <= votersMax; n++) {
    const { q, k } = quorumOf(n);
    // Whoever holds a write: the leader and k others.
    assert.ok(q + k + 1 > n, `${n} voters: ${q} votes may miss a write on ${k + 1} nodes`);
    assert.ok(2 * q > n, `${n} voters: two elections of ${q} votes may both win`);
    assert.ok(q <= n && k < n);
  }
});

Deno.test("the sizes of small clusters are the ones that the documents name", () => {
  const sizes = [1, 2, 3, 4, 5, 7].map((n) => quorumOf(n));
  assert.deepEqual(sizes, [
    { n: 1, q: 1, k: 0 },
    { n: 2, q: 2, k: 0 },
    { n: 3, q: 2, k: 1 },
    { n: 4, q: 3, k: 1 },
    { n: 5, q: 3, k: 2 },
    { n: 7, q: 4, k: 3 },
  ]);
  assert.deepEqual(quorumOf(0), { n: 0, q: 1, k: 0 }, "an empty list elects nobody");
});

Deno.test("an election under a list that is not settled sees the writes of the list before", () => {
  for (let before = 1; before <= votersMax; before++) {
    const { q, k } = quorumOf(before);
    const after = before + 1;
    const votes = votesNeeded(votersOf(after, true));
    // The writes of a leader of the list before are on k + 1 of its nodes, all of them in the new list.
    assert.ok(votes + k + 1 > after, `${before} to ${after}: ${votes} votes may miss a write`);
    assert.ok(votes + q > after, `${before} to ${after}: both lists may elect at once`);
  }
});

Deno.test("a smaller list sees the writes of the list before with its plain majority", () => {
  for (let before = 2; before <= votersMax; before++) {
    const { q, k } = quorumOf(before);
    const after = before - 1;
    const votes = votesNeeded(votersOf(after, true));
    // Who leaves acknowledged nothing since; what it held before was proven to be on the others.
    assert.ok(votes + k + 1 > after, `${before} to ${after}: ${votes} votes may miss a write`);
    assert.ok(votes + q > before, `${before} to ${after}: both lists may elect at once`);
  }
});

Deno.test("no election goes past all voters that stored a list, where those are k + 1", () => {
  for (let n = 1; n <= votersMax; n++) {
    const { q, k } = quorumOf(n);
    assert.ok(n - (k + 1) < q, `${n} voters: ${n - k - 1} without the list could elect`);
    assert.ok(n - k >= q, `${n} voters: one less would do`);
  }
});

Deno.test("a settled list asks for its majority and no more", () => {
  for (let n = 1; n <= votersMax; n++) assert.equal(votesNeeded(votersOf(n)), quorumOf(n).q);
});

Deno.test("only voters, the witness and the leaving count as voters", () => {
  const list = listOf(["voter", "voter", "witness", "leaving", "learner", "idle", "idle"]);
  assert.deepEqual(quorum(list), quorumOf(4));
});

Deno.test("a leader needs a lease wherever the others could elect", () => {
  const answers = [1, 2, 3, 4, 5].map((n) => othersCanElect(votersOf(n)));
  assert.deepEqual(answers, [false, false, true, true, true]);
});

Deno.test("the margin is what may still be lost before no election can be won", () => {
  assert.equal(margin(votersOf(3), 3), 1);
  assert.equal(margin(votersOf(5), 5), 2);
  assert.equal(margin(votersOf(5), 3), 0);
  assert.equal(margin(votersOf(3), 1), -1);
});
