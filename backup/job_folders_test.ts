import assert from "node:assert/strict";
import { memoryFolders } from "./fake_folders.ts";
import { FakeNode, oldFiles, optionsOf, taskOf, wish } from "./fake_node.ts";
import { jobFolders } from "./job_folders.ts";
import { rebuild } from "./rebuild.ts";

Deno.test("jobFolders() steps over a number that any place has had", async () => {
  const places = [
    { role: "data", folder: "/db/data", names: null },
    { role: "redo", folder: "/fast/redo", names: ["#innodb_redo"] },
  ] as const;
  const disk = memoryFolders({
    "/db/data/.xenon-old-1/ibdata1": "kept",
    "/fast/redo/.xenon-job-2/x": "left",
  });
  assert.deepEqual(await jobFolders(disk, places, 1), {
    aside: ".xenon-old-3",
    work: ".xenon-job-3",
  });
  assert.deepEqual(await jobFolders(disk, places, 7), {
    aside: ".xenon-old-7",
    work: ".xenon-job-7",
  });
});

Deno.test("old data that an earlier job of this number kept is neither mixed with nor removed", async () => {
  const kept = { "/db/data/.xenon-old-7/ibdata1": "kept", "/db/data/.xenon-old-7/a/b.ibd": "kept" };
  for (const fails of [false, true]) {
    const node = new FakeNode({ ...oldFiles, ...kept });
    const { task, lines } = taskOf();
    const say = (line: string) => {
      task.say(line);
      if (fails && line.startsWith("S11 ")) node.failing = "forgetSource";
    };
    const end = await rebuild(optionsOf(node), { ...task, say }, wish).catch(String);
    assert.equal(node.data, fails ? "old" : "new", end);
    for (const [path, text] of Object.entries(kept)) assert.equal(node.disk.files.get(path), text);
    assert.ok(lines.includes("S8 old data moved aside to /db/data/.xenon-old-8"));
  }
});
