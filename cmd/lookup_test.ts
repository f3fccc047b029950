import assert from "node:assert/strict";
import { CommandError } from "./exit.ts";
import { findConfig, packagedConfig } from "./lookup.ts";
import { createFakeWorld } from "./fake_world.ts";
import type { World } from "./ports.ts";

interface Place {
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly executable?: string;
  readonly locked?: string;
}

function worldOf({ files = {}, env = {}, executable = "/opt/xenon", locked }: Place): World {
  return createFakeWorld({
    executable,
    env: (name) => env[name],
    readText: (path) =>
      path === locked
        ? Promise.reject(new Error("permission denied"))
        : Promise.resolve(files[path]),
  });
}

const everywhere = {
  "/home/op/a.toml": "flag",
  "/b.toml": "env",
  "/home/op/config.path": "here.toml\n",
  "/home/op/here.toml": "here",
  "/opt/config.path": "beside.toml",
  "/opt/beside.toml": "beside",
  [packagedConfig]: "packaged",
};

function without(...names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(everywhere).filter(([path]) => !names.includes(path)));
}

Deno.test("findConfig() takes the flag before everything else", async () => {
  const world = worldOf({ files: everywhere, env: { XENON_CONFIG: "/b.toml" } });
  assert.deepEqual(await findConfig(world, "a.toml"), { path: "/home/op/a.toml", text: "flag" });
});

Deno.test("findConfig() takes the environment before files, unless it is empty", async () => {
  const world = worldOf({ files: everywhere, env: { XENON_CONFIG: "/b.toml" } });
  assert.equal((await findConfig(world, undefined)).text, "env");
  const empty = worldOf({ files: everywhere, env: { XENON_CONFIG: "" } });
  assert.equal((await findConfig(empty, undefined)).text, "here");
});

Deno.test("findConfig() follows config.path here, then beside the executable", async () => {
  const here = await findConfig(worldOf({ files: everywhere }), undefined);
  assert.deepEqual(here, { path: "/home/op/here.toml", text: "here" });
  const files = without("/home/op/config.path");
  const beside = await findConfig(worldOf({ files }), undefined);
  assert.deepEqual(beside, { path: "/opt/beside.toml", text: "beside" });
});

Deno.test("findConfig() takes the packaged place last", async () => {
  const files = without("/home/op/config.path", "/opt/config.path");
  assert.equal((await findConfig(worldOf({ files }), undefined)).path, packagedConfig);
});

Deno.test("findConfig() lists every place it looked at", async () => {
  await assert.rejects(findConfig(worldOf({}), undefined), (error) => {
    assert.ok(error instanceof CommandError);
    assert.equal(
      error.message,
      "Cannot find the config: --config and XENON_CONFIG are not set, and there is no " +
        '"/home/op/config.path", "/opt/config.path", "/etc/xenon/xenon.toml"',
    );
    return true;
  });
});

Deno.test("findConfig() never falls back when a named config is missing", async () => {
  await assert.rejects(findConfig(worldOf({ files: everywhere }), "gone.toml"), /--config names/);
  const env = { XENON_CONFIG: "/gone.toml" };
  await assert.rejects(
    findConfig(worldOf({ files: everywhere, env }), undefined),
    /as XENON_CONFIG names "\/gone\.toml", which does not exist/,
  );
  const files = without("/home/op/here.toml");
  await assert.rejects(
    findConfig(worldOf({ files }), undefined),
    /"\/home\/op\/config\.path" names "\/home\/op\/here\.toml"/,
  );
});

Deno.test("findConfig() refuses an empty config.path and names a file it may not read", async () => {
  const files = { ...everywhere, "/home/op/config.path": " \n" };
  await assert.rejects(findConfig(worldOf({ files }), undefined), /config\.path" is empty/);
  const world = worldOf({ files: everywhere, locked: "/home/op/here.toml" });
  await assert.rejects(findConfig(world, undefined), /Cannot read "\/home\/op\/here\.toml"/);
});

Deno.test("findConfig() looks once where the executable stands in the working folder", async () => {
  const world = worldOf({ executable: "/home/op/xenon" });
  await assert.rejects(
    findConfig(world, undefined),
    /there is no "\/home\/op\/config\.path", "\/etc\/xenon\/xenon\.toml"$/,
  );
});
