import assert from "node:assert/strict";
import { type StackProgram, stackPrograms } from "../stacks.ts";
import { takeStacks } from "./stacks.ts";

function program(name: string, script: string): StackProgram {
  return { name, package: name, command: (pid) => ["sh", "-c", script, name, String(pid)] };
}

const absent: StackProgram = {
  name: "absent",
  package: "absent-package",
  command: () => ["/nonexistent/absent"],
};

Deno.test("takeStacks() takes the first program that is there and can, and says which", async () => {
  const mute = program("mute", "echo no permission >&2");
  const able = program("able", 'echo "Thread 1 of $1"; echo "#0 main"');
  const stacks = await takeStacks(42, [absent, mute, able]);
  assert.deepEqual(stacks, { program: "able", pid: 42, text: "Thread 1 of 42\n#0 main\n" });
});

Deno.test("takeStacks() names what to install when nothing is there", async () => {
  await assert.rejects(takeStacks(42, [absent]), /none of absent is installed/);
});

Deno.test("takeStacks() shows why a program could not", async () => {
  const denied = program("denied", "echo ptrace: Operation not permitted >&2; exit 1");
  await assert.rejects(
    takeStacks(42, [absent, denied]),
    /Cannot take the stacks of process 42: .*exit code 1.*ptrace: Operation not permitted/,
  );
});

const gdb = await new Deno.Command("sh", { args: ["-c", "command -v gdb"] }).output();

Deno.test({
  name: `gdb shows the stacks of a process${gdb.success ? "" : " (gdb is not installed)"}`,
  ignore: !gdb.success,
  async fn() {
    const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
    try {
      const gdbOnly = stackPrograms.filter(({ name }) => name === "gdb");
      const stacks = await takeStacks(child.pid, gdbOnly);
      assert.equal(stacks.program, "gdb");
      assert.match(stacks.text, /#0/);
    } finally {
      child.kill("SIGKILL");
      await child.status;
    }
  },
});
