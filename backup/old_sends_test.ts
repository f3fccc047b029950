import assert from "node:assert/strict";
import { run } from "../mysql/process.ts";
import { argumentsOf } from "../mysql/server_process.ts";
import { removeOldSends } from "./old_sends.ts";

Deno.test("a half of a pipe that waits for the other half ends with the folder of its copy", async () => {
  const parent = Deno.makeTempDirSync({ prefix: "xenon-sends-" });
  try {
    const folder = `${parent}/send-1`;
    Deno.mkdirSync(folder);
    Deno.mkdirSync(`${parent}/other`);
    await run(["mkfifo", `${folder}/pipe`], { deadlineMs: 5_000 });
    const words = ["sh", "-c", 'exec "$@" >"$0"', `${folder}/pipe`, "sleep", "60"];
    const started = Promise.withResolvers<number>();
    const waiting = run(words, { deadlineMs: 60_000, onStart: started.resolve });
    const pid = await started.promise;
    // A process has no words of its own before it has taken up its program.
    while (!argumentsOf(pid).includes(`${folder}/pipe`)) {
      await new Promise((go) => setTimeout(go, 1));
    }
    assert.deepEqual(await removeOldSends(parent), []);
    const { ended } = await waiting;
    assert.equal(ended.how, "signal");
    assert.deepEqual([...Deno.readDirSync(parent)].map(({ name }) => name), ["other"]);
  } finally {
    Deno.removeSync(parent, { recursive: true });
  }
});
