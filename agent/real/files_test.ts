import assert from "node:assert/strict";
import { read, writeDurably } from "./files.ts";
import { lockFolder } from "./lock.ts";

Deno.test("read() returns null for a missing file and the text of a present one", async () => {
  await withFolder(async (folder) => {
    assert.equal(await read("STATE", `${folder}/state.json`), null);
    await writeDurably("STATE", `${folder}/state.json`, "one");
    assert.equal(await read("STATE", `${folder}/state.json`), "one");
  });
});

Deno.test("writeDurably() leaves one private file with the last text", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/state.json`;
    const texts = Array.from({ length: 20 }, (_, index) => `${index}`.repeat(1 + index * 100));
    await Promise.all(texts.map((text) => writeDurably("STATE", path, text)));
    assert.equal(await read("STATE", path), texts.at(-1));
    const names = [...Deno.readDirSync(folder)].map((entry) => entry.name);
    assert.deepEqual(names, ["state.json"]);
    assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
  });
});

Deno.test("writeDurably() names the call and the path when it fails, and works again later", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/absent/state.json`;
    await assert.rejects(writeDurably("VOTE", path, "x"), (error: Error) => {
      assert.match(error.message, /^Cannot write ".*absent\/state.json" for VOTE: /);
      assert.ok(error.cause instanceof Deno.errors.NotFound);
      return true;
    });
    Deno.mkdirSync(`${folder}/absent`);
    await writeDurably("VOTE", path, "y");
    assert.equal(await read("VOTE", path), "y");
  });
});

Deno.test("writeDurably() waits for an earlier write that came too late, so that the last text stays", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/state.json`;
    // Opening a pipe for writing hangs until somebody reads it.
    const { code } = await new Deno.Command("mkfifo", { args: [`${path}.new`] }).output();
    assert.equal(code, 0);
    const first = await withQuickTimers(() => outcome(writeDurably("STATE", path, "one")));
    assert.match(first, /did not answer within/);
    Deno.renameSync(`${path}.new`, `${folder}/pipe`);
    let settled = false;
    const second = writeDurably("STATE", path, "two").finally(() => settled = true);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(settled, false, "it did not wait");
    using _reader = await Deno.open(`${folder}/pipe`);
    await second;
    assert.equal(await read("STATE", path), "two");
  });
});

Deno.test("read() passes on every failure but a missing file", async () => {
  await withFolder(async (folder) => {
    await assert.rejects(read("STATE", folder), /^Error: Cannot read ".*" for STATE: /);
  });
});

Deno.test("lockFolder() keeps a second agent out and names the first", async () => {
  await withFolder(async (folder) => {
    const meta = `${folder}/meta`;
    {
      using _first = await lockFolder(meta);
      await assert.rejects(lockFolder(meta), new RegExp(`process id ${Deno.pid} uses it`));
    }
    using _again = await lockFolder(meta);
  });
});

Deno.test("lockFolder() is free again after its holder was killed", async () => {
  await withFolder(async (folder) => {
    const source = `
      const { lockFolder } = await import(${JSON.stringify(import.meta.resolve("./lock.ts"))});
      const lock = await lockFolder(${JSON.stringify(folder)});
      console.log("locked", lock.path);
      await new Promise(() => setInterval(() => {}, 1000));
    `;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", source],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    await assert.rejects(lockFolder(folder), new RegExp(`process id ${child.pid} uses it`));
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    using _lock = await lockFolder(folder);
  });
});

function outcome(work: Promise<void>): Promise<string> {
  return work.then(() => "done", (error: Error) => error.message);
}

/** Limits of seconds are over in milliseconds. */
async function withQuickTimers<T>(work: () => Promise<T>): Promise<T> {
  const { setTimeout } = globalThis;
  const quick = (call: () => void, ms: number) => setTimeout(call, ms / 100);
  globalThis.setTimeout = quick as typeof setTimeout;
  try {
    return await work();
  } finally {
    globalThis.setTimeout = setTimeout;
  }
}

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "xenon-files-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
