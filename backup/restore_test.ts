/** Restores in temporary folders: real files and checksums, and a host that remembers what was done. */
import assert from "node:assert/strict";
import { Place, task } from "./fake_restore.ts";
import { restore } from "./restore.ts";

Deno.test("a backup becomes the data of an empty host, closed for its first start", async () => {
  using place = await new Place().describe();
  Deno.writeTextFileSync(`${place.data}/auto.cnf`, "left by a start without data");
  Deno.writeTextFileSync(`${place.data}/error.err`, "what the operator may want to read");
  const { job, apart } = task(place);
  assert.equal(await restore(place.options, job), "completed OK!");
  assert.deepEqual(place.names(), [
    "a b.ibd",
    "error.err",
    "ibdata1",
    "mysql",
    "mysqld-auto.cnf",
  ]);
  const persisted = Deno.readTextFileSync(`${place.data}/mysqld-auto.cnf`);
  assert.match(persisted, /skip_replica_start.*super_read_only/s);
  assert.deepEqual(place.done, ["stop", "start", "forget"]);
  assert.ok(apart.some((why) => why !== null));
  assert.equal(apart.at(-1), null);
});

Deno.test("a damaged backup is found before anything is in place", async () => {
  using place = await new Place().describe();
  Deno.writeTextFileSync(`${place.backup}/data/ibdata1`, "dada");
  const { job, apart } = task(place);
  await assert.rejects(restore(place.options, job), /is damaged, 1 file differs: ibdata1/);
  assert.deepEqual(place.names(), []);
  assert.ok(!place.done.includes("start"));
  assert.equal(apart.at(-1), null);
});

Deno.test("a host that is not empty keeps what it has", async () => {
  using place = await new Place().describe();
  Deno.writeTextFileSync(`${place.data}/ibdata1`, "mine");
  const { job } = task(place);
  await assert.rejects(restore(place.options, job), /nothing was touched: .*is not empty/);
  assert.equal(Deno.readTextFileSync(`${place.data}/ibdata1`), "mine");
  assert.deepEqual(place.done, []);
});

Deno.test("data that comes while the server is being stopped is never taken away", async () => {
  using place = await new Place().describe();
  const options = place.options;
  const stopServer = () => Deno.writeTextFile(`${place.data}/ibdata1`, "mine");
  const late = { ...options, host: { ...options.host, stopServer } };
  const { job, apart } = task(place);
  await assert.rejects(restore(late, job), /is not empty/);
  assert.equal(Deno.readTextFileSync(`${place.data}/ibdata1`), "mine");
  assert.equal(apart.at(-1), null);
});

Deno.test("a restore is refused in a cluster, beside a living server, and of another version", async () => {
  const cases: readonly (readonly [RegExp, (place: Place) => void])[] = [
    [/use xenon mysql rebuildme/, (place) => {
      place.survey = { member: true, leader: { id: "a:1", executed: "" } };
    }],
    [/a host that is in none/, (place) => void (place.survey = { member: true })],
    [/its MySQL answers/, (place) => void (place.local = { alive: true })],
  ];
  for (const [wanted, prepare] of cases) {
    using place = await new Place().describe();
    prepare(place);
    await assert.rejects(restore(place.options, task(place).job), wanted);
    assert.deepEqual(place.done, []);
  }
  using place = await new Place().describe({ serverVersion: "8.4.1" });
  await assert.rejects(restore(place.options, task(place).job), /install the same version/);
});

Deno.test("a server that does not start leaves the host as empty as it was", async () => {
  using place = await new Place().describe();
  place.startServer = () => Promise.reject(new Error("no memory"));
  await assert.rejects(restore(place.options, task(place).job), /no memory/);
  assert.deepEqual(place.names(), []);
});

Deno.test("the next agent goes on with a complete copy, and gives up a half one", async () => {
  using place = await new Place().describe();
  place.startServer = () => Promise.reject(new Error("the agent ends"));
  const { job, memos } = task(place, { agentEnds: () => true });
  await assert.rejects(restore(place.options, job), /the agent ends/);
  place.startServer = () => Promise.resolve();
  const next = task(place, { resumed: true, memo: memos.at(-1) }).job;
  assert.equal(await restore(place.options, next), "completed OK!");
  assert.ok(place.names().includes("ibdata1"));

  using other = await new Place().describe();
  const copying = {
    ...(memos.at(-1) as object),
    phase: "copying",
    places: [
      { role: "data", folder: other.data, names: null },
    ],
  };
  Deno.mkdirSync(`${other.data}/.xenon-job-7/copy`, { recursive: true });
  const half = task(other, { resumed: true, memo: copying }).job;
  await assert.rejects(restore(other.options, half), /as empty as before/);
  assert.deepEqual(other.names(), []);
});

Deno.test("a folder without a manifest is no backup", async () => {
  using place = new Place();
  await assert.rejects(restore(place.options, task(place).job), /holds no backup of xenon/);
});

Deno.test("a manifest with another GTID set than it was written with is refused", async () => {
  using place = await new Place().describe();
  place.rewriteManifest((text) => text.replace(":1-5", ":1-7"));
  await assert.rejects(restore(place.options, task(place).job), /damaged: its checksum/);
  assert.deepEqual(place.done, []);
});

Deno.test("a backup of an earlier version, whose manifest has no checksum, is restored with a word", async () => {
  using place = await new Place().describe();
  place.rewriteManifest((text) => text.replace(/,\n {2}"checksum": "\w+"/, ""));
  const said: string[] = [];
  const { job } = task(place, { say: (line) => void said.push(line) });
  assert.equal(await restore(place.options, job), "completed OK!");
  assert.ok(said.some((line) => /manifest is of an earlier version/.test(line)));
});

Deno.test("a restore that had ended touches the server no more, whoever resumes it", async () => {
  using place = await new Place().describe();
  const first = task(place);
  await restore(place.options, first.job);
  place.write("new.ibd", "acknowledged");
  place.done.length = 0;
  const abort = new AbortController();
  for (const canceled of [false, true]) {
    if (canceled) abort.abort(new Error("An operator canceled the job"));
    const next = task(place, { resumed: true, memo: first.memos.at(-1), signal: abort.signal });
    assert.equal(await restore(place.options, next.job), "completed OK!");
    assert.deepEqual(place.done, []);
    assert.ok(place.names().includes("new.ibd"));
  }
});

Deno.test("a restore that is resumed on a member of a cluster leaves it alone", async () => {
  using place = await new Place().describe();
  const first = task(place);
  await restore(place.options, first.job);
  place.done.length = 0;
  // The journal of an agent that could not write the end, or of an earlier version.
  const memo = { ...(first.memos.at(-1) as object), phase: "placing" };
  place.survey = { member: true };
  const next = task(place, { resumed: true, memo });
  assert.equal(await restore(place.options, next.job), "completed OK!");
  assert.deepEqual(place.done, []);
  assert.equal(next.apart.at(-1), null);
});

Deno.test("an agent that is killed while a restore is undone leaves the next one only the way back", async () => {
  using place = await new Place().describe();
  place.startServer = () => Promise.reject(new Error("no memory"));
  const first = task(place);
  const { options } = place;
  const killed = () => Promise.reject(new Error("the agent was killed"));
  const dying = { ...options, folders: { ...options.folders, removeTree: killed } };
  await assert.rejects(restore(dying, first.job), /killed/);
  place.startServer = () => Promise.resolve();
  place.done.length = 0;
  const next = task(place, { resumed: true, memo: first.memos.at(-1) });
  await assert.rejects(restore(options, next.job), /as empty as before/);
  assert.deepEqual(place.names(), []);
  assert.ok(!place.done.includes("start"));
  assert.equal(next.apart.at(-1), null);
});
