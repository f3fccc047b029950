/** dist/xenon as an operator gets it: one file on a machine without Deno and Node. */
import assert from "node:assert/strict";
import manifest from "../../deno.json" with { type: "json" };

const built = new URL("../../dist/xenon", import.meta.url).pathname;
/** Enough for a cold start on a busy machine, and an end for a test that hangs. */
const startMsMax = 60_000;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a file with nothing in the environment but a path and the cache. */
async function start(
  program: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ended> {
  const output = await new Deno.Command(program, {
    args: [...words],
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin", ...env },
    cwd: "/",
    signal: AbortSignal.timeout(startMsMax),
  }).output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "xenon-single-file-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function names(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].map((entry) => entry.name);
}

Deno.test("the single file says its version on a machine without Deno and Node", async () => {
  await withFolder(async (folder) => {
    const env = { XENON_HOME: folder };
    const wanted = { code: 0, stdout: `xenon ${manifest.version}\n`, stderr: "" };
    assert.deepEqual(await start(built, ["version"], env), wanted);
    assert.deepEqual(await start(built, ["version"], env), wanted, "a second start");
    assert.deepEqual(await start("/bin/sh", [built, "version"], env), wanted, "through sh");
  });
});

Deno.test("the single file passes words and exit codes through", async () => {
  await withFolder(async (folder) => {
    const ended = await start(built, ["cluster", "add", "a b"], { XENON_HOME: folder });
    assert.equal(ended.code, 2);
    assert.match(ended.stderr, /^xenon: .*Node "a b" is not host:port; next: .*\n$/);
  });
});

Deno.test("the single file looks for config.path beside itself, not beside its cache", async () => {
  await withFolder(async (folder) => {
    const link = `${folder}/xenon`;
    await Deno.symlink(built, link);
    const ended = await start(link, ["raft", "nodes"], { XENON_HOME: `${folder}/cache` });
    assert.equal(ended.code, 1);
    const beside = Deno.realPathSync(built).replace(/[^/]+$/, "config.path");
    assert.ok(ended.stderr.includes(`"${beside}"`), ended.stderr);
  });
});

Deno.test("first starts at the same moment all succeed and unpack one runtime", async () => {
  await withFolder(async (folder) => {
    const starts = Array.from({ length: 4 }, () => {
      return start(built, ["version"], { XENON_HOME: folder });
    });
    for (const ended of await Promise.all(starts)) {
      assert.deepEqual([ended.code, ended.stderr], [
        0,
        "",
      ]);
    }
    assert.equal(names(folder).filter((name) => name.startsWith("deno-")).length, 1);
    assert.equal(names(folder).filter((name) => name.startsWith(".new.")).length, 0);
  });
});

Deno.test("a damaged file refuses to start and leaves nothing behind", async () => {
  await withFolder(async (folder) => {
    const damaged = `${folder}/xenon`;
    const bytes = await Deno.readFile(built);
    await Deno.writeFile(damaged, bytes.subarray(0, bytes.length - 1_000_000), { mode: 0o755 });
    const ended = await start(damaged, ["version"], { XENON_HOME: `${folder}/cache` });
    assert.equal(ended.code, 126);
    assert.match(ended.stderr, /^xenon: Cannot unpack .* as the file is damaged/);
    assert.deepEqual(names(`${folder}/cache`), []);
  });
});

Deno.test("a start sweeps away what a killed start left behind an hour ago", async () => {
  await withFolder(async (folder) => {
    const [old, young] = [`${folder}/.new.old`, `${folder}/.new.young`];
    await Deno.writeTextFile(old, "half");
    await Deno.writeTextFile(young, "half");
    const before = new Date(Date.now() - 2 * 3600 * 1000);
    await Deno.utime(old, before, before);
    assert.equal((await start(built, ["version"], { XENON_HOME: folder })).code, 0);
    assert.deepEqual(names(folder).filter((name) => name.startsWith(".new.")), [".new.young"]);
  });
});

Deno.test("a cache that cannot be made is named together with the way out", async () => {
  const ended = await start(built, ["version"], { XENON_HOME: "/dev/null/xenon" });
  assert.equal(ended.code, 126);
  assert.match(ended.stderr, /^xenon: Cannot create "\/dev\/null\/xenon": set XENON_HOME/);
});
