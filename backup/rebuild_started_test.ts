/** A server that somebody else starts while its data belongs to a rebuild. */
import assert from "node:assert/strict";
import { FakeNode, oldFiles, optionsOf, taskOf, wish } from "./fake_node.ts";
import type { Folders } from "./ports.ts";
import { rebuild, type RebuildOptions } from "./rebuild.ts";

/** No file moves while a server runs; one is started after a move to `startedAfter`. */
function watched(node: FakeNode, startedAfter = ""): RebuildOptions {
  const options = optionsOf(node);
  const move: Folders["move"] = async (name, from, to) => {
    assert.equal(node.running, false, `${name} is moved under a server`);
    await node.disk.move(name, from, to);
    if (`${to}/${name}` === startedAfter) node.running = true;
  };
  return { ...options, folders: { ...node.disk, move } };
}

Deno.test("a server that somebody starts while the donor catches up is stopped before its data moves", async () => {
  const node = new FakeNode();
  const { task, lines } = taskOf();
  const say = (line: string) => {
    task.say(line);
    if (line.startsWith("S7 the donor")) node.running = true;
  };
  assert.equal(await rebuild(watched(node), { ...task, say }, wish), "completed OK!");
  assert.ok(lines.some((line) => line.startsWith("S7 somebody started the server")));
  assert.equal(node.data, "new");
});

Deno.test("a server that somebody starts later, before S11, does not pass for the new one", async () => {
  // The last entry that goes aside, and the last one of the copy.
  for (const last of ["/db/data/.xenon-old-7/shop", "/db/data/mysqld-auto.cnf"]) {
    const node = new FakeNode();
    const { task, journal } = taskOf();
    const running = rebuild(watched(node, last), task, wish);
    await assert.rejects(running, /Somebody started the server.*old data is in place again/, last);
    assert.deepEqual(Object.fromEntries(node.disk.files), oldFiles, last);
    assert.equal(node.running, true, "the old server");
    assert.equal(journal.apart, null);
  }
});
