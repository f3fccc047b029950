import assert from "node:assert/strict";
import { makeFolder } from "./folder.ts";

Deno.test("makeFolder() never gives a folder that was there before", async () => {
  const parent = Deno.makeTempDirSync({ prefix: "xenon-folder-" });
  try {
    const wanted = `${parent}/saved-job-1`;
    assert.equal(await makeFolder(wanted), wanted);
    assert.equal(await makeFolder(wanted), `${wanted}-2`);
    assert.equal(await makeFolder(wanted), `${wanted}-3`);
    await assert.rejects(makeFolder(`${parent}/absent/x`), Deno.errors.NotFound);
  } finally {
    Deno.removeSync(parent, { recursive: true });
  }
});
