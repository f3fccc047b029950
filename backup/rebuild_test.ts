import assert from "node:assert/strict";
import type { CopyMethod } from "./copy_method.ts";
import {
  FakeNode,
  methodOf,
  oldFiles,
  optionsOf,
  others,
  own,
  surveyOf,
  taskOf,
  wish,
} from "./fake_node.ts";
import { rebuild } from "./rebuild.ts";

const newFiles = ["/db/data/ibdata1", "/db/data/mysqld-auto.cnf"];

Deno.test("rebuild() goes through all numbered steps in their order", async () => {
  const node = new FakeNode();
  const { task, lines, journal } = taskOf();
  assert.equal(await rebuild(optionsOf(node), task, wish), "completed OK!");
  const numbers = lines.map((line) => /^S(\d+)/.exec(line)?.[1]).filter((one) => one !== undefined)
    .map(Number);
  assert.deepEqual([...new Set(numbers)], Array.from({ length: 18 }, (_, index) => index + 1));
  assert.deepEqual(numbers, numbers.toSorted((left, right) => left - right));
  assert.ok(lines.includes("S8 old data moved aside to /db/data/.xenon-old-7"));
  assert.deepEqual([...node.disk.files.keys()].sort(), newFiles);
  assert.equal(journal.apart, null);
  assert.equal(journal.step, "S18", "the step that is shown is the last one");
});

Deno.test("whatever fails before the server is given back, the old data serves again", async () => {
  const faults = ["stopServer", "startServer", "forgetSource", "copy", "move", "boot"];
  for (const fault of faults) {
    const node = new FakeNode();
    node.failing = fault;
    node.bootable = fault !== "boot";
    if (fault === "move") node.disk.failMove = 2;
    const method = methodOf(node, fault === "copy" ? "fails" : "works");
    const { task, journal } = taskOf();
    await assert.rejects(
      rebuild(optionsOf(node, method), task, wish),
      /the old data is in place again and nothing was lost/,
      fault,
    );
    assert.deepEqual(Object.fromEntries(node.disk.files), oldFiles, fault);
    assert.equal(journal.apart, null, fault);
    assert.equal(node.running, true, fault);
  }
});

Deno.test("what the copy needs is begun before the server stops, and goes with a rebuild that ends there", async () => {
  const node = new FakeNode();
  await rebuild(optionsOf(node), taskOf().task, wish);
  assert.ok(node.calls.indexOf("begin") < node.calls.indexOf("stopServer"));
  const failing = new FakeNode();
  failing.failing = "stopServer";
  await assert.rejects(rebuild(optionsOf(failing), taskOf().task, wish), /as it rains/);
  assert.deepEqual(failing.calls.slice(-3), ["stopServer", "abandon", "startServer"]);
  assert.deepEqual(Object.fromEntries(failing.disk.files), oldFiles);
});

Deno.test("a donor that is missed once while the server stops is copied after S7", async () => {
  const node = new FakeNode();
  const method = methodOf(node);
  let ready = Promise.resolve();
  const waiting: CopyMethod = {
    ...method,
    begin: (_, { donorReady }) => void (ready = donorReady),
    copy: async (wish, control) => {
      await ready;
      return await method.copy(wish, control);
    },
  };
  const say = (line: string) => void (line.startsWith("S5 ") && (node.failing = "survey"));
  const task = { ...taskOf().task, say };
  assert.equal(await rebuild(optionsOf(node, waiting), task, wish), "completed OK!");
  assert.equal(node.failing, "", "it was missed");
});

Deno.test("a cancel during the copy puts the old data back", async () => {
  const node = new FakeNode();
  const { task, abort } = taskOf();
  const running = rebuild(optionsOf(node, methodOf(node, "hangs")), task, wish);
  while (!node.calls.includes("copy")) await Promise.resolve();
  abort.abort(new Error("An operator canceled the job"));
  await assert.rejects(running, /canceled the job; the old data is in place again/);
  assert.deepEqual(Object.fromEntries(node.disk.files), oldFiles);
});

Deno.test("a cancel at any step before S16 puts the old data back; later the job just ends", async () => {
  for (let step = 1; step <= 18; step++) {
    const node = new FakeNode();
    const { task, abort, journal } = taskOf();
    const say = (line: string) => {
      if (line.startsWith(`S${step} `)) abort.abort(new Error("An operator canceled the job"));
    };
    const ended = await rebuild(optionsOf(node), { ...task, say }, wish).catch(String);
    if (step < 16) {
      assert.match(ended, /An operator canceled the job/, `S${step}`);
      assert.deepEqual(Object.fromEntries(node.disk.files), oldFiles, `S${step}`);
    } else {
      // Here nothing is left to wait for.
      assert.equal(ended, "completed OK!", `S${step}`);
      assert.equal(node.data, "new", `S${step}`);
    }
    assert.equal(journal.apart, null, `S${step}: the server is the agent's again`);
    assert.equal(node.running, true, `S${step}`);
  }
});

Deno.test("the next agent rolls back a copy that was under way, and ends what was left running", async () => {
  const node = new FakeNode();
  const first = taskOf();
  const running = rebuild(optionsOf(node, methodOf(node, "hangs")), first.task, wish);
  while (!node.calls.includes("copy")) await Promise.resolve();
  first.abort.abort("agentEnds");
  await assert.rejects(running);
  assert.notEqual(node.data, "old", "the agent that ends leaves everything as it is");
  assert.match(first.journal.apart ?? "", /job 7 rebuilds it/);
  const next = taskOf(undefined, first.journal.memo, true);
  await assert.rejects(rebuild(optionsOf(node), next.task, wish), /rolled back/);
  assert.ok(node.calls.includes("abandon"));
  assert.deepEqual(Object.fromEntries(node.disk.files), oldFiles);
  assert.match(next.lines[0] ?? "", /restarted while the rebuild was at "copying": rolling back/);
});

Deno.test("the next agent goes on with a copy that is in place", async () => {
  const node = new FakeNode();
  const first = taskOf();
  const options = optionsOf(node);
  const executed = () => {
    // The checks ask before anything is stopped.
    if (!node.calls.includes("stopServer")) return options.host.executed();
    first.abort.abort("agentEnds");
    return Promise.reject(new Error("the agent is gone"));
  };
  const dying = { ...options, host: { ...options.host, executed } };
  await assert.rejects(rebuild(dying, first.task, wish));
  const next = taskOf(undefined, first.journal.memo, true);
  assert.equal(await rebuild(optionsOf(node), next.task, wish), "completed OK!");
  assert.deepEqual([...node.disk.files.keys()].sort(), newFiles);
});

Deno.test("once the server is given back nothing goes back, and the old data is kept", async () => {
  const node = new FakeNode();
  const { task, abort } = taskOf();
  const options = optionsOf(node);
  const local = () => ({ ...options.host.local(), inStep: false });
  const wait = () => {
    abort.abort(new Error("An operator canceled the job"));
    return Promise.reject(abort.signal.reason as Error);
  };
  const stuck = {
    ...options,
    host: { ...options.host, local },
    ticker: { ...options.ticker, wait },
  };
  await assert.rejects(rebuild(stuck, task, wish), /the old data is kept in .*\.xenon-old-7/);
  assert.equal(node.data, "new");
  assert.equal(node.disk.files.get("/db/data/.xenon-old-7/ibdata1"), "old");
});

Deno.test("all problems are told at once, and nothing is touched", async () => {
  const node = new FakeNode({ "/db/data/letters.txt": "private" });
  node.role = "LEADER";
  node.survey = { ...node.survey, members: node.survey.members.slice(0, 1) };
  const { task, lines } = taskOf();
  await assert.rejects(rebuild(optionsOf(node), task, wish), /4 things speak against it/);
  const problems = lines.filter((line) => line.startsWith("problem: ")).join("\n");
  assert.match(problems, /This node leads/);
  assert.match(problems, /Only 0 other voters/);
  assert.match(problems, /nobody to copy/);
  assert.match(problems, /none of a MySQL server/);
  assert.deepEqual(node.calls, ["executed", "survey"]);
});

Deno.test("transactions that exist only here stop a rebuild, and are saved before a forced one", async () => {
  const node = new FakeNode();
  node.held = `${others}:1-10,${own}:1-3`;
  const { task } = taskOf();
  await assert.rejects(rebuild(optionsOf(node), task, wish), /3 transactions exist only here/);
  assert.deepEqual(node.calls, ["executed", "survey"]);
  const forced = taskOf();
  await rebuild(optionsOf(node), forced.task, { ...wish, force: true });
  const { calls } = node;
  assert.ok(calls.indexOf("saveTransactions") < calls.indexOf("stopServer"));
  assert.ok(forced.lines.includes(`Saved what exists only here to /state/saved: ${own}:1-3`));
});

Deno.test("transactions that were born since the agent's last look are counted too", async () => {
  const node = new FakeNode();
  const options = optionsOf(node);
  const executed = () => Promise.resolve(`${others}:1-10,${own}:1-2`);
  const fresh = { ...options, host: { ...options.host, executed } };
  await assert.rejects(rebuild(fresh, taskOf().task, wish), /2 transactions exist only here/);
  assert.deepEqual(node.calls, ["survey"]);
});

Deno.test("a dead server's data, whose transactions nobody can count, is kept after a forced rebuild", async () => {
  const node = new FakeNode();
  node.running = false;
  const { task } = taskOf();
  await assert.rejects(rebuild(optionsOf(node), task, wish), /cannot be counted/);
  const forced = taskOf();
  await rebuild(optionsOf(node), forced.task, { ...wish, force: true });
  assert.equal(node.disk.files.get("/db/data/.xenon-old-7/ibdata1"), "old");
});

Deno.test("deleted data has nothing to count, whatever failed starts left in its folder", async () => {
  const node = new FakeNode({ "/db/data/auto.cnf": "old", "/db/data/binlog.index": "" });
  node.running = false;
  await rebuild(optionsOf(node), taskOf().task, wish);
  assert.equal(node.data, "new");
  assert.equal(node.disk.files.get("/db/data/.xenon-old-7/auto.cnf"), undefined);
});

Deno.test("an empty host that is in no cluster is told to join next", async () => {
  const node = new FakeNode({});
  node.running = false;
  node.survey = { ...node.survey, member: false, voters: [] };
  const { task, lines } = taskOf();
  assert.equal(await rebuild(optionsOf(node), task, { ...wish, from: "b:1" }), "completed OK!");
  assert.ok(lines.some((line) => line.includes("xenon cluster add a:1")));
  assert.ok(lines.includes("S8 not needed: there is no old data"));
});

Deno.test("a dry run shows the steps and touches nothing", async () => {
  const node = new FakeNode();
  const { task, lines } = taskOf();
  const end = await rebuild(optionsOf(node), task, { ...wish, dryRun: true });
  assert.equal(end, "dry run: nothing on this node was touched");
  assert.ok(lines.includes("would do S8 move the old data aside to /db/data/.xenon-old-7"));
  assert.deepEqual(node.calls, ["executed", "survey"]);
});

Deno.test("a rebuild is refused while it would leave too few healthy voters, unless it is forced", async () => {
  const node = new FakeNode();
  const { members } = node.survey;
  const gone = { ...node.survey, members: members.filter(({ id }) => id !== "c:1") };
  for (const survey of [gone, surveyOf(`${others}:1-10`, false)]) {
    node.survey = survey;
    const refused = rebuild(optionsOf(node), taskOf().task, wish);
    await assert.rejects(refused, /Only 1 other voter is healthy/);
  }
  node.running = false; // It acknowledges nothing itself, and b votes all the same.
  const forced = { ...wish, automatic: true, force: true };
  assert.equal(await rebuild(optionsOf(node), taskOf().task, forced), "completed OK!");
});

Deno.test("a node is busy from before its first look at the others to the end of its rebuild", async () => {
  const node = new FakeNode();
  const { task, words } = taskOf();
  const options = optionsOf(node);
  const seen: (string | undefined)[] = [];
  const survey: typeof options.host.survey = (from) => {
    seen.push(words.at(-1));
    return options.host.survey(from);
  };
  await rebuild({ ...options, host: { ...options.host, survey } }, task, wish);
  assert.ok(seen.every((word) => word === "BACKUPING"), seen.join(" "));
  assert.ok(words.length > 5 && !words.includes("NONE"), words.join(" "));
  const dry = taskOf();
  await rebuild(options, dry.task, { ...wish, dryRun: true });
  assert.deepEqual(dry.words, []);
});
