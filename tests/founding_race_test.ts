/** Several nodes found a cluster at the same time, over the real protocol of each. */
import assert from "node:assert/strict";
import { listPositions } from "./list_positions.ts";
import type { Message } from "../raft/message.ts";
import type { State } from "../raft/state.ts";
import { start, step } from "../raft/step.ts";
import { type Config, freshDurable, type NodeId } from "../raft/types.ts";
import { form } from "../agent/formation.ts";
import type { FormationOptions, Formed, Introduction } from "../agent/introduction.ts";
import { decodeEnvelope, encodeEnvelope } from "../agent/wire_raft.ts";

const silent = { failed: { kind: "timeout", because: "no answer" } } as const;
const ids = ["a:1", "b:1", "c:1", "d:1"];

/** Fresh nodes that reach each other at once; time passes when somebody waits for it. */
class Nodes {
  readonly #states = new Map(ids.map((id) => [id, this.#fresh(id)]));
  #now = 100;
  #requests = 0;
  #uuids = 0;
  /** A node that does not answer. */
  away = "";

  state(id: string): State {
    const state = this.#states.get(id);
    assert.ok(state !== undefined, id);
    return state;
  }

  form(self: string, others: readonly string[]): Promise<Formed> {
    return form(this.#options(self), others);
  }

  /** What a founder had said when its agent was killed. */
  promise(founder: string, members: readonly string[]): void {
    const founding = {
      cluster: "uuid-0",
      founder: founder as NodeId,
      members: members as NodeId[],
    };
    for (const id of members) this.#tell(founder, id, { kind: "foundingPromise", founding });
  }

  /** The founder alone has stored the list. */
  store(founder: string, ids: readonly string[]): void {
    const members = ids.map((id) => ({ id: id as NodeId, member: id, kind: "voter" }) as const);
    const membership = { cluster: "uuid-0", epoch: 1, members };
    this.#tell(founder, founder, { kind: "foundingStore", membership, begun: false });
  }

  #tell(from: string, to: string, message: Message): void {
    const [sender, receiver] = [from as NodeId, to as NodeId];
    this.hears(to, { cluster: null, from: sender, member: from, to: receiver, message });
  }

  #options(self: string): FormationOptions {
    return {
      self: self as NodeId,
      leader: () => "",
      introduce: () => this.#introduce(self),
      own: (envelope) => Promise.resolve(this.hears(self, envelope)),
      peers: {
        call: async (id, { method, params }) => {
          await Promise.resolve();
          if (id === this.away && method !== "node.introduce") return silent;
          if (method === "node.introduce") return { ok: this.#introduce(id) };
          const decoded = decodeEnvelope(params);
          assert.ok(decoded.kind === "decoded");
          const message = this.hears(id, decoded.envelope);
          const { envelope: { from } } = decoded;
          return {
            ok: encodeEnvelope({
              cluster: null,
              from: id as NodeId,
              member: id,
              to: from,
              message,
            }),
          };
        },
      },
      newUuid: () => `uuid-${++this.#uuids}`,
      clock: { after: (ms, call) => this.#later(ms, call) },
      deadlineMs: 1_000,
    };
  }

  /** A millisecond is as long as the answer of a peer. */
  #later(ms: number, call: () => void): () => void {
    let wanted = true;
    const pass = async () => {
      for (let turn = 0; turn < ms; turn++) await Promise.resolve();
      if (wanted) call();
    };
    void pass();
    return () => void (wanted = false);
  }

  hears(id: string, envelope: Parameters<typeof encodeEnvelope>[0]): Message {
    const request = ++this.#requests;
    const event = { kind: "received", at: ++this.#now, request, envelope } as const;
    const [state, effects] = step(configOf(id), this.state(id), event);
    this.#states.set(id, state);
    const reply = effects.find((effect) => effect.kind === "reply" && effect.request === request);
    assert.ok(reply?.kind === "reply");
    return reply.message;
  }

  #fresh(id: string): State {
    const config = configOf(id);
    const [state] = start(config, freshDurable(id), { at: 0, seed: 7 });
    return step(config, state, { kind: "fenced", at: 10, op: 1 })[0];
  }

  #introduce(id: string): Introduction {
    const { membership, founding } = this.state(id).durable;
    return {
      id,
      member: id,
      cluster: membership?.cluster ?? null,
      members: membership?.members.map((member) => member.id) ?? [],
      idle: [],
      superIdle: false,
      founding: founding !== null,
      witness: false,
      held: "",
      purged: "",
      problems: [],
      starting: false,
    };
  }
}

function configOf(id: string): Config {
  return {
    id: id as NodeId,
    source: { id: id as NodeId, host: id, port: 3306 },
    heartbeatMs: 100,
    electionMs: 1_000,
    leaseMs: 700,
    handoverMs: 2_000,
    witness: false,
    positions: listPositions,
  };
}

function clusters(nodes: Nodes, of: readonly string[]): readonly (string | null)[] {
  return of.map((id) => nodes.state(id).durable.membership?.cluster ?? null);
}

Deno.test("of three nodes that found the same cluster at once one does, and the others find it done", async () => {
  const nodes = new Nodes();
  const three = ids.slice(0, 3);
  const formed = await Promise.all(three.map((id) => nodes.form(id, three)));
  assert.deepEqual(formed.map(({ kind }) => kind), ["done", "done", "done"]);
  const found = clusters(nodes, three);
  assert.ok(found[0] !== null);
  assert.equal(new Set(found).size, 1);
  for (const id of three) assert.equal(nodes.state(id).durable.founding, null, id);
});

Deno.test("of two founders with different lists one at most founds, and binds nobody else", async () => {
  const nodes = new Nodes();
  const formed = await Promise.all([
    nodes.form("a:1", ["b:1", "c:1"]),
    nodes.form("d:1", ["c:1"]),
  ]);
  const done = formed.filter(({ kind }) => kind === "done");
  assert.equal(done.length, 1, JSON.stringify(formed));
  const members = ids.filter((id) => nodes.state(id).durable.membership !== null);
  for (const id of ids) assert.equal(nodes.state(id).durable.founding, null, id);
  assert.ok(members.length === 3 || members.length === 2);
});

Deno.test("a founding that nobody goes on with is given up by its founder for another one", async () => {
  const nodes = new Nodes();
  nodes.promise("a:1", ["a:1", "b:1"]);
  const done = await nodes.form("c:1", ["b:1"]);
  assert.equal(done.kind, "done", JSON.stringify(done));
  assert.equal(nodes.state("a:1").durable.founding, null);
});

Deno.test("a founding whose founder does not answer stays, and says where to finish it", async () => {
  const nodes = new Nodes();
  nodes.promise("a:1", ["a:1", "b:1"]);
  nodes.away = "a:1";
  const refused = await nodes.form("c:1", ["b:1"]);
  assert.ok(refused.kind === "refused");
  assert.match(refused.because.join("; "), /b:1: I promised myself to a:1, which founds .*on a:1/);
  assert.equal(nodes.state("c:1").durable.founding, null);
  nodes.away = "";
  assert.equal((await nodes.form("a:1", ids)).kind, "done");
});

Deno.test("a founding that its founder has stored is never given up", async () => {
  const nodes = new Nodes();
  nodes.promise("a:1", ["a:1", "b:1"]);
  nodes.store("a:1", ["a:1", "b:1"]);
  assert.equal((await nodes.form("c:1", ["b:1"])).kind, "refused");
  assert.equal((await nodes.form("b:1", ["a:1"])).kind, "done");
});
