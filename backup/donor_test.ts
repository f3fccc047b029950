import assert from "node:assert/strict";
import { chooseDonor, type DonorCandidate, problemOf } from "./donor.ts";

type Seen = NonNullable<DonorCandidate["seen"]>;

function member(id: string, seen: Partial<Seen> | null): DonorCandidate {
  if (seen === null) return { id, seen };
  return {
    id,
    seen: {
      role: "FOLLOWER",
      alive: true,
      replicates: true,
      secondsBehind: 0,
      backup: "NONE",
      mysql: { host: "h", port: 3306 },
      version: "8.0.36",
      executed: "",
      ...seen,
    },
  };
}

function chosen(candidates: readonly DonorCandidate[], from: string | null = null): string {
  const choice = chooseDonor(candidates, { self: "me:1", from });
  return choice.kind === "donor" ? choice.donor.id : choice.problems.join("; ");
}

const leader = member("l:1", { role: "LEADER", replicates: false });

Deno.test("chooseDonor() takes the follower that is least behind", () => {
  assert.equal(chosen([leader, member("b:1", { secondsBehind: 9 }), member("c:1", {})]), "c:1");
});

Deno.test("chooseDonor() takes a follower rather than an idle node that is nearer", () => {
  const idle = member("i:1", { role: "IDLE" });
  assert.equal(chosen([idle, member("b:1", { secondsBehind: 9 })]), "b:1");
  assert.equal(chosen([idle, leader]), "i:1", "but an idle node rather than the leader");
});

Deno.test("chooseDonor() takes the leader only where nobody else can be copied", () => {
  const broken = [
    member("a:1", { alive: false }),
    member("b:1", { role: "INVALID" }),
    member("c:1", { replicates: false }),
    member("d:1", { backup: "BACKUPING" }),
    member("e:1", { secondsBehind: 100_000 }),
    member("f:1", null),
    member("w:1", { role: "WITNESS" }),
  ];
  assert.equal(chosen([...broken, leader]), "l:1");
  const problems = chosen(broken);
  for (const id of ["a:1", "b:1", "c:1", "d:1", "e:1", "f:1", "w:1"]) {
    assert.match(problems, new RegExp(`${id} cannot be copied as `));
  }
});

Deno.test("chooseDonor() judges the donor that the operator names, and never takes another", () => {
  assert.equal(chosen([leader, member("b:1", {})], "l:1"), "l:1");
  assert.match(chosen([leader, member("b:1", { alive: false })], "b:1"), /does not answer/);
  assert.match(chosen([leader], "x:1"), /The donor x:1 does not answer/);
  assert.match(chosen([leader], "me:1"), /from itself/);
  assert.match(chosen([]), /nobody to copy/);
});

Deno.test("problemOf() takes a busy donor only where it may be busy with our copy", () => {
  const busy = member("b:1", { backup: "BACKUPING" });
  assert.match(problemOf(busy) ?? "", /b:1 cannot be copied as it is busy: backup state BACKUPING/);
  assert.equal(problemOf(busy, { maySend: true }), null);
  const gone = member("b:1", { backup: "BACKUPING", alive: false });
  assert.match(problemOf(gone, { maySend: true }) ?? "", /its MySQL does not answer/);
});
