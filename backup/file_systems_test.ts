import assert from "node:assert/strict";
import type { CopyMethodName } from "./copy_method.ts";
import { memoryFolders } from "./fake_folders.ts";
import { FakeNode, methodOf, optionsOf, taskOf, wish } from "./fake_node.ts";
import { filledWith, whyNotAside } from "./file_systems.ts";
import { rebuild } from "./rebuild.ts";

const files = {
  "/db/data/ibdata1": "old",
  "/db/data/shop/a.ibd": "old",
  "/fast/undo/undo_001": "old",
  "/fast/logs/binlog.000001": "old",
  "/fast/logs/binlog.index": "old",
};
const variables = new Map([
  ["datadir", "/db/data/"],
  ["innodb_undo_directory", "/fast/undo"],
  ["log_bin_basename", "/fast/logs/binlog"],
  ["log_bin_index", "/fast/logs/binlog.index"],
]);

/** How a rebuild by this method ends where these are other file systems than that of the data. */
async function endWith(mounts: readonly string[], name: CopyMethodName) {
  const node = new FakeNode(files);
  for (const mount of mounts) node.disk.mounts.add(mount);
  const options = optionsOf(node, { ...methodOf(node), name });
  const host = { ...options.host, variables: () => Promise.resolve(variables) };
  const end = await rebuild({ ...options, host }, taskOf().task, wish).catch(String);
  return { end, calls: node.calls };
}

Deno.test("a copy that could not be moved into place is refused before anything is touched", async () => {
  for (const [mount, name] of [["/fast/undo", "clone"], ["/fast/logs", "xtrabackup"]] as const) {
    const { end, calls } = await endWith([mount], name);
    assert.match(end, /nothing was touched: .*is on another file system than "\/db\/data"/, mount);
    assert.ok(!calls.includes("stopServer"));
  }
  assert.match((await endWith(["/db/data/shop"], "clone")).end, /mounted in it.*shop/);
});

Deno.test("logs on another file system do not stop a copy that brings none", async () => {
  assert.equal((await endWith(["/fast/logs"], "clone")).end, "completed OK!");
  assert.equal((await endWith([], "xtrabackup")).end, "completed OK!");
});

Deno.test("filledWith() names the places of what a backup holds", () => {
  const data = { role: "data", folder: "/d", names: null } as const;
  const undo = { role: "undo", folder: "/u", names: ["undo_\\d+"] } as const;
  assert.deepEqual(filledWith([data, undo], ["ibdata1", "mysql"]), [data]);
  assert.deepEqual(filledWith([data, undo], ["ibdata1", "undo_001"]), [data, undo]);
});

Deno.test("an entry that a running server removes meanwhile is no other file system", async () => {
  const disk = memoryFolders(files);
  const list = () => Promise.resolve(["ibdata1", "relay.~rec~", "shop"]);
  const data = { role: "data", folder: "/db/data", names: null } as const;
  assert.equal(await whyNotAside({ ...disk, list }, data), null);
});
