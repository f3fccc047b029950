/** The operator's commands: what they are told, and what their end means. */
import assert from "node:assert/strict";
import { createHooks } from "./hooks.ts";

const limitMs = 10_000;
const shortMs = 200;
const scope = () => ({ signal: new AbortController().signal });

Deno.test("a command reads the facts from its environment, whatever they contain", async () => {
  const file = await Deno.makeTempFile();
  const start = `printf '%s %s' "$XENON_ROLE" "$XENON_NODE" > ${file}`;
  const hooks = createHooks({ start, stop: null, limitMs });
  const node = '$(touch /tmp/never); "1"';
  await hooks.leaderStart({ XENON_ROLE: "leader", XENON_NODE: node }, scope());
  assert.equal(await Deno.readTextFile(file), `leader ${node}`);
  await Deno.remove(file);
});

Deno.test("a command that fails is an error with its last line", async () => {
  const failing = "echo no route table >&2; exit 3";
  const hooks = createHooks({ start: failing, stop: failing, limitMs });
  const said = /leader-start-command failed: .* exit code 3 .*no route table/;
  await assert.rejects(hooks.leaderStart({}, scope()), said);
  await assert.rejects(hooks.leaderStop({}), /leader-stop-command failed: .* exit code 3/);
});

Deno.test("a command that overstays its limit is ended with all its children", async () => {
  const file = await Deno.makeTempFile();
  const stop = `sleep 60 & echo $! > ${file}; wait`;
  const hooks = createHooks({ start: null, stop, limitMs: shortMs });
  await assert.rejects(hooks.leaderStop({}), /was still running after 200 ms/);
  const child = Number(await Deno.readTextFile(file));
  await gone(child);
  await Deno.remove(file);
});

Deno.test("a start command ends with the leadership that it belongs to", async () => {
  const leadership = new AbortController();
  const hooks = createHooks({ start: "sleep 60", stop: null, limitMs });
  const started = hooks.leaderStart({}, { signal: leadership.signal });
  leadership.abort(new Error("over"));
  await assert.rejects(started, /was no longer wanted/);
});

Deno.test("without commands nothing happens", async () => {
  const hooks = createHooks({ start: null, stop: null, limitMs });
  await hooks.leaderStart({}, scope());
  await hooks.leaderStop({});
});

/** A child of a child is nobody's to wait for; its entry of /proc goes, or says that it is dead. */
async function gone(pid: number): Promise<void> {
  const endsAt = performance.now() + limitMs;
  while (/^\d+ \(.*\) [^ZX]/.test(await readStat(pid))) {
    assert.ok(performance.now() < endsAt, `process ${pid} ends`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function readStat(pid: number): Promise<string> {
  return await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
}
