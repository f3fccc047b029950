import assert from "node:assert/strict";
import { exitCodes } from "./exit.ts";
import { createFakeCluster, guideNodes, statusOf } from "./fake_cluster.ts";
import { createFakeScreen } from "./fake_screen.ts";
import { createFakeWorld } from "./fake_world.ts";
import type { DemoOptions, Programs } from "./ports.ts";
import { run } from "./run.ts";

const [local = ""] = guideNodes;
const files: Readonly<Record<string, string>> = { "/etc/xenon/xenon.toml": "[server]" };

const world = createFakeWorld({
  version: "1.2.3",
  readText: (path) => Promise.resolve(files[path]),
});

/** Programs that remember what they were started with. */
function programsOf(cluster = createFakeCluster({})) {
  const started: string[] = [];
  const programs: Programs = {
    openCluster: (found) => {
      started.push(`cluster ${found.path} ${found.text}`);
      return Promise.resolve(cluster);
    },
    runAgent: (found) => {
      started.push(`agent ${found.path}`);
      return Promise.resolve(0);
    },
    checkFiles: () => Promise.resolve({ problems: [], warnings: [] }),
    writePrivate: () => Promise.resolve(),
    openSetup: () => Promise.reject(new Error("this host is set up")),
    takeStacks: (found) => {
      started.push(`stacks ${found.path}`);
      return Promise.resolve({ program: "gdb", pid: 42, text: "#0 main\n" });
    },
    openScreen: () => Promise.resolve(createFakeScreen()),
    runDemo: (options: DemoOptions) => {
      started.push(`demo ${options.writers}`);
      return Promise.resolve(7);
    },
  };
  return { programs, started };
}

Deno.test("run() prints the version without looking for a config", async () => {
  const { programs, started } = programsOf();
  const outcome = await run(["version"], { world, programs });
  assert.deepEqual(outcome, { code: exitCodes.ok, stdout: "xenon 1.2.3\n", stderr: "" });
  assert.deepEqual(started, []);
});

Deno.test("run() prints help to stdout with 0 and mistakes to stderr with 2", async () => {
  const { programs } = programsOf();
  const help = await run(["help"], { world, programs });
  assert.equal(help.code, exitCodes.ok);
  assert.match(help.stdout, /^Usage: xenon /);
  const mistake = await run(["cluster"], { world, programs });
  assert.equal(mistake.code, exitCodes.usage);
  assert.match(mistake.stderr, /^xenon: Cannot run "xenon cluster".*\n$/);
  assert.equal(mistake.stdout, "");
});

Deno.test("run() starts the agent with the config it found and the demo without one", async () => {
  const { programs, started } = programsOf();
  assert.equal((await run(["agent"], { world, programs })).code, exitCodes.ok);
  const demo = await run(["demo", "--writers", "2"], { world, programs });
  assert.equal(demo.code, exitCodes.failed, "a code that is not ours counts as a failure");
  assert.deepEqual(started, ["agent /etc/xenon/xenon.toml", "demo 2"]);
});

Deno.test("run() gives facts a short deadline, changes a long one, and obeys --timeout", async () => {
  const cluster = createFakeCluster({ [local]: { kind: "up", status: statusOf(local) } });
  const { programs, started } = programsOf(cluster);
  await run(["raft", "nodes"], { world, programs });
  await run(["mysql", "status"], { world, programs });
  await run(["raft", "trytoleader"], { world, programs });
  await run(["raft", "status", "--timeout", "0.2"], { world, programs });
  assert.deepEqual(cluster.calls.map((call) => call.deadlineMs), [1500, 1500, 30_000, 200]);
  assert.deepEqual(new Set(started), new Set(["cluster /etc/xenon/xenon.toml [server]"]));
});

Deno.test("run() turns a program that throws into one line and the code 1", async () => {
  const { programs } = programsOf();
  const broken: Programs = {
    ...programs,
    openCluster: () => Promise.reject(new Error("Cannot read the config as line 3 is wrong")),
  };
  const outcome = await run(["cluster", "status"], { world, programs: broken });
  assert.equal(outcome.code, exitCodes.failed);
  assert.match(outcome.stderr, /^xenon: Cannot read the config as line 3 is wrong; next: .*\n$/);
});

Deno.test("run() prints stacks as the original did, and says on stderr which program took them", async () => {
  const { programs } = programsOf();
  const text = await run(["perf", "quickstack"], { world, programs });
  assert.equal(text.stdout, "#0 main\n");
  assert.equal(text.stderr, "xenon: stacks of process 42 taken by gdb\n");
  const json = await run(["perf", "quickstack", "json"], { world, programs });
  assert.equal(json.stdout, '{"status":"#0 main\\n"}\n');
});

Deno.test("run() pings in silence within a second, and fails when nobody is there", async () => {
  const up = createFakeCluster({ [local]: { kind: "up", status: statusOf(local) } });
  for (const words of [["ping"], ["xenon", "ping"]]) {
    const { programs } = programsOf(up);
    const silence = { code: exitCodes.ok, stdout: "", stderr: "" };
    assert.deepEqual(await run(words, { world, programs }), silence);
  }
  assert.deepEqual(up.calls.map(({ method, deadlineMs }) => [method, deadlineMs]), [
    ["node.ping", 1000],
    ["node.ping", 1000],
  ]);
  const hanging = createFakeCluster({ [local]: { kind: "hanging" } });
  const { programs } = programsOf(hanging);
  const { result } = await hanging.finish(run(["ping"], { world, programs }));
  assert.equal(result.code, exitCodes.failed);
  assert.match(result.stderr, /Cannot reach the agent.*next: see whether .* frozen or overloaded/);
  const nobody = { ...createFakeCluster({}), local };
  const refused = await run(["ping"], { world, programs: programsOf(nobody).programs });
  assert.match(refused.stderr, /connection refused\); next: start it with xenon agent/);
});

Deno.test("run() shows the versions of all nodes", async () => {
  const cluster = createFakeCluster(
    Object.fromEntries(guideNodes.map((id) => [id, { kind: "up", status: statusOf(id) }] as const)),
  );
  const { programs } = programsOf(cluster);
  const { stdout } = await run(["version", "--all", "-o", "tsv"], { world, programs });
  assert.equal(stdout.split("\n")[1], `${local}\t0.1.0\t9.7.4`);
});
