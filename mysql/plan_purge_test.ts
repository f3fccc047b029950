import assert from "node:assert/strict";
import fc from "fast-check";
import { contains, parse } from "./gtid.ts";
import { type BinaryLog, planPurge, type PurgeFacts } from "./plan_purge.ts";

const uuid = "aaaaaaaa-0000-4000-8000-000000000001";
const other = "bbbbbbbb-0000-4000-8000-000000000002";

/** Files of ten transactions each; the first begins after `first`. */
function logs(count: number, first = 0): readonly BinaryLog[] {
  return Array.from({ length: count }, (_, index) => {
    const before = first + 10 * index;
    return {
      name: `binlog.${String(index + 1).padStart(6, "0")}`,
      bytes: 100,
      previous: before === 0 ? "" : `${uuid}:1-${before}`,
    };
  });
}

function facts(change: Partial<PurgeFacts> = {}): PurgeFacts {
  return { logs: logs(5), purged: "", errant: "", members: members(45, 45, 45), ...change };
}

function members(...executed: readonly (number | null)[]) {
  return executed.map((last, index) => ({
    id: `node${index + 1}`,
    executed: last === null ? null : `${uuid}:1-${last}`,
    because: "it does not answer",
  }));
}

Deno.test("everything that all have executed goes, but for the file in use and the one before", () => {
  const wanted = { kind: "purge", to: "binlog.000004", files: 3, bytes: 300 };
  assert.deepEqual(planPurge(facts()), wanted);
});

Deno.test("the slowest member decides, to the transaction", () => {
  const at = (last: number) => planPurge(facts({ members: members(45, last, 45) }));
  assert.deepEqual(at(20), { kind: "purge", to: "binlog.000003", files: 2, bytes: 200 });
  assert.deepEqual(at(19), { kind: "purge", to: "binlog.000002", files: 1, bytes: 100 });
  assert.deepEqual(at(9), { kind: "held", because: `node2 has not executed ${uuid}:10` });
});

Deno.test("a member whose position is unknown holds everything, also one that is idle or away", () => {
  const plan = planPurge(facts({ members: members(45, null, 45) }));
  assert.deepEqual(plan, {
    kind: "held",
    because: "nobody knows what node2 has: it does not answer",
  });
});

Deno.test("with one or two files there is nothing to remove, whoever is away", () => {
  for (const count of [0, 1, 2]) {
    const few = facts({ logs: logs(count), members: members(45, null) });
    assert.deepEqual(planPurge(few), { kind: "nothing" });
  }
});

Deno.test("what was purged before is not waited for: no file could bring it back", () => {
  const fresh = [{ id: "node1", executed: `${uuid}:21-99`, because: "" }];
  const plan = planPurge(facts({ logs: logs(5, 20), purged: `${uuid}:1-20`, members: fresh }));
  assert.deepEqual(plan, { kind: "purge", to: "binlog.000004", files: 3, bytes: 300 });
});

Deno.test("transactions that only this server has are kept, whatever the others have", () => {
  const before = `${uuid}:1-10,${other}:1`;
  const own = logs(5).map((log, index) => index === 0 ? log : { ...log, previous: before });
  const plan = planPurge(facts({ logs: own, errant: `${other}:1` }));
  assert.deepEqual(plan, {
    kind: "held",
    because: `every other node has not executed ${other}:1`,
  });
});

Deno.test("a file whose beginning was not read stops the search", () => {
  const unread = logs(5).map((log, index) => index >= 2 ? { ...log, previous: null } : log);
  const plan = planPurge(facts({ logs: unread }));
  assert.deepEqual(plan, { kind: "purge", to: "binlog.000002", files: 1, bytes: 100 });
});

Deno.test("no purge removes a transaction that a member lacks, or one of the last two files", () => {
  const member = fc.option(fc.nat({ max: 80 }).map((last) => last + 1), { freq: 6 });
  fc.assert(fc.property(fc.nat({ max: 8 }), fc.array(member, { minLength: 1 }), (count, all) => {
    const seen = facts({ logs: logs(count), members: members(...all) });
    const plan = planPurge(seen);
    if (plan.kind !== "purge") return;
    const target = seen.logs.findIndex(({ name }) => name === plan.to);
    assert.ok(target > 0 && target <= count - 2);
    const gone = parse(seen.logs[target]?.previous ?? "");
    for (const { executed } of seen.members) {
      assert.ok(executed !== null && contains(parse(executed), gone));
    }
  }));
});
