import assert from "node:assert/strict";
import type { Log } from "../ports.ts";
import { createLogger, type LogSink, openLogFile } from "./log.ts";

Deno.test("createLogger() writes lines in order with the identity of the node", async () => {
  const sink = memorySink();
  const logger = createLogger({
    level: "INFO",
    format: "text",
    identity: () => ({ role: "LEADER", view: 7 }),
    open: () => sink,
  });
  const port: Log = logger;
  port.write("debug", "Not shown", {});
  logger.write("info", "First", { n: 1 });
  logger.write("error", "Second");
  await logger.flush(1000);
  const lines = sink.text().trimEnd().split("\n");
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? "", /^\d{4}-.*Z \[INFO\] First role=LEADER view=7 n=1$/);
  assert.match(lines[1] ?? "", /\[ERROR\] Second role=LEADER view=7$/);
});

Deno.test("createLogger() drops lines rather than wait for a reader, and says how many", async () => {
  const gate = Promise.withResolvers<void>();
  const sink = memorySink(gate.promise);
  const logger = createLogger({ level: "INFO", format: "text", open: () => sink });
  for (let n = 0; n < 1500; n++) {
    logger.write("info", `Line ${n}`);
    if (n === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  gate.resolve();
  await logger.flush(1000);
  const lines = sink.text().trimEnd().split("\n");
  assert.match(lines.at(-1) ?? "", /dropped .* lines=499$/);
  assert.equal(lines.length, 1002);
});

Deno.test("createLogger() goes on when its sink fails", async () => {
  const broken: LogSink = {
    write: () => Promise.reject(new Error("no space")),
    close: () => {},
  };
  const logger = createLogger({ level: "INFO", format: "text", open: () => broken });
  logger.write("info", "Lost");
  await logger.flush(1000);
  logger.write("info", "Also lost");
  await logger.flush(1000);
});

Deno.test("flush() gives up on a reader that never reads", async () => {
  const sink = memorySink(new Promise<void>(() => {}));
  const logger = createLogger({ level: "INFO", format: "text", open: () => sink });
  logger.write("info", "Stuck");
  const startedAt = performance.now();
  await logger.flush(50);
  assert.ok(performance.now() - startedAt < 2000);
});

Deno.test("reopen() continues in a new file after a rotation", async () => {
  const folder = await Deno.makeTempDir({ prefix: "xenon-log-" });
  try {
    const path = `${folder}/xenon.log`;
    const logger = createLogger({ level: "INFO", format: "json", open: () => openLogFile(path) });
    logger.write("info", "Before");
    await logger.flush(1000);
    await Deno.rename(path, `${path}.1`);
    logger.reopen();
    logger.write("info", "After");
    await logger.flush(1000);
    logger[Symbol.dispose]();
    assert.match(await Deno.readTextFile(`${path}.1`), /Before/);
    const after = await Deno.readTextFile(path);
    assert.equal(JSON.parse(after).sentence, "After");
    assert.equal((Deno.statSync(path).mode ?? 0) & 0o007, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("reopen() stays with the former file when the new one cannot be opened, and says so", async () => {
  const folder = await Deno.makeTempDir({ prefix: "xenon-log-" });
  try {
    const path = `${folder}/xenon.log`;
    using logger = createLogger({ level: "INFO", format: "text", open: () => openLogFile(path) });
    await Deno.rename(path, `${path}.1`);
    // A folder cannot be opened by root either.
    await Deno.mkdir(path);
    logger.reopen();
    logger.write("info", "Goes on");
    await logger.flush(1000);
    const [warning, next] = (await Deno.readTextFile(`${path}.1`)).split("\n");
    assert.match(warning ?? "", /\[WARNING\] Cannot open log file .*xenon\.log.*directory/);
    assert.match(warning ?? "", /account must be able to write it .*send SIGHUP/);
    assert.match(next ?? "", /Goes on/);
    await Deno.remove(path);
    logger.reopen();
    logger.write("info", "Here again");
    await logger.flush(1000);
    assert.match(await Deno.readTextFile(path), /Here again/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

interface MemorySink extends LogSink {
  text(): string;
}

function memorySink(gate: Promise<void> = Promise.resolve()): MemorySink {
  const decoder = new TextDecoder();
  let text = "";
  return {
    async write(bytes) {
      await gate;
      text += decoder.decode(bytes, { stream: true });
      return bytes.length;
    },
    close: () => {},
    text: () => text,
  };
}
