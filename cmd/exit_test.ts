import assert from "node:assert/strict";
import { CommandError, exitCodes, explain, failure } from "./exit.ts";

Deno.test("explain() puts an expected failure and its next step on one line", () => {
  const error = new CommandError('Cannot add "a:1"\nas it is down', { next: "start it" });
  assert.deepEqual(explain(error), {
    code: exitCodes.failed,
    stdout: "",
    stderr: 'xenon: Cannot add "a:1" as it is down; next: start it\n',
  });
});

Deno.test("explain() shows the causes of an unexpected failure once each", () => {
  const root = new Error("connection refused");
  const error = new Error("fetch failed", { cause: new Error("fetch failed", { cause: root }) });
  const outcome = explain(error);
  assert.equal(outcome.code, exitCodes.failed);
  assert.match(outcome.stderr, /^xenon: fetch failed: connection refused; next: /);
});

Deno.test("explain() survives a cause that names itself and a thrown text", () => {
  const error = new Error("round");
  error.cause = error;
  assert.match(explain(error).stderr, /^xenon: round; next: /);
  assert.match(explain("just text").stderr, /^xenon: just text; next: /);
});

Deno.test("failure() keeps the line below its maximum", () => {
  const { stderr } = failure(exitCodes.usage, "x".repeat(5000));
  assert.equal(stderr.length, "xenon: ".length + 1000 + 1);
  assert.ok(stderr.endsWith("...\n"));
});

Deno.test("a CommandError keeps the code it was given", () => {
  const error = new CommandError("Cannot go on", { next: "wait", code: exitCodes.partial });
  assert.equal(explain(error).code, exitCodes.partial);
});

Deno.test("explain() puts findings above the line that sums them up, and not without end", () => {
  const details = Array.from({ length: 103 }, (_, index) => `a.toml:${index + 1}:1 wrong\nindeed`);
  const { stderr } = explain(new CommandError("Cannot use it", { next: "correct it", details }));
  const lines = stderr.trimEnd().split("\n");
  assert.equal(lines.length, 102);
  assert.equal(lines[0], "a.toml:1:1 wrong indeed");
  assert.deepEqual(lines.slice(-2), ["and 3 more", "xenon: Cannot use it; next: correct it"]);
});
