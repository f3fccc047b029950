import assert from "node:assert/strict";
import { MysqlServer } from "../../mysql/server.ts";
import { createRebuildTools } from "./rebuild_tools.ts";

const forced = [
  "2026-11-23T15:00:00.123456Z 9 [Warning] [MY-011145] [Repl] Semi-sync source: Forced shutdown.",
  '{ "time": "2026-11-23T15:00:00.123456Z", "err_symbol": "ER_SEMISYNC_FORCED_SHUTDOWN" }',
  "2026-11-23T15:00:00.123456Z 9 [Warning] SEMISYNC: Forced shutdown. " +
  "Some updates might not be replicated.",
];

function temporaryFolder() {
  const path = Deno.makeTempDirSync({ prefix: "xenon-rebuild-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

function toolsIn(folder: string, mysqld: string) {
  const place = {
    mysqld,
    defaultsFile: `${folder}/my.cnf`,
    errorLog: `${folder}/error.log`,
  };
  const server = new MysqlServer({ kind: "direct", pidFile: `${folder}/pid`, ...place });
  const endpoint = { user: "root", password: "", socketPath: `${folder}/none` };
  const tools = createRebuildTools({
    ...place,
    server,
    basedir: "/usr",
    endpoint,
    savedFolder: folder,
  });
  return { server, tools };
}

Deno.test("a stop that answered waiting commits is found in every format of the error log", async () => {
  using folder = temporaryFolder();
  const { tools } = toolsIn(folder.path, "/nonexistent");
  assert.equal(await tools.forcedShutdown(), null);
  for (const line of forced) {
    Deno.writeTextFileSync(`${folder.path}/error.log`, `before\n${line}\nafter\n`);
    assert.match(
      await tools.forcedShutdown() ?? "",
      /MY-011145 of 2026-11-23T15:00:00.123456Z: the server was stopped while commits waited/,
    );
  }
  Deno.writeTextFileSync(`${folder.path}/error.log`, "[MY-010116] Starting\n");
  assert.equal(await tools.forcedShutdown(), null);
});

Deno.test("a server that was started runs before its command line says so, and is ended then too", async () => {
  using folder = temporaryFolder();
  const mysqld = `${folder.path}/mysqld`;
  const script = '#!/bin/sh\n[ "$1" != --version ] || exec echo Ver 9.7.0\nexec sleep 60\n';
  Deno.writeTextFileSync(mysqld, script, { mode: 0o755 });
  const { server, tools } = toolsIn(folder.path, mysqld);
  await tools.startServer();
  assert.equal(await tools.serverRuns(), true);
  await tools.stopServer();
  assert.equal(await tools.serverRuns(), false);
  assert.equal(await server.identify(), null);
});
