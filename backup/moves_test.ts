import assert from "node:assert/strict";
import type { Phase, RebuildMemo } from "./memo.ts";
import { memoryFolders } from "./fake_folders.ts";
import { moveAside, putBack, putInPlace, removeOld, takeOut, targetOf } from "./moves.ts";

const memo: RebuildMemo = {
  phase: "movingAside",
  method: "clone",
  donor: { id: "b:1", mysql: { host: "b", port: 1 }, version: "8.0.36", dataBytes: 1 },
  wanted: "",
  places: [
    { role: "data", folder: "/db/data", names: null },
    { role: "redo", folder: "/fast/redo", names: ["#innodb_redo"] },
    { role: "undo", folder: "/db/data/undo", names: ["undo_\\d+"] },
  ],
  owner: { uid: 0, gid: 0 },
  aside: ".xenon-old-1",
  work: ".xenon-job-1",
  ran: true,
  keepOld: false,
  member: true,
  gtids: null,
};

const before = {
  "/db/data/ibdata1": "old",
  "/db/data/shop/a.ibd": "old",
  "/db/data/undo/undo_001": "old",
  "/fast/redo/#innodb_redo/1": "old",
  "/fast/redo/notes.txt": "somebody else's",
};

const copied = {
  [`${targetOf(memo)}/ibdata1`]: "new",
  [`${targetOf(memo)}/undo_001`]: "new",
  [`${targetOf(memo)}/#innodb_redo/1`]: "new",
};

Deno.test("the old data goes aside, the copy takes its place, and the old data goes at the end", async () => {
  const disk = memoryFolders({ ...before, ...copied });
  assert.deepEqual(await moveAside(disk, memo), [
    "/db/data/.xenon-old-1",
    "/fast/redo/.xenon-old-1",
  ]);
  assert.equal(disk.files.get("/db/data/.xenon-old-1/undo/undo_001"), "old");
  assert.equal(disk.files.get("/fast/redo/notes.txt"), "somebody else's");
  await putInPlace(disk, memo);
  assert.equal(disk.files.get("/db/data/undo/undo_001"), "new");
  assert.equal(disk.files.get("/fast/redo/#innodb_redo/1"), "new");
  await removeOld(disk, memo);
  assert.deepEqual([...new Set(disk.files.values())].sort(), ["new", "somebody else's"]);
});

Deno.test("wherever a rebuild is interrupted, the way back restores every old file", async () => {
  for (let failMove = 1; failMove <= 6; failMove++) {
    const disk = memoryFolders({ ...before, ...copied });
    let phase: Phase = "movingAside";
    disk.failMove = failMove;
    try {
      await moveAside(disk, memo);
      phase = "placing";
      await putInPlace(disk, memo);
    } catch {
      // The journal holds the phase that had begun.
    }
    if (phase === "placing") await takeOut(disk, memo);
    await putBack(disk, memo);
    assert.deepEqual(Object.fromEntries(disk.files), before, `move ${failMove} fails`);
  }
});

Deno.test("a way back that is interrupted itself ends well when it is tried again", async () => {
  for (const failMove of [6, 7, 8, 9, 10]) {
    const disk = memoryFolders({ ...before, ...copied });
    await moveAside(disk, memo);
    await putInPlace(disk, memo);
    disk.failMove = failMove;
    let takenOut = false;
    for (let tries = 0; tries < 2; tries++) {
      try {
        if (!takenOut) await takeOut(disk, memo);
        takenOut = true;
        await putBack(disk, memo);
      } catch {
        // The second try goes on from the half that the journal names.
      }
    }
    assert.deepEqual(Object.fromEntries(disk.files), before, `move ${failMove} fails`);
  }
});

Deno.test("what a server left in the emptied folders does not block the way back", async () => {
  const disk = memoryFolders({ ...before, ...copied });
  await moveAside(disk, memo);
  disk.files.set("/db/data/ibdata1", "debris");
  disk.files.set("/fast/redo/#innodb_redo/1", "debris");
  await putBack(disk, memo);
  assert.deepEqual(Object.fromEntries(disk.files), before);
});

Deno.test("every half of a move is on disk before the next one begins", async () => {
  const disk = memoryFolders({ ...before, ...copied });
  await moveAside(disk, memo);
  assert.deepEqual([...disk.unsynced], []);
  await putInPlace(disk, memo);
  assert.deepEqual([...disk.unsynced], []);
  await takeOut(disk, memo);
  assert.deepEqual([...disk.unsynced], []);
  await putBack(disk, memo);
  assert.deepEqual([...disk.unsynced], []);
});
