import assert from "node:assert/strict";
import type { CallFailure, CallResult, Peers } from "../../agent/real/peers.ts";
import { exitCodes, explain } from "../exit.ts";
import { createCluster, openCluster, readConfig } from "./cluster.ts";

/** Peers that give one result to every call and remember what they were asked. */
function peersOf(result: CallResult) {
  const asked: unknown[] = [];
  const peers: Peers = {
    call: (...words) => {
      asked.push(words);
      return Promise.resolve(result);
    },
    close: () => {},
  };
  return { peers, asked };
}

const members = { local: "a:1", seeds: ["b:1"] };

Deno.test("createCluster() passes a question on with its deadline and gives the result", async () => {
  const { peers, asked } = peersOf({ ok: { fine: true } });
  const cluster = createCluster(peers, members);
  const question = { method: "node.status", params: { a: 1 }, deadlineMs: 70 } as const;
  assert.deepEqual(await cluster.call("b:1", question), {
    kind: "answered",
    result: { fine: true },
  });
  assert.deepEqual(asked, [
    ["b:1", { method: "node.status", params: { a: 1 } }, { deadlineMs: 70 }],
  ]);
});

Deno.test("createCluster() tells an agent that said no from one that is not there", async () => {
  const because = "for a reason";
  const question = { method: "node.ping", params: {}, deadlineMs: 70 } as const;
  const kinds = {
    denied: "refused",
    rpc: "refused",
    decode: "refused",
    refused: "silent",
    timeout: "silent",
    unreachable: "silent",
    canceled: "silent",
  } as const;
  for (const [kind, wanted] of Object.entries(kinds)) {
    const failed = { kind, name: "refused", because } as CallFailure;
    const cluster = createCluster(peersOf({ failed }).peers, members);
    const late = kind === "timeout" ? { late: true } : {};
    const answer = await cluster.call("a:1", question);
    assert.deepEqual(answer, { kind: wanted, because, ...late }, kind);
  }
});

Deno.test("readConfig() lists every mistake with its line, below them one line that sums up", () => {
  const text = '[server]\nendpoint = 5\n\n[raft]\nheartbeat-timeout = "often"\n';
  const path = "/etc/xenon/xenon.toml";
  assert.throws(() => readConfig({ path, text }), (error: unknown) => {
    const { code, stdout, stderr } = explain(error);
    assert.deepEqual([code, stdout], [exitCodes.failed, ""]);
    const [first, second, third] = stderr.split("\n");
    assert.match(first ?? "", /^\/etc\/xenon\/xenon\.toml:2:\d+ server\.endpoint: Expected /);
    assert.match(
      second ?? "",
      /^\/etc\/xenon\/xenon\.toml:5:\d+ raft\.heartbeat-timeout: Expected /,
    );
    assert.match(third ?? "", /^xenon: Cannot use the config ".*" as it has 2 problems; next: /);
    return true;
  });
});

Deno.test("openCluster() asks at the config's endpoint, where nobody is, and ends in time", async () => {
  // A port that was just given back: nothing listens there.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const text = `[server]\nendpoint = "127.0.0.1:${port}"\n`;
  const cluster = await openCluster({ path: "/x.toml", text });
  assert.equal(cluster.local, `127.0.0.1:${port}`);
  const question = { method: "node.ping", params: {}, deadlineMs: 2000 } as const;
  const answer = await cluster.call(cluster.local, question);
  assert.equal(answer.kind, "silent");
});
