import assert from "node:assert/strict";
import type { AccountWish } from "../mysql/accounts.ts";
import type { Administration, PeerAnswer, Peers } from "./ports.ts";
import { UserCalls } from "./user_calls.ts";
import { RpcError } from "./wire_rpc.ts";

const signal = new AbortController().signal;
const operator = { from: null, cluster: null, remote: "", signal };
const colleague = { ...operator, from: "b" };
const wish = {
  kind: "create",
  user: "app",
  host: "%",
  password: "secret word",
  requireX509: false,
  grants: { kind: "everything" },
};

interface Scene {
  readonly leader: string;
  readonly open?: boolean;
  readonly member?: boolean;
  readonly answer?: PeerAnswer;
  readonly server?: (wish: AccountWish) => Promise<void>;
}

function node({ leader, open = true, member = true, answer = { ok: "passed on" }, server }: Scene) {
  const asked: (Parameters<Peers["call"]>[1] & { readonly endpoint: string })[] = [];
  const changed: AccountWish[] = [];
  const logged: string[] = [];
  const calls = new UserCalls({
    self: "a",
    leader: () => leader,
    open: () => open,
    member: () => member,
    peers: {
      call(endpoint, question) {
        asked.push({ endpoint, ...question });
        return Promise.resolve(answer);
      },
    },
    administration: {
      accounts: () => Promise.resolve([{ user: "app", host: "%", superior: false }]),
      changeAccount: server ?? ((one) => Promise.resolve(void changed.push(one))),
    } as Partial<Administration> as Administration,
    log: { write: (_level, sentence) => logged.push(sentence) },
  });
  return { methods: calls.methods(), asked, changed, logged };
}

Deno.test("the leader changes the account itself, and neither answer nor log holds the password", async () => {
  const { methods, changed, logged } = node({ leader: "a" });
  const answer = await methods["user.change"]?.(wish, operator);
  assert.deepEqual(changed, [wish]);
  assert.deepEqual(answer, {
    sentences: ['The account "app"@"%" is made on a and replicated from there'],
  });
  assert.deepEqual(logged, ['The account "app"@"%" is made']);
});

Deno.test("another node passes the wish on to the leader, confidentially, and its answer back", async () => {
  const { methods, asked, changed } = node({ leader: "c" });
  assert.equal(await methods["user.change"]?.(wish, operator), "passed on");
  assert.deepEqual(changed, []);
  assert.deepEqual(asked, [
    { endpoint: "c", method: "user.change", params: wish, confidential: true },
  ]);
});

Deno.test("a wish that was passed on once is not passed on again: two nodes cannot play ball", async () => {
  const { methods, asked } = node({ leader: "c" });
  const refused = methods["user.change"]?.(wish, colleague);
  await assert.rejects(refused ?? Promise.resolve(), /a does not lead any more, try again/);
  assert.deepEqual(asked, []);
});

const refusals: readonly (readonly [string, Scene, RegExp])[] = [
  ["nobody leads", { leader: "" }, /nobody leads just now/],
  ["the leader is not open yet", { leader: "a", open: false }, /not open for writes yet/],
  [
    "the leader is silent",
    { leader: "c", answer: { failed: { kind: "timeout", because: "no answer" } } },
    /the leader c: no answer/,
  ],
  [
    "the leader refuses",
    { leader: "c", answer: { failed: { kind: "rpc", because: "it exists already" } } },
    /^RpcError: it exists already/,
  ],
  [
    "the server refuses",
    { leader: "a", server: () => Promise.reject(new Error("Cannot create the account")) },
    /Cannot create the account/,
  ],
];

for (const [name, scene, because] of refusals) {
  Deno.test(`a change is refused where ${name}`, async () => {
    const refused = node(scene).methods["user.change"]?.(wish, operator) ?? Promise.resolve();
    await assert.rejects(refused, (error) => {
      assert.ok(error instanceof RpcError && error.kind === "refused");
      assert.match(String(error), because);
      return true;
    });
  });
}

Deno.test("a wish of the wrong shape is refused without showing any of it", () => {
  const { methods } = node({ leader: "a" });
  for (const wrong of [null, {}, { ...wish, user: 7 }, { ...wish, kind: "secret word" }]) {
    assert.throws(() => methods["user.change"]?.(wrong, operator), (error) => {
      assert.ok(error instanceof RpcError && error.kind === "invalidParams");
      assert.doesNotMatch(error.message, /secret word/);
      return true;
    });
  }
});

Deno.test("the list comes from the leader too", async () => {
  const { methods } = node({ leader: "a" });
  assert.deepEqual(await methods["user.list"]?.({}, operator), {
    accounts: [{ user: "app", host: "%", superior: false }],
  });
});

Deno.test("a node that is in no cluster says so, and not that nobody leads", async () => {
  const { methods } = node({ leader: "", member: false });
  await assert.rejects(
    Promise.resolve(methods["user.list"]?.({}, operator)),
    /this node is in no cluster.*cluster add/,
  );
});
