/** One agent for each folder of state, and a sentence where there can be none. */
import assert from "node:assert/strict";
import { lockFolder } from "./lock.ts";

Deno.test("lockFolder() lets one agent in, and the next one when it is gone", async () => {
  const folder = await Deno.makeTempDir();
  {
    using _lock = await lockFolder(folder);
    await assert.rejects(lockFolder(folder), /the agent with process id \d+ uses it/);
  }
  using _again = await lockFolder(folder);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("lockFolder() names the folder that cannot be written", async () => {
  const said = /^Error: Cannot keep the state of this agent in "\/proc\/xenon": /;
  await assert.rejects(lockFolder("/proc/xenon"), said);
});
