import assert from "node:assert/strict";
import type { NodeId } from "../raft/types.ts";
import { form } from "./formation.ts";
import type { FormationOptions, Introduction } from "./introduction.ts";

const uuid = "aaaaaaaa-0000-4000-8000-000000000001";

function introduction(id: string, change: Partial<Introduction> = {}): Introduction {
  return {
    id,
    member: id,
    cluster: null,
    members: [],
    idle: [],
    superIdle: false,
    founding: false,
    witness: false,
    held: "",
    purged: "",
    problems: [],
    starting: false,
    ...change,
  };
}

/** This node is the first; the others introduce themselves when they are asked. */
function options(
  [self, ...others]: readonly Introduction[],
  leader?: Introduction,
): FormationOptions {
  assert.ok(self !== undefined);
  return {
    self: self.id as NodeId,
    leader: () => leader?.id ?? "",
    introduce: () => self,
    peers: {
      call: (id) => Promise.resolve({ ok: others.find((node) => node.id === id) }),
    },
    own: () => Promise.reject(new Error("nobody founds anything here")),
    newUuid: () => "c",
    clock: { after: () => () => {} },
    deadlineMs: 1_000,
  };
}

const lacks = new RegExp(
  `b:1 lacks ${uuid}:1-5, which the binary logs of a:1 have no more: .*"xenon mysql rebuildme"`,
);

Deno.test("a copy that is older than the binary logs is refused before it joins", async () => {
  const member = { cluster: "c", members: ["a:1"], held: `${uuid}:1-9`, purged: `${uuid}:1-5` };
  const self = introduction("a:1", member);
  const formed = await form(options([self, introduction("b:1")]), ["b:1"]);
  assert.ok(formed.kind === "refused");
  assert.match(formed.because.join(), lacks);
  const copied = introduction("b:1", { held: `${uuid}:1-7`, purged: `${uuid}:1-7` });
  assert.equal((await form(options([self, copied]), ["b:1"])).kind, "join");
});

Deno.test("a member that the leader's list has no more is added again, whatever this node knows", async () => {
  const self = introduction("a:1", { cluster: "c", members: ["a:1", "b:1", "l:1"] });
  const leader = introduction("l:1", { cluster: "c", members: ["a:1", "l:1"] });
  const removed = introduction("b:1", { cluster: "c" });
  const formed = await form(options([self, removed, leader], leader), ["b:1"]);
  assert.deepEqual(formed, { kind: "join", strangers: [removed] });
  assert.equal((await form(options([self, removed]), ["b:1"])).kind, "done");
});

Deno.test("a founding is refused where one copy could never catch up with the first leader's", async () => {
  const self = introduction("a:1", { held: `${uuid}:1-9`, purged: `${uuid}:1-5` });
  const formed = await form(options([self, introduction("b:1")]), ["b:1"]);
  assert.ok(formed.kind === "refused");
  assert.match(formed.because.join(), lacks);
});

Deno.test("a node whose agent has just started is asked again until it has seen its server", async () => {
  const self = introduction("a:1", { cluster: "c", members: ["a:1"] });
  const unseen = { starting: true, problems: ["its MySQL is unknown"] };
  const answers = [introduction("b:1", unseen), introduction("b:1", unseen), introduction("b:1")];
  const waits: number[] = [];
  const asked: FormationOptions = {
    ...options([self]),
    peers: { call: () => Promise.resolve({ ok: answers.shift() }) },
    clock: {
      after: (ms, call) => {
        waits.push(ms);
        Promise.resolve().then(call);
        return () => {};
      },
    },
  };
  const formed = await form(asked, ["b:1"]);
  assert.equal(formed.kind, "join");
  assert.deepEqual(waits, [100, 100]);
});

Deno.test("a node that never sees its server is refused with what it says", async () => {
  const self = introduction("a:1", { cluster: "c", members: ["a:1"] });
  const unseen = introduction("b:1", { starting: true, problems: ["its MySQL is unknown"] });
  const asked: FormationOptions = {
    ...options([self, unseen]),
    clock: {
      after: (_, call) => {
        Promise.resolve().then(call);
        return () => {};
      },
    },
  };
  assert.deepEqual(await form(asked, ["b:1"]), {
    kind: "refused",
    because: ["b:1: its MySQL is unknown"],
  });
});
