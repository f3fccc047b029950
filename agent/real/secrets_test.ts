import assert from "node:assert/strict";
import { parseConfig } from "../config.ts";
import type { Config } from "../config_shape.ts";
import { judgeConfigMode, loadSecrets, readSecretFile } from "./secrets.ts";

Deno.test("readSecretFile() takes the first line of a file that only its owner reads", async () => {
  await withFile("correct horse\nmore\n", 0o600, async (path) => {
    assert.equal((await readSecretFile(path, "k")).reveal(), "correct horse");
  });
  await withFile("no end of line", 0o400, async (path) => {
    assert.equal((await readSecretFile(path, "k")).reveal(), "no end of line");
  });
});

Deno.test("readSecretFile() refuses a file that others can read and names the fix", async () => {
  for (const mode of [0o640, 0o604, 0o644, 0o620]) {
    await withFile("hunter2\n", mode, async (path) => {
      await assert.rejects(readSecretFile(path, "rpc.secret-file"), (error: Error) => {
        assert.match(
          error.message,
          /^Cannot use rpc.secret-file ".*": others can read it \(mode 06/,
        );
        assert.ok(error.message.endsWith(`run chmod 600 ${path}`));
        assert.ok(!error.message.includes("hunter2"));
        return true;
      });
    });
  }
});

Deno.test("readSecretFile() refuses empty, huge and missing files and folders", async () => {
  await withFile("\nsecond", 0o600, async (path) => {
    await assert.rejects(readSecretFile(path, "k"), /its first line is empty/);
    await assert.rejects(
      readSecretFile(`${path}.absent`, "k"),
      /^Error: Cannot use k ".*absent": it does not exist$/,
    );
    await assert.rejects(readSecretFile("/", "k"), /it is no file|Is a directory/);
  });
  await withFile("x".repeat(5000), 0o600, async (path) => {
    await assert.rejects(readSecretFile(path, "k"), /it has 5000 bytes/);
  });
});

Deno.test("loadSecrets() names every file that is wrong in one error", async () => {
  await withFile("short\n", 0o600, async (path) => {
    const config = configOf(`
[mysql]
passwd-file = "/absent/one"
[replication]
passwd-file = "/absent/two"
[rpc]
secret-file = ${JSON.stringify(path)}
`);
    await assert.rejects(loadSecrets(config), (error: Error) => {
      assert.match(error.message, /mysql.passwd-file "\/absent\/one"/);
      assert.match(error.message, /replication.passwd-file "\/absent\/two"/);
      assert.match(error.message, /the secret has 5 characters, the least is 16/);
      return true;
    });
  });
});

Deno.test("loadSecrets() takes passwords from the configuration or from files", async () => {
  await withFile("0123456789abcdef\n", 0o600, async (path) => {
    const text = `
[mysql]
passwd = "inline"
[replication]
passwd-file = ${JSON.stringify(path)}
[rpc]
secret-file = ${JSON.stringify(path)}
`;
    const secrets = await loadSecrets(configOf(text));
    assert.equal(secrets.mysqlPassword.reveal(), "inline");
    assert.equal(secrets.replicationPassword.reveal(), "0123456789abcdef");
    assert.equal(secrets.rpcSecret?.reveal(), "0123456789abcdef");
    assert.equal((await loadSecrets(configOf(""))).rpcSecret, null);
  });
});

Deno.test("judgeConfigMode() warns of passwords in a file that others can read", async () => {
  const inline = configOf('[mysql]\npasswd = "hunter2"\n');
  await withFile("", 0o644, async (path) => {
    assert.match(await judgeConfigMode(path, inline) ?? "", /others can read it, run chmod 600/);
    assert.equal(await judgeConfigMode(path, configOf("")), null);
  });
  await withFile("", 0o600, async (path) => {
    assert.equal(await judgeConfigMode(path, inline), null);
  });
});

function configOf(text: string): Config {
  const result = parseConfig(text);
  assert.ok(result.kind === "config", JSON.stringify(result));
  return result.config;
}

async function withFile(
  text: string,
  mode: number,
  test: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "xenon-secrets-" });
  try {
    const path = `${folder}/secret`;
    await Deno.writeTextFile(path, text);
    await Deno.chmod(path, mode);
    await test(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
