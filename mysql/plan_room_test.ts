import assert from "node:assert/strict";
import { connectionsOf, makeRoom } from "./plan_room.ts";
import { statementsOf } from "./fake_server.ts";

function sqlAt(connected: number): readonly string[] {
  const seen = connectionsOf({ connected: String(connected), connections_max: 151 });
  return statementsOf(makeRoom(seen, 3)).map(({ sql }) => sql);
}

Deno.test("makeRoom() lets a few more in only while all connections are taken", () => {
  assert.deepEqual(sqlAt(150), []);
  // One more than the limit is in where an administrator is among them.
  for (const taken of [151, 152]) {
    assert.deepEqual(sqlAt(taken), ["SET GLOBAL max_connections = 154"]);
  }
});
