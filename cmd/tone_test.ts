import assert from "node:assert/strict";
import { tint } from "./tone.ts";

Deno.test("tint() makes what is wrong red, the leader green, and leaves the rest alone", () => {
  const red = ["UNKNOW", "[DEAD]", "[ViewID:1 EpochID:1]@INVALID", "NOTRUNNING", "[true/false]"];
  for (const line of red) assert.equal(tint(line), `\u001b[31m${line}\u001b[39m`);
  assert.equal(
    tint("[ViewID:1 EpochID:1]@LEADER"),
    "\u001b[32m[ViewID:1 EpochID:1]@LEADER\u001b[39m",
  );
  assert.equal(tint("OFF"), "\u001b[33mOFF\u001b[39m");
  for (const line of ["", "ON", "[true/true]", "10.0.0.1:8801", "LEADERSHIP"]) {
    assert.equal(tint(line), line);
  }
});
