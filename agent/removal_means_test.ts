import assert from "node:assert/strict";
import type { MemberChange } from "../raft/event.ts";
import type { Membership } from "../raft/types.ts";
import { removalMeans } from "./removal_means.ts";

const remove = { kind: "remove", id: "b", onlyIdle: false } as MemberChange;

function listOf(...kinds: readonly string[]): Membership {
  const members = kinds.map((kind, index) => ({ id: "abcd"[index], member: "", kind }));
  return { cluster: "c", epoch: 1, members } as unknown as Membership;
}

Deno.test("a removal that leaves two voters or one says what that costs", () => {
  const [two = ""] = removalMeans(listOf("voter", "voter", "voter"), remove);
  assert.match(two, /^Two voters .*no longer wait for acknowledgements.*may lose writes/);
  const [one = ""] = removalMeans(listOf("voter", "voter", "idle"), remove);
  assert.match(one, /^One voter .*nothing survives its loss/);
});

Deno.test("a removal that costs no safety says nothing", () => {
  assert.deepEqual(removalMeans(listOf("voter", "voter", "voter", "voter"), remove), []);
  assert.deepEqual(removalMeans(listOf("voter", "idle", "voter"), remove), []);
  assert.deepEqual(removalMeans(null, remove), []);
});
