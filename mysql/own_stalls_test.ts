import assert from "node:assert/strict";
import { DatabaseError } from "./client_error.ts";
import { OwnStalls } from "./own_stalls.ts";

Deno.test("a look beside a statement that stalls the server is excused, and not for ever", async () => {
  let now = 1_000;
  const stalls = new OwnStalls(() => now);
  assert.equal(stalls.since(0), false);

  const statement = Promise.withResolvers<string>();
  const running = stalls.during(() => statement.promise);
  now = 1_900;
  assert.equal(stalls.since(1_800), true, "it still runs");
  now = 4_001;
  assert.equal(stalls.since(3_900), false, "a healthy server would have answered by now");

  now = 2_000;
  statement.resolve("done");
  assert.equal(await running, "done");
  now = 2_100;
  assert.equal(stalls.since(1_800), true, "it ended during the look");
  assert.equal(stalls.since(2_050), false, "the look began after it");
});

for (const kind of ["sql", "lost"] as const) {
  const goesOn = kind === "lost";
  Deno.test(`a statement that ends as "${kind}" ${goesOn ? "may go on" : "is over"}`, async () => {
    let now = 0;
    const stalls = new OwnStalls(() => now);
    const error = new DatabaseError("no", { kind, code: "", errno: 0 });
    await assert.rejects(stalls.during(() => Promise.reject(error)), /no$/);
    now = 10;
    assert.equal(stalls.since(5), goesOn);
    now = 3_001;
    assert.equal(stalls.since(2_900), false);
  });
}
