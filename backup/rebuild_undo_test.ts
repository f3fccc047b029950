/** The way back of a rebuild, interrupted and blocked. */
import assert from "node:assert/strict";
import type { CopyMethod } from "./copy_method.ts";
import { FakeNode, methodOf, optionsOf, taskOf, wish } from "./fake_node.ts";
import type { Folders } from "./ports.ts";
import { rebuild, type RebuildOptions } from "./rebuild.ts";

const oldFiles = {
  "/db/data/ibdata1": "old",
  "/db/data/mysql.ibd": "old",
  "/db/data/shop/a.ibd": "old",
};

/** A copy with several entries, as each may be the one at which an agent is killed. */
function optionsWith(node: FakeNode): RebuildOptions {
  const method = methodOf(node);
  const copy: CopyMethod["copy"] = async (...parts) => {
    for (const name of ["mysql.ibd", "shop/a.ibd"]) {
      node.disk.files.set(`${parts[0].target}/${name}`, "new");
    }
    return await method.copy(...parts);
  };
  return { ...optionsOf(node), methods: [{ ...method, copy }] };
}

/** Runs until an operator cancels at S12 and the agent is killed at this move of the way back. */
async function killedInUndo(node: FakeNode, killedAt: number) {
  const { task, journal, abort } = taskOf();
  const options = optionsWith(node);
  const killed = Promise.withResolvers<void>();
  let moves = 0;
  const say = (line: string) => {
    if (line.startsWith("S12 ")) abort.abort(new Error("An operator canceled the job"));
  };
  const move: Folders["move"] = (name, from, to) => {
    if (!abort.signal.aborted || ++moves < killedAt) return node.disk.move(name, from, to);
    killed.resolve();
    return new Promise(() => {});
  };
  const folders = { ...node.disk, move };
  rebuild({ ...options, folders }, { ...task, say }, wish).catch(() => killed.resolve());
  await killed.promise;
  return journal;
}

Deno.test("an agent that is killed anywhere on the way back leaves the next one only the way back", async () => {
  for (let killedAt = 1; killedAt <= 7; killedAt++) {
    const node = new FakeNode(oldFiles);
    const { memo } = await killedInUndo(node, killedAt);
    const next = taskOf(undefined, memo, true);
    await assert.rejects(rebuild(optionsWith(node), next.task, wish), /rolled back/);
    assert.deepEqual(Object.fromEntries(node.disk.files), oldFiles, `move ${killedAt}`);
    assert.equal(next.journal.apart, null);
  }
});

Deno.test("a rebuild that cannot be undone keeps the server apart, and the next agent tries again", async () => {
  const node = new FakeNode(oldFiles);
  const { task, journal } = taskOf();
  const options = optionsOf(node, methodOf(node, "fails"));
  const move: Folders["move"] = (name, from, to) =>
    from.endsWith(".xenon-old-7")
      ? Promise.reject(new Error("Cannot move: disk trouble"))
      : node.disk.move(name, from, to);
  const broken = { ...options, folders: { ...node.disk, move } };
  await assert.rejects(rebuild(broken, task, wish), /restart the agent, which tries again/);
  assert.match(journal.apart ?? "", /job 7 rebuilds it/);
  const next = taskOf(undefined, journal.memo, true);
  await assert.rejects(rebuild(options, next.task, wish), /the old data is in place again/);
  assert.deepEqual(Object.fromEntries(node.disk.files), oldFiles);
  assert.equal(next.journal.apart, null);
});
