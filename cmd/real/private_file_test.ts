import assert from "node:assert/strict";
import { writePrivate } from "./private_file.ts";

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "xenon-private-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function namesIn(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}

Deno.test("writePrivate() makes a file that nobody else can read, with its folder", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/etc/xenon.toml`;
    await writePrivate(path, "text", { replace: false });
    assert.equal(await Deno.readTextFile(path), "text");
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    assert.deepEqual(namesIn(`${folder}/etc`), ["xenon.toml"]);
  });
});

Deno.test("writePrivate() never overwrites unless it is told so, and leaves nothing behind", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/xenon.toml`;
    await Deno.writeTextFile(path, "old", { mode: 0o644 });
    await assert.rejects(writePrivate(path, "new", { replace: false }), /exists already/);
    assert.equal(await Deno.readTextFile(path), "old");
    assert.deepEqual(namesIn(folder), ["xenon.toml"]);
    await writePrivate(path, "new", { replace: true });
    assert.equal(await Deno.readTextFile(path), "new");
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600, "the old mode is gone too");
  });
});

Deno.test("writePrivate() says what it could not write", async () => {
  await assert.rejects(
    writePrivate("/proc/nothing/xenon.toml", "text", { replace: false }),
    /Cannot write "\/proc\/nothing\/xenon\.toml"/,
  );
});
