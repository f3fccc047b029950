/** What was saved is there after a restart, however long it is. */
import assert from "node:assert/strict";
import { encodeState, type Json, STATE_CHARACTERS_MAX } from "./durable.ts";
import { freshDurable, type Position } from "../raft/types.ts";
import type { Files } from "./ports.ts";
import { Store } from "./store.ts";

const path = "/meta/state.json";

function memoryFiles(): Files {
  let kept: string | null = null;
  return {
    read: () => Promise.resolve(kept),
    writeDurably: (_call, _path, text) => {
      kept = text;
      return Promise.resolve();
    },
  };
}

Deno.test("a promised set of 20,000 intervals is read back after a restart", async () => {
  const files = memoryFiles();
  const gaps = Array.from({ length: 20_000 }, (_, n) => `${4e9 + 3 * n}-${4e9 + 3 * n + 1}`);
  const promised = `11111111-2222-3333-4444-555555555555:${gaps.join(":")}` as Position;
  const store = await Store.open(files, path, { member: "m" });
  await store.saveDurable({ ...freshDurable("m"), term: 7, promised });
  await store.remember({ errant: promised });
  const again = await Store.open(files, path, { member: "other" });
  assert.deepEqual(again.current, store.current);
  assert.equal(again.current.durable.promised, promised);
});

Deno.test("a state that could not be read back is not written", async () => {
  const files = memoryFiles();
  const store = await Store.open(files, path, { member: "m" });
  const promised = "x".repeat(STATE_CHARACTERS_MAX) as Position;
  const saved = store.saveDurable({ ...freshDurable("m"), promised });
  await assert.rejects(saved, /Cannot write a state of \d+ characters, the most is 4194304/);
  const again = await Store.open(files, path, { member: "other" });
  assert.equal(again.current.durable.promised, "");
});

Deno.test("a damaged state asks for the node to be added again, not for an older copy", async () => {
  const files: Files = { ...memoryFiles(), read: () => Promise.resolve("{") };
  await assert.rejects(
    Store.open(files, path, { member: "m" }),
    /^Error: Cannot use state file "\/meta\/state\.json": .* an older copy of it must not be put back.*Take the node out with "xenon cluster remove"/,
  );
});

Deno.test("a state of the first version says nothing of what a restart costs", async () => {
  const { forgets: _, ...first } = freshDurable("m");
  const payload: unknown = { durable: first, memory: { errant: "", monitor: null } };
  const text = encodeState(payload as Json);
  const files: Files = { ...memoryFiles(), read: () => Promise.resolve(text) };
  const store = await Store.open(files, path, { member: "other" });
  assert.deepEqual(store.current.durable, freshDurable("m"));
  const forgets = { process: null, host: "sync_relay_log=10000 loses received transactions" };
  const written = memoryFiles();
  await (await Store.open(written, path, { member: "m" })).saveDurable({
    ...freshDurable("m"),
    forgets,
  });
  const again = await Store.open(written, path, { member: "other" });
  assert.deepEqual(again.current.durable.forgets, forgets);
});
