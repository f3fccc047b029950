import assert from "node:assert/strict";
import { describeResult, run, succeeded } from "./process.ts";

Deno.test("run() gives the output and the exit code of a command", async () => {
  const result = await run(["sh", "-c", "echo out; echo err >&2; exit 3"], { deadlineMs: 30_000 });
  assert.deepEqual(result.ended, { how: "exit", code: 3 });
  assert.equal(result.stdoutTail, "out\n");
  assert.equal(result.stderrTail, "err\n");
  assert.equal(result.stdoutCut, false);
  assert.equal(succeeded(result), false);
  assert.match(describeResult(result), /^"sh -c .*" ended with exit code 3 after \d+ ms: err$/);
});

Deno.test("run() never gives an argument to a shell", async () => {
  const result = await run(["printf", "%s", "$(id) `id` ; * \n"], { deadlineMs: 30_000 });
  assert.equal(result.stdoutTail, "$(id) `id` ; * \n");
  assert.equal(succeeded(result), true);
});

Deno.test("run() writes text to the child and closes its input", async () => {
  const text = "zeile\n".repeat(50_000);
  const result = await run(["wc", "-c"], { deadlineMs: 30_000, stdin: text });
  assert.equal(result.stdoutTail.trim(), String(text.length));
});

Deno.test("run() survives a child that never reads its input", async () => {
  const result = await run(["true"], { deadlineMs: 30_000, stdin: "x".repeat(1_000_000) });
  assert.equal(succeeded(result), true);
});

Deno.test("run() stops a child at its deadline, by asking first", async () => {
  const result = await run(["sleep", "30"], { deadlineMs: 100, termMs: 20_000 });
  assert.deepEqual(result.ended, { how: "timeout", afterMs: 100, forced: false });
  assert.ok(result.durationMs < 20_000, `${result.durationMs}`);
});

Deno.test("run() kills a child that does not stop when asked", async () => {
  const script = "trap '' TERM; echo deaf; while :; do sleep 0.05; done";
  const result = await run(["sh", "-c", script], { deadlineMs: 2_000, termMs: 200 });
  assert.deepEqual(result.ended, { how: "timeout", afterMs: 2_000, forced: true });
  assert.equal(result.stdoutTail, "deaf\n");
  assert.match(describeResult(result), /still running after 2000 ms and had to be killed/);
});

Deno.test("run() with a session of its own stops the children of the child too", async () => {
  const script = "sleep 314.159 & echo $!; wait";
  const options = { deadlineMs: 2_000, termMs: 10_000, ownSession: true };
  const result = await run(["sh", "-c", script], options);
  assert.equal(result.ended.how, "timeout");
  const grandchild = Number(result.stdoutTail);
  assert.ok(grandchild > 1);
  // A signal is delivered a moment after it was sent.
  const endsAt = performance.now() + 30_000;
  while (livesOn(grandchild)) assert.ok(performance.now() < endsAt, "the grandchild lives on");
});

function livesOn(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

Deno.test("run() does not wait for a grandchild that keeps the pipe open", async () => {
  const result = await run(["sh", "-c", "sleep 30 & echo done"], { deadlineMs: 60_000 });
  assert.equal(result.stdoutTail, "done\n");
  assert.ok(result.durationMs < 20_000, `${result.durationMs}`);
});

Deno.test("run() keeps the end of a long output and says that it is cut", async () => {
  const result = await run(["seq", "1", "100000"], { deadlineMs: 30_000, stdoutBytesMax: 13 });
  assert.equal(result.stdoutTail, "99999\n100000\n");
  assert.equal(result.stdoutCut, true);
});

Deno.test("run() says which program could not be started", async () => {
  const result = await run(["/nonexistent/program"], { deadlineMs: 30_000 });
  assert.deepEqual(result.ended, { how: "notStarted", because: "it does not exist" });
  assert.equal(
    describeResult(result),
    '"/nonexistent/program" could not be started as it does not exist',
  );
});

Deno.test("run() names the signal that ended a child", async () => {
  const result = await run(["sh", "-c", "kill -9 $$"], { deadlineMs: 30_000 });
  assert.deepEqual(result.ended, { how: "signal", signal: "SIGKILL" });
});

Deno.test("run() stops a child that is no longer wanted", async () => {
  const controller = new AbortController();
  const running = run(["sleep", "30"], { deadlineMs: 20_000, signal: controller.signal });
  controller.abort();
  assert.deepEqual((await running).ended, { how: "aborted", forced: false });
});
