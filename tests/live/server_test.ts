/** The supervision of a real mysqld: found again, seen dying, never ended by mistake. */

import assert from "node:assert/strict";
import { poll } from "../../cmd/demo/lab.ts";
import { createSandbox, findFreePorts, startSandbox } from "../../mysql/sandbox.ts";
import { connectAsRoot } from "../../mysql/sandbox.ts";
import { look, MysqlServer } from "../../mysql/server.ts";
import {
  argumentsOf,
  findServer,
  type ServerFiles,
  type ServerProcess,
} from "../../mysql/server_process.ts";
import { cacheFolder, findMysqld, LabServer, TemporaryFolder } from "./lab.ts";
import { installServiceManager, serviceName } from "./service_manager.ts";

const startMs = 60_000;

/** Looks as often as it can until the server is not `state` any more, or for too long. */
function untilNot(state: string, process: ServerProcess): string {
  const startedAt = performance.now();
  while (true) {
    const now = look(process);
    if (now !== state || performance.now() - startedAt > startMs) return now;
  }
}

Deno.test("a server is seen, stopped, continued, killed, and started again", async (test) => {
  await using lab = await LabServer.start();
  const { server } = lab.sandbox;
  const first = await server.identify();
  assert.ok(first !== null);

  await test.step("a look is cheap enough for every 20 ms", () => {
    // A tenth of the time, by the median: this machine has more to do.
    const batches = Array.from({ length: 9 }, () => {
      const startedAt = performance.now();
      for (let count = 0; count < 50; count++) assert.notEqual(look(first), "dead");
      return (performance.now() - startedAt) / 50;
    });
    const eachMs = batches.sort((a, b) => a - b)[4] ?? Infinity;
    assert.ok(eachMs < 2, `one look took ${eachMs} ms`);
  });

  await test.step("a second start adopts the server that runs", async () => {
    assert.deepEqual(await server.start(), first);
  });

  await test.step("another agent finds the same incarnation, also without the pid file", async () => {
    const later = serverAnew(lab);
    assert.deepEqual(await later.identify(), first);
    Deno.renameSync(lab.sandbox.pidFile, `${lab.sandbox.pidFile}.away`);
    assert.deepEqual(await later.identify(), first);
    Deno.renameSync(`${lab.sandbox.pidFile}.away`, lab.sandbox.pidFile);
  });

  await test.step("it was started closed", async () => {
    await using connection = await connectAsRoot(lab.sandbox, 10_000);
    const sql = "SELECT @@super_read_only AS closed, @@skip_replica_start AS waits," +
      " @@rpl_semi_sync_source_enabled AS source, @@rpl_semi_sync_replica_enabled AS replica," +
      " @@rpl_semi_sync_source_timeout AS timeout";
    assert.deepEqual(await connection.query(sql, { deadlineMs: 10_000 }), [
      { closed: "1", waits: "1", source: "0", replica: "0", timeout: "4294967295" },
    ]);
  });

  await test.step("a frozen server is stopped, not dead", () => {
    Deno.kill(first.pid, "SIGSTOP");
    assert.equal(untilNot("running", first), "stopped");
    Deno.kill(first.pid, "SIGCONT");
    assert.notEqual(untilNot("stopped", first), "dead");
  });

  await test.step("kill -9 is seen as death, and then by whoever waits for it", async () => {
    server.kill(first);
    assert.equal(untilNot("running", first), "dead");
    assert.equal(await server.waitGone(first, startMs), true);
    assert.equal(await server.identify(), null);
    // Nothing happens to whoever has that process id now.
    server.kill(first);
  });

  await test.step("the next start is another incarnation", async () => {
    const second = await startSandbox(lab.sandbox, { deadlineMs: startMs });
    assert.notEqual(second.incarnation, first.incarnation);
    assert.equal(look(first), "dead");
    const result = await server.shutdown({ termMs: 30_000 });
    assert.equal(result.kind, "stopped");
    assert.equal(look(second), "dead");
    assert.deepEqual(await server.shutdown({ termMs: 1_000 }), { kind: "notRunning" });
  });

  await forced(test, lab);
});

/** Ends of a server that nobody asked. */
async function forced(test: Deno.TestContext, lab: LabServer): Promise<void> {
  const { server } = lab.sandbox;
  await test.step("a start right after kill -9 waits until the former server has left", async () => {
    const former = await startSandbox(lab.sandbox, { deadlineMs: startMs });
    server.kill(former);
    const started = await serverAnew(lab).start();
    assert.equal(await server.waitGone(former, 0), true);
    assert.notEqual(started.incarnation, former.incarnation);
    server.kill(started);
    // Else the next step may find it while it still leaves.
    assert.equal(await server.waitGone(started, startMs), true);
  });

  await test.step("a frozen server is ended by force, without waiting for it", async () => {
    const third = await startSandbox(lab.sandbox, { deadlineMs: startMs });
    Deno.kill(third.pid, "SIGSTOP");
    const result = await server.shutdown({ termMs: 30_000 });
    // Far less than a server gets that was asked.
    assert.ok(result.kind === "killed" && result.afterMs < 20_000, JSON.stringify(result));
  });
}

Deno.test("starts at the same time make one server", async () => {
  await using lab = await LabServer.start();
  const { server } = lab.sandbox;
  await server.shutdown({ termMs: 0 });
  const started = await Promise.all([server.start(), server.start(), server.start()]);
  assert.equal(new Set(started.map(({ pid }) => pid)).size, 1);
  assert.equal((await startSandbox(lab.sandbox, { deadlineMs: startMs })).pid, started[0]?.pid);
});

/** What a restarted agent has: the settings, and nothing it remembers. */
function serverAnew(lab: LabServer): MysqlServer {
  const { mysqld, myCnfPath, pidFile, errorLog } = lab.sandbox;
  return new MysqlServer({ kind: "direct", mysqld, defaultsFile: myCnfPath, pidFile, errorLog });
}

Deno.test("a server outlives the kill -9 of the agent that started it", async () => {
  using folder = new TemporaryFolder();
  const mysqld = await findMysqld();
  const [port = 0] = findFreePorts(1);
  const created = { mysqld, folder: folder.path, cacheFolder, serverId: 1, port };
  const sandbox = await createSandbox(created);
  const settings = {
    kind: "direct",
    mysqld,
    defaultsFile: sandbox.myCnfPath,
    pidFile: sandbox.pidFile,
    errorLog: sandbox.errorLog,
  };
  const agent = startAgent(settings);
  try {
    const started = await firstLine(agent.stdout);
    agent.kill("SIGKILL");
    await agent.status;
    const found = await sandbox.server.identify();
    assert.equal(found?.incarnation, started);
    assert.equal(found === null ? "dead" : look(found), "running");
    await startSandbox(sandbox, { deadlineMs: startMs });
    assert.equal((await sandbox.server.identify())?.incarnation, started);
  } finally {
    await sandbox.server.shutdown({ termMs: 0 });
  }
});

Deno.test("a server that takes up its program at this moment is waited for", async () => {
  using folder = new TemporaryFolder();
  const [program, defaultsFile] = [`${folder.path}/mysqld`, `${folder.path}/my.cnf`];
  Deno.writeTextFileSync(program, "#!/bin/bash\nread -r\n", { mode: 0o755 });
  let found = false;
  // It is waited for half a second. A machine that stands still for longer has shown nothing.
  for (let tries = 0; tries < 5 && !found; tries++) {
    found = await foundInGap({ program, defaultsFile, pidFile: `${folder.path}/pid` });
  }
  assert.ok(found, "the first look saw no server, and was not the last");
});

async function foundInGap(
  { program, ...files }: ServerFiles & { readonly program: string },
): Promise<boolean> {
  // Between two programs a process has no arguments: this shell has none until it is told.
  const args = ["-c", "exec -a '' bash"];
  const child = new Deno.Command("bash", { args, stdin: "piped" }).spawn();
  const input = child.stdin.getWriter();
  try {
    const gap = () => Promise.resolve(argumentsOf(child.pid).join("") === "" || null);
    assert.ok(await poll(startMs, gap), "the shell has no arguments");
    // Its first look is over when it gives the promise.
    const finding = findServer(files);
    const script = `exec "${program}" --defaults-file="${files.defaultsFile}"\n`;
    await input.write(new TextEncoder().encode(script));
    return (await finding)?.pid === child.pid;
  } finally {
    await input.close();
    await child.status;
  }
}

/** A process that starts the server, prints its incarnation, and waits to be killed. */
function startAgent(settings: unknown): Deno.ChildProcess {
  const module = new URL("../../mysql/server.ts", import.meta.url).href;
  const program = `
    import { MysqlServer } from ${JSON.stringify(module)};
    const server = new MysqlServer(${JSON.stringify(settings)});
    console.log((await server.start()).incarnation);
    setInterval(() => {}, 1000);
  `;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const args = ["eval", `--config=${config}`, program];
  return new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
}

async function firstLine(output: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const part of output.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0] ?? "";
}

Deno.test("a server that cannot start explains itself by its error log", async () => {
  using folder = new TemporaryFolder();
  const mysqld = await findMysqld();
  const [port = 0] = findFreePorts(1);
  const extraLines = ["no_such_option_at_all=1"];
  const created = { mysqld, folder: folder.path, cacheFolder, serverId: 1, port, extraLines };
  const sandbox = await createSandbox(created);
  await assert.rejects(
    () => startSandbox(sandbox, { deadlineMs: startMs }),
    /as it ended; the last lines of its error log[^]*no_such_option_at_all/,
  );
});

Deno.test("a missing server program is named", async () => {
  using folder = new TemporaryFolder();
  const server = new MysqlServer({
    kind: "direct",
    mysqld: "/nonexistent/mysqld",
    defaultsFile: `${folder.path}/my.cnf`,
    pidFile: `${folder.path}/pid`,
    errorLog: `${folder.path}/error.log`,
  });
  await assert.rejects(() => server.start(), /"\/nonexistent\/mysqld --version" could not be/);
  assert.equal(await server.identify(), null);
});

Deno.test("a server that is a service is managed by systemctl and killed by its process", async (test) => {
  await using lab = await LabServer.start();
  const { sandbox } = lab;
  await sandbox.server.shutdown({ termMs: 30_000 });
  const manager = installServiceManager(sandbox);
  const { pidFile, errorLog } = sandbox;
  const [service, systemctl] = [serviceName, manager.path];
  const server = new MysqlServer({ kind: "service", service, systemctl, pidFile, errorLog });

  await test.step("it is started and found", async () => {
    assert.equal(await server.identify(), null);
    const process = await server.start();
    assert.deepEqual(await server.identify(), process);
    await startSandbox(sandbox, { deadlineMs: startMs });
  });

  await test.step("its main process is killed and nothing else", async () => {
    const process = await server.identify();
    assert.ok(process !== null);
    server.kill(process);
    assert.equal(await server.waitGone(process, startMs), true);
    assert.doesNotMatch(manager.calls(), /stop|kill/);
  });

  await test.step("it is stopped by the service manager", async () => {
    await server.start();
    await startSandbox(sandbox, { deadlineMs: startMs });
    const result = await server.shutdown({ termMs: 30_000 });
    assert.equal(result.kind, "stopped");
    assert.match(manager.calls(), /stop --no-block -- mysql-lab/);
  });

  await test.step("a service that fails to start is an error that says where to look", async () => {
    Deno.renameSync(sandbox.myCnfPath, `${sandbox.myCnfPath}.away`);
    await assert.rejects(() => server.start(), /it is "failed" after its start: see "systemctl st/);
  });

  await test.step("a service manager that refuses is quoted", async () => {
    const other = new MysqlServer({ kind: "service", service: "x", systemctl, pidFile, errorLog });
    await assert.rejects(() => other.identify(), /service "x": .* exit code 5 .* no such unit x/);
  });
});
