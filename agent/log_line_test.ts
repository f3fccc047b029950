import assert from "node:assert/strict";
import { formatLine, isLogged, LOG_LINE_CHARACTERS_MAX, type LogEvent } from "./log_line.ts";

const event: LogEvent = {
  time: "2026-11-23T15:00:00.123Z",
  level: "INFO",
  sentence: "Promoted, writes are open",
  fields: { role: "LEADER", id: "10.0.0.1:8801", view: 183, epoch: 2 },
};

Deno.test("formatLine() writes time, level, sentence and then key=value", () => {
  assert.equal(
    formatLine(event, "text"),
    "2026-11-23T15:00:00.123Z [INFO] Promoted, writes are open " +
      "role=LEADER id=10.0.0.1:8801 view=183 epoch=2",
  );
});

Deno.test("formatLine() quotes values that could be mistaken for more fields or lines", () => {
  const fields = { a: "two words", b: "", c: "x\ny=1", d: 'say "hi"', e: null, f: 12n };
  const line = formatLine({ ...event, fields }, "text");
  assert.ok(
    line.endsWith(
      ' a="two words" b="" c="x\\\\ny=1" d="say \\"hi\\"" e=null f=12',
    ),
    line,
  );
  assert.equal(line.split("\n").length, 1);
});

Deno.test("formatLine() keeps a sentence with control characters on one line", () => {
  const line = formatLine(
    { ...event, sentence: "one\ntwo\u001b[31m\u2028three", fields: {} },
    "text",
  );
  assert.ok(line.endsWith("one\\ntwo\\u001b[31m\\u2028three"), line);
});

Deno.test("formatLine() never exceeds the longest line in either format", () => {
  const long = "\u0001x".repeat(20_000);
  for (const format of ["text", "json"] as const) {
    const line = formatLine({ ...event, sentence: long, fields: { why: long, n: 1 } }, format);
    assert.ok(line.length <= LOG_LINE_CHARACTERS_MAX, `${format} ${line.length}`);
    assert.match(line, /\.\.\.cut, \d+ characters/);
  }
});

Deno.test("formatLine() writes JSON with the same facts", () => {
  assert.deepEqual(JSON.parse(formatLine(event, "json")), {
    time: event.time,
    level: "INFO",
    sentence: event.sentence,
    role: "LEADER",
    id: "10.0.0.1:8801",
    view: 183,
    epoch: 2,
  });
});

Deno.test("isLogged() keeps the level itself and everything more serious", () => {
  assert.equal(isLogged("DEBUG", "INFO"), false);
  assert.equal(isLogged("INFO", "INFO"), true);
  assert.equal(isLogged("ERROR", "WARNING"), true);
});
